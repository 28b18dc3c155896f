"""Getting in and out, against the real Auth."""

from __future__ import annotations

import asyncio
import secrets
from uuid import UUID

import pytest
from pydantic import SecretStr
from supabase_auth.types import AuthResponse

from chatapp import settings
from chatapp.accounts import actions, queries, sessions
from chatapp.accounts.sessions import hashed, hashed_ticket
from chatapp.actor import Actor
from chatapp.errors import ChatError, Invalid, NotFound, Unauthorized, Unavailable
from chatapp.settings import Settings
from chatapp.supabase import auth, client
from tests.cast import Cast, Someone, someone
from tests.conftest import Sql


def fresh_address() -> str:
    return f"new-{secrets.token_hex(6)}@example.com"


async def signed_in(who: Someone) -> tuple[str, Actor]:
    value = await actions.redeem(await actions.sign_in(who.email, who.password))
    actor = await queries.actor_of(hashed(value))
    assert actor
    return value, actor


async def test_signing_up_makes_a_profile_and_a_session(project: Settings) -> None:
    value = await actions.redeem(await actions.sign_up("  Hedy Lamarr ", fresh_address(), "correct horse"))
    actor = await queries.actor_of(hashed(value))
    assert actor
    assert (await queries.profile(actor)).name == "Hedy Lamarr"
    assert actor.session_id == hashed(value).hex()


async def test_signing_in_again_is_another_session(cast: Cast) -> None:
    (first, one), (second, two) = await signed_in(cast.ada), await signed_in(cast.ada)
    assert first != second
    assert one.user_id == two.user_id == cast.ada.id
    assert one.session_id != two.session_id


async def test_the_database_does_not_know_the_cookies_value(cast: Cast, psql: Sql) -> None:
    value, actor = await signed_in(cast.ada)
    row = await (await psql.execute("select * from sessions where id_hash = %s", [hashed(value)])).fetchone()
    assert row
    assert row["user_id"] == actor.user_id
    assert value not in str(row)


async def test_a_ticket_is_good_once(cast: Cast) -> None:
    ticket = await actions.sign_in(cast.ada.email, cast.ada.password)
    value = await actions.redeem(ticket)
    assert value != ticket
    assert await queries.actor_of(hashed_ticket(ticket)) is None
    with pytest.raises(Unauthorized):
        await actions.redeem(ticket)


async def test_a_ticket_is_worthless_as_a_cookie_and_a_cookie_as_a_ticket(cast: Cast) -> None:
    ticket = await actions.sign_in(cast.ada.email, cast.ada.password)
    assert await queries.actor_of(hashed_ticket(ticket))  # it is there, under a key of its own
    for cookie in (ticket, f"ticket:{ticket}", f"ticket{ticket}", f"ticket\xff{ticket}", f"ticket\udcff{ticket}"):
        assert await sessions.resolve(cookie) is None
    value = await actions.redeem(ticket)
    with pytest.raises(Unauthorized):
        await actions.redeem(value)
    assert await sessions.resolve(value)


async def test_who_signs_in_clears_away_what_has_expired(cast: Cast, psql: Sql) -> None:
    (_, old), (value, _) = await signed_in(cast.ada), await signed_in(cast.grace)
    never_redeemed = await actions.sign_in(cast.ada.email, cast.ada.password)
    keys = [bytes.fromhex(old.session_id), hashed_ticket(never_redeemed)]
    await psql.execute("update sessions set expires_at = now() where id_hash = any(%s)", [keys])
    await signed_in(cast.linus)
    left = await psql.execute("select id_hash from sessions where id_hash = any(%s)", [[*keys, hashed(value)]])
    assert [row["id_hash"] for row in await left.fetchall()] == [hashed(value)]


async def test_an_expired_session_that_is_in_use_keeps_nobody_from_signing_in(cast: Cast, psql: Sql) -> None:
    _, actor = await signed_in(cast.ada)
    key = bytes.fromhex(actor.session_id)
    await psql.execute("update sessions set expires_at = now() where id_hash = %s", [key])
    async with psql.transaction():
        await psql.execute("select from sessions where id_hash = %s for update", [key])
        async with asyncio.timeout(2):  # half of what a lock is waited for
            assert await signed_in(cast.grace)


