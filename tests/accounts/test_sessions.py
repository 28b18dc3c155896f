"""Who a cookie belongs to, as this process remembers it."""

from __future__ import annotations

import asyncio
import secrets

from chatapp.accounts import actions, sessions
from chatapp.actor import Actor
from tests.cast import Cast, Someone
from tests.conftest import Sql

WAITING = "select pid from pg_locks where relation = 'public.sessions'::regclass and not granted"


async def signed_in(who: Someone) -> tuple[str, Actor]:
    value = await actions.redeem(await actions.sign_in(who.email, who.password))
    actor = await sessions.resolve(value)
    assert actor
    return value, actor


async def test_an_answer_is_remembered(cast: Cast, psql: Sql) -> None:
    value, actor = await signed_in(cast.ada)
    await psql.execute("delete from sessions where id_hash = %s", [bytes.fromhex(actor.session_id)])
    assert await sessions.resolve(value) == actor
    sessions.forget(actor.session_id)
    assert await sessions.resolve(value) is None


async def test_a_session_that_ends_while_the_database_answers_has_ended(cast: Cast, psql: Sql) -> None:
    value = await actions.redeem(await actions.sign_in(cast.ada.email, cast.ada.password))
    async with psql.transaction():
        await psql.execute("lock table sessions in access exclusive mode")
        answer = asyncio.create_task(sessions.resolve(value))
        while not await (await psql.execute(WAITING)).fetchone():
            pass
        sessions.forget(sessions.hashed(value).hex())
    assert await answer is None
    assert await sessions.resolve(value) is None  # nor is what came too late remembered


async def test_ended_knows_what_was_forgotten(cast: Cast) -> None:
    _, actor = await signed_in(cast.ada)
    assert not sessions.ended(actor.session_id)
    await actions.sign_out(actor)
    assert sessions.ended(actor.session_id)


async def test_no_more_is_kept_than_the_limit() -> None:
    first = secrets.token_hex(32)
    sessions.forget(first)
    for _ in range(sessions.LIMIT):
        sessions.forget(secrets.token_hex(32))
    assert len(sessions._ended) == sessions.LIMIT
    assert not sessions.ended(first)


async def test_open_ids_are_those_that_the_database_has(cast: Cast, psql: Sql) -> None:
    (_, here), (_, deleted), (_, expired) = [await signed_in(cast.ada) for _ in range(3)]
    await psql.execute("delete from sessions where id_hash = %s", [bytes.fromhex(deleted.session_id)])
    await psql.execute("update sessions set expires_at = now() where id_hash = %s", [bytes.fromhex(expired.session_id)])
    asked = {here.session_id, deleted.session_id, expired.session_id, secrets.token_hex(32)}
    assert await sessions.open_ids(asked) == {here.session_id}
    assert await sessions.open_ids(set()) == set()
    many = {secrets.token_hex(32) for _ in range(70_000)}  # more than a statement may have parameters
    assert await sessions.open_ids(many | asked) == {here.session_id}
