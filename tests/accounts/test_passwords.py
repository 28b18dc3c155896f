"""Another password: for whoever knows the present one, and it ends every other session."""

from __future__ import annotations

import asyncio

import pytest

from chatapp.accounts import actions, queries
from chatapp.accounts.sessions import hashed
from chatapp.actor import Actor
from chatapp.errors import ChatError, Invalid, Unauthorized
from chatapp.settings import Settings
from tests.cast import Someone, someone
from tests.conftest import Sql

NEW = "a better battery staple"


async def signed_in(who: Someone, password: str = "") -> tuple[str, Actor]:
    value = await actions.redeem(await actions.sign_in(who.email, password or who.password))
    actor = await queries.actor_of(hashed(value))
    assert actor
    return value, actor


async def test_the_new_password_counts_and_the_old_one_no_longer(project: Settings) -> None:
    ada = await someone("Ada Lovelace")
    _, actor = await signed_in(ada)
    await actions.change_password(actor, ada.password, NEW)
    await signed_in(ada, NEW)
    with pytest.raises(Invalid, match="Email or password is incorrect"):
        await actions.sign_in(ada.email, ada.password)


async def test_every_other_session_ends_here_and_at_supabase(psql: Sql) -> None:
    ada = await someone("Ada Lovelace")
    (mine, actor), (other, _) = await signed_in(ada), await signed_in(ada)
    await actions.change_password(actor, ada.password, NEW)
    assert await queries.actor_of(hashed(mine)) == actor
    assert await queries.actor_of(hashed(other)) is None
    left = await psql.execute("select count(*) as n from auth.sessions where user_id = %s", [ada.id])
    assert (await left.fetchone() or {})["n"] == 1


async def test_the_session_that_stays_can_go_on(psql: Sql) -> None:
    ada = await someone("Ada Lovelace")
    _, actor = await signed_in(ada)
    await actions.change_password(actor, ada.password, NEW)
    await psql.execute("update sessions set access_expires_at = now() where user_id = %s", [ada.id])
    assert await actions.access_token(actor)  # refreshed with the new session's token


async def test_a_wrong_password_changes_nothing_and_signs_nobody_out(psql: Sql) -> None:
    ada = await someone("Ada Lovelace")
    (_, actor), (other, _) = await signed_in(ada), await signed_in(ada)
    with pytest.raises(Invalid, match="The current password is incorrect"):
        await actions.change_password(actor, "not my password", NEW)
    assert await queries.actor_of(hashed(other))
    await signed_in(ada)


@pytest.mark.parametrize(
    ("new", "sentence"),
    [("short", "at least 8 characters"), ("x" * 73, "at most 72 bytes"), ("\0" * 9, "cannot be stored")],
)
async def test_a_new_password_is_held_to_what_a_first_one_is(project: Settings, new: str, sentence: str) -> None:
    ada = await someone("Ada Lovelace")
    _, actor = await signed_in(ada)
    with pytest.raises(Invalid, match=sentence):
        await actions.change_password(actor, ada.password, new)


async def test_the_same_password_again_leaves_no_session_behind(psql: Sql) -> None:
    ada = await someone("Ada Lovelace")
    _, actor = await signed_in(ada)
    with pytest.raises(Invalid, match="same as the current one"):
        await actions.change_password(actor, ada.password, ada.password)
    left = await psql.execute("select count(*) as n from auth.sessions where user_id = %s", [ada.id])
    assert (await left.fetchone() or {})["n"] == 1
    await signed_in(ada)


async def test_an_ended_session_changes_no_password(project: Settings) -> None:
    ada = await someone("Ada Lovelace")
    _, actor = await signed_in(ada)
    await actions.sign_out(actor)
    with pytest.raises(Unauthorized):
        await actions.change_password(actor, ada.password, NEW)
    await signed_in(ada)


async def test_of_two_changes_at_once_one_counts(project: Settings) -> None:
    ada = await someone("Ada Lovelace")
    _, actor = await signed_in(ada)
    both = (actions.change_password(actor, ada.password, new) for new in (NEW, NEW + "!"))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert [isinstance(each, ChatError) for each in done].count(True) == 1
    await signed_in(ada, NEW if done[0] is None else NEW + "!")