async def test_a_ticket_is_good_for_a_minute(cast: Cast, psql: Sql) -> None:
    ticket = await actions.sign_in(cast.ada.email, cast.ada.password)
    later = "update sessions set created_at = created_at - '61 s'::interval, expires_at = expires_at - '61 s'::interval"
    await psql.execute(f"{later} where id_hash = %s", [hashed_ticket(ticket)])
    assert await queries.actor_of(hashed_ticket(ticket)) is None
    with pytest.raises(Unauthorized):
        await actions.redeem(ticket)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "wrong horse"}, "Email or password is incorrect."),
        ({"email": "nobody@example.com"}, "Email or password is incorrect."),
        ({"password": ""}, "Password is empty."),
        ({"email": ""}, "Email is empty."),
        ({"email": "nobody"}, "This is not an email address we can use."),
        ({"email": "no body@example.com"}, "This is not an email address we can use."),
        ({"email": "a\0@example.com"}, "Email contains characters that cannot be stored."),
        ({"password": "\ud800"}, "Password contains characters that cannot be stored."),
    ],
)
async def test_signing_in_that_fails(cast: Cast, change: dict[str, str], sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        await actions.sign_in(**{"email": cast.ada.email, "password": cast.ada.password, **change})
    assert refused.value.message == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": "seven77"}, "Password must be at least 8 characters."),
        ({"password": "ä" * 37}, "Password must be at most 72 bytes."),
        ({"name": "   "}, "Name is empty."),
        ({"name": "x" * 81}, "Name is too long: 81 of 80 characters."),
        ({"name": 7}, "Name must be text."),
    ],
)
async def test_signing_up_that_fails(project: Settings, change: dict[str, str], sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        await actions.sign_up(**{"name": "Name", "email": fresh_address(), "password": "long enough", **change})
    assert refused.value.message == sentence


async def test_an_address_signs_up_once(cast: Cast) -> None:
    with pytest.raises(Invalid, match=r"An account with this email already exists\."):
        await actions.sign_up("Ada again", cast.ada.email.upper(), "long enough")


async def test_an_address_that_must_be_confirmed_is_said_so() -> None:
    """What Auth answers when the project asks for confirmation: a user, no session."""
    with pytest.raises(Invalid, match="Check your inbox to confirm your email"):
        auth._tokens(AuthResponse(user=None, session=None))


async def test_tokens_do_not_show_in_logs(cast: Cast) -> None:
    tokens = await auth.sign_in(cast.ada.email, cast.ada.password)
    assert repr(tokens) == f"Tokens(user_id={cast.ada.id})"


async def test_signing_out_ends_this_session_alone(cast: Cast) -> None:
    (value, actor), (other, _) = await signed_in(cast.ada), await signed_in(cast.ada)
    access_token = await actions.access_token(actor)
    await actions.sign_out(actor)
    assert await queries.actor_of(hashed(value)) is None
    assert await queries.actor_of(hashed(other))
    with pytest.raises(Unauthorized):
        await actions.access_token(actor)
    await actions.sign_out(actor)  # twice is once
    await actions.settle(10)
    await auth.sign_out(access_token)  # which has ended at Supabase too, and that is no error


async def test_signing_out_reaches_supabase(cast: Cast, psql: Sql) -> None:
    _, actor = await signed_in(cast.ada)
    token = await (
        await psql.execute("select refresh_token from sessions where id_hash = %s", [bytes.fromhex(actor.session_id)])
    ).fetchone()
    assert token
    await actions.sign_out(actor)
    await actions.settle(10)
    with pytest.raises(Unauthorized):
        await auth.refresh(token["refresh_token"])


async def test_signing_out_works_while_supabase_is_away(cast: Cast, project: Settings) -> None:
    value, actor = await signed_in(cast.ada)
    settings.use(project.model_copy(update={"supabase_url": "http://127.0.0.1:1"}))
    try:
        await actions.sign_out(actor)
        await actions.settle(10)
    finally:
        settings.use(project)
    assert await queries.actor_of(hashed(value)) is None


async def test_signing_out_does_not_wait_for_supabase(cast: Cast, project: Settings) -> None:
    """A server that takes the call and never answers."""
    hung_up = asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung_up.wait()
        writer.close()

    _, actor = await signed_in(cast.ada)
    async with await asyncio.start_server(hear, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        settings.use(project.model_copy(update={"supabase_url": f"http://127.0.0.1:{port}"}))
        try:
            async with asyncio.timeout(2):
                await actions.sign_out(actor)
            await actions.settle(0.1)
            assert len(actions._ending) == 1  # still on its way
        finally:
            settings.use(project)
            hung_up.set()
        await actions.settle(10)
    assert not actions._ending


async def test_auth_that_is_away_is_unavailable(cast: Cast, project: Settings) -> None:
    settings.use(project.model_copy(update={"supabase_url": "http://127.0.0.1:1"}))
    try:
        with pytest.raises(Unavailable):
            await actions.sign_in(cast.ada.email, cast.ada.password)
    finally:
        settings.use(project)


async def test_a_wrong_key_is_a_sentence_too(cast: Cast, project: Settings) -> None:
    settings.use(project.model_copy(update={"supabase_publishable_key": "sb_publishable_wrong"}))
    try:
        with pytest.raises(ChatError):
            await actions.sign_in(cast.ada.email, cast.ada.password)
    finally:
        settings.use(project)


async def test_an_access_token_is_kept_while_it_is_good(cast: Cast) -> None:
    _, actor = await signed_in(cast.ada)
    assert await actions.access_token(actor) == await actions.access_token(actor)


async def test_an_old_access_token_is_refreshed_once_for_all_who_ask(cast: Cast, psql: Sql) -> None:
    _, actor = await signed_in(cast.ada)
    before = await actions.access_token(actor)
    old = "update sessions set access_expires_at = now() + '59 s'::interval where id_hash = %s returning refresh_token"
    row = await (await psql.execute(old, [bytes.fromhex(actor.session_id)])).fetchone()
    assert row
    tokens = await asyncio.gather(*(actions.access_token(actor) for _ in range(5)))
    assert len(set(tokens)) == 1
    assert before not in tokens
    after = await (
        await psql.execute("select * from sessions where id_hash = %s", [bytes.fromhex(actor.session_id)])
    ).fetchone()
    assert after
    assert after["refresh_token"] != row["refresh_token"]
    assert after["seen_at"] > after["created_at"]


async def test_a_session_that_supabase_has_ended_is_unauthorized(cast: Cast, psql: Sql) -> None:
    _, actor = await signed_in(cast.ada)
    await auth.sign_out(await actions.access_token(actor))
    await psql.execute(
        "update sessions set access_expires_at = now() where id_hash = %s", [bytes.fromhex(actor.session_id)]
    )
    with pytest.raises(Unauthorized):
        await actions.access_token(actor)


async def test_an_expired_session_is_nobodys(cast: Cast, psql: Sql) -> None:
    value, _ = await signed_in(cast.ada)
    await psql.execute("update sessions set expires_at = now() where id_hash = %s", [hashed(value)])
    assert await queries.actor_of(hashed(value)) is None


async def test_an_account_that_is_gone_has_no_sessions(project: Settings) -> None:
    gone = await someone("Gone")
    value, actor = await signed_in(gone)
    await client.as_project().auth.admin.delete_user(str(gone.id))
    assert await queries.actor_of(hashed(value)) is None
    with pytest.raises(Unauthorized):
        await queries.profile(actor)


async def test_renaming_shows(project: Settings) -> None:
    person = await someone("Before")
    await actions.rename(person.actor, "  Zoë 👩‍🚀  ")
    found = await queries.profile(person.actor)
    assert (found.name, found.initials) == ("Zoë 👩‍🚀", "Z👩")


@pytest.mark.parametrize("name", ["", " \n ", "x" * 81, "a\0b", "a\ud800b", None, 7, ["x"]])
async def test_names_that_cannot_be(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid):
        await actions.rename(cast.ada.actor, name)
    assert (await queries.profile(cast.ada.actor)).name == cast.ada.name


async def test_demo_people_are_offered_on_the_standin_alone(project: Settings) -> None:
    real = project.model_copy(update={"is_standin": False, "supabase_secret_key": SecretStr("x")})
    settings.use(real)
    try:
        assert not actions.demo_people()
        with pytest.raises(NotFound):
            await actions.continue_as("Ada")
    finally:
        settings.use(project)
    with pytest.raises(NotFound):
        await actions.continue_as("Mallory")


async def test_no_name_makes_signing_up_fail(psql: Sql) -> None:
    """The trigger takes what it gets: an account made elsewhere may have any name, or none."""
    rows = await psql.execute(
        "insert into auth.users (id, email, raw_user_meta_data) values"
        " (gen_random_uuid(), 'ann@example.com' , '{}'), (gen_random_uuid(), null, null),"
        " (gen_random_uuid(), null, jsonb_build_object('name', repeat('x', 500))),"
        " (gen_random_uuid(), null, '{\"name\": [1]}') returning id"
    )
    ids = [UUID(str(row["id"])) for row in await rows.fetchall()]
    names = await psql.execute("select name from profiles where id = any(%s) order by char_length(name)", [ids])
    assert [row["name"] for row in await names.fetchall()] == ["ann", "[1]", "Someone", "x" * 80]
    await psql.execute("delete from auth.users where id = any(%s)", [ids])
