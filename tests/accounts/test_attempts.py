"""What may be tried only so often, however many try at once, and whoever else was there before."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from chatapp.accounts import actions, attempts, queries
from chatapp.accounts.sessions import hashed
from chatapp.errors import ChatError, Invalid
from chatapp.settings import Settings
from chatapp.supabase import auth
from tests.cast import someone
from tests.conftest import Sql

LATER = "update private.attempts set times = array(select one - interval '61 minutes' from unnest(times) one)"


def address() -> str:
    return f"{secrets.token_hex(8)}@example.com"


async def refusal(deed) -> str:
    with pytest.raises(ChatError) as refused:
        await deed
    return refused.value.message


async def test_ten_guesses_at_an_account_reach_supabase_and_no_more(
    project: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, asked, really = await someone("Ada"), [], auth.sign_in

    async def counted(email: str, password: str) -> auth.Tokens:
        asked.append(password)
        return await really(email, password)

    monkeypatch.setattr(auth, "sign_in", counted)  # it is asked as ever, and counted
    guesses = [refusal(actions.sign_in(ada.email.upper() if n % 2 else ada.email, f"guess {n}")) for n in range(20)]
    told = await asyncio.gather(*guesses)
    assert len(asked) == attempts.GUESSES
    assert told.count(attempts.TOO_MANY_GUESSES) == 20 - attempts.GUESSES
    assert await refusal(actions.sign_in(ada.email, ada.password)) == attempts.TOO_MANY_GUESSES


async def test_another_account_is_another_count_and_an_hour_later_too(project: Settings, psql: Sql) -> None:
    ada, grace = await someone("Ada"), await someone("Grace")
    for n in range(attempts.GUESSES):
        async with asyncio.timeout(30):
            with pytest.raises(ZeroDivisionError):
                async with attempts.guess(ada.email):
                    raise ZeroDivisionError(n)
    with pytest.raises(Invalid):
        async with attempts.guess(ada.email):
            raise AssertionError
    assert await actions.sign_in(grace.email, grace.password)
    await psql.execute(LATER)
    assert await actions.sign_in(ada.email, ada.password)


async def test_the_right_password_begins_the_count_anew(project: Settings) -> None:
    ada = await someone("Ada")
    for _ in range(3):
        for _ in range(6):
            with pytest.raises(ZeroDivisionError):
                async with attempts.guess(ada.email):
                    raise ZeroDivisionError
        assert await actions.sign_in(ada.email, ada.password)


async def test_guesses_at_the_present_password_are_counted_too(project: Settings) -> None:
    ada = await someone("Ada")
    actor = await queries.actor_of(hashed(await actions.redeem(await actions.sign_in(ada.email, ada.password))))
    assert actor
    for _ in range(attempts.GUESSES):
        with pytest.raises(ZeroDivisionError):
            async with attempts.guess(str(ada.id)):
                raise ZeroDivisionError
    told = await refusal(actions.change_password(actor, ada.password, "a better battery staple"))
    assert told == attempts.TOO_MANY_GUESSES


async def test_what_is_over_is_forgotten(project: Settings, psql: Sql) -> None:
    old, new = address(), address()
    await attempts.mail(old)
    await psql.execute("update private.attempts set ends_at = now() - interval '1 second'")
    await attempts.mail(new)
    left = await (await psql.execute("select key from private.attempts")).fetchall()
    assert attempts._key("mail", old) not in [row["key"] for row in left]
    assert attempts._key("mail", new) in [row["key"] for row in left]


async def test_the_table_tells_nobody_whose_address_was_tried(project: Settings, psql: Sql) -> None:
    tried = address()
    await attempts.mail(tried)
    rows = await (await psql.execute("select encode(key, 'escape') as key from private.attempts")).fetchall()
    assert not any(tried in row["key"] for row in rows)
