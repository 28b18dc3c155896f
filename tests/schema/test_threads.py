"""Replies and quotes in the database: numbered, kept on what they answer, in the same room, and without deadlocks."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.cast import Cast, Someone, room, say
from tests.conftest import Sql

REPLY = "insert into chat_messages (room_id, user_id, client_id, content, parent_id) values (%s, %s, %s, %s, %s)"
QUOTE = "insert into chat_messages (room_id, user_id, client_id, content, quote_id) values (%s, %s, %s, %s, %s)"
DELETE = "update chat_messages set deleted_at = now() where id = %s"
HINTS = "select payload from realtime.messages where payload ->> 'thread' = %s order by inserted_at"


async def said(who: Someone, *others: Someone) -> tuple[UUID, str]:
    """A room with a message in it."""
    place = await room(who, *others)
    return place, (await say(who, place, "hello"))[0].id


async def answer(psql: Sql, how: str, place: UUID, who: Someone, to: object) -> str:
    """Answer a message by hand; answers the id of what was said."""
    row = await (await psql.execute(how + " returning id", [place, who.id, uuid4().hex, "yes", to])).fetchone()
    assert row
    return str(row["id"])


async def message(psql: Sql, message_id: object) -> dict[str, Any]:
    row = await (await psql.execute("select * from chat_messages where id = %s", [message_id])).fetchone()
    assert row
    return row


async def counters(psql: Sql, place: UUID) -> tuple[int, int]:
    row = await (await psql.execute("select last_seq, rev from chat_rooms where id = %s", [place])).fetchone()
    assert row
    return int(row["last_seq"]), int(row["rev"])


async def followers(psql: Sql, parent: str) -> dict[UUID, int]:
    rows = await psql.execute("select user_id, read_seq from thread_followers where parent_id = %s", [parent])
    return {row["user_id"]: row["read_seq"] for row in await rows.fetchall()}


async def test_a_reply_has_a_place_in_its_room_and_a_number_in_its_thread(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada, cast.grace)
    replies = [await answer(psql, REPLY, place, cast.grace, hello) for _ in range(3)]
    rows = [await message(psql, reply) for reply in replies]
    assert [(row["seq"], row["reply_seq"]) for row in rows] == [(2, 1), (3, 2), (4, 3)]
    parent = await message(psql, hello)
    assert (parent["reply_count"], parent["last_reply_at"]) == (3, rows[-1]["created_at"])
    assert await counters(psql, place) == (4, rows[-1]["rev"])
    assert parent["rev"] == rows[-1]["rev"] - 1, "what shows of the thread has changed with it"
    assert parent["edited_at"] is None


async def test_a_reply_that_is_sent_again_counts_once(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada, cast.grace)
    values = [place, cast.grace.id, "the same", "yes", hello]
    await psql.execute(REPLY, values)
    before = await counters(psql, place)
    assert (await psql.execute(REPLY, values)).rowcount == 0
    assert (await message(psql, hello))["reply_count"] == 1
    assert await counters(psql, place) == before


async def test_many_at_once_are_numbered_without_holes(cast: Cast, psql: Sql, project: Any) -> None:
    place, hello = await said(cast.ada, cast.grace)

    async def one() -> None:
        async with await psycopg.AsyncConnection.connect(project.owner_url, autocommit=True) as own:
            await own.execute(REPLY, [place, cast.grace.id, uuid4().hex, "yes", hello])

    await asyncio.gather(*(one() for _ in range(12)))
    rows = await psql.execute("select reply_seq from chat_messages where parent_id = %s", [hello])
    assert sorted(row["reply_seq"] for row in await rows.fetchall()) == list(range(1, 13))


@pytest.mark.parametrize("how", [REPLY, QUOTE])
async def test_what_is_not_there_to_be_answered_is_refused(cast: Cast, psql: Sql, how: str) -> None:
    place, hello = await said(cast.ada, cast.grace)
    _, elsewhere = await said(cast.ada)
    reply = await answer(psql, REPLY, place, cast.grace, hello)
    for wrong in (elsewhere, reply, uuid4()):
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await answer(psql, how, place, cast.ada, wrong)


async def test_an_answer_stays_what_it_was(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada)
    reply = await answer(psql, REPLY, place, cast.ada, hello)
    for change in ("parent_id = null", "reply_seq = 7", "quote_id = parent_id"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            await psql.execute(f"update chat_messages set {change} where id = %s", [reply])
    with pytest.raises(psycopg.errors.CheckViolation):
        await psql.execute(REPLY.replace("parent_id)", "parent_id, quote_id)").replace("%s)", "%s, %s)"),
                           [place, cast.ada.id, "both", "x", hello, hello])  # fmt: skip


async def test_a_thread_takes_a_thousand_replies(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada)
    await psql.execute("update chat_messages set reply_count = 999 where id = %s", [hello])
    await answer(psql, REPLY, place, cast.ada, hello)
    with pytest.raises(psycopg.errors.CheckViolation):
        await answer(psql, REPLY, place, cast.ada, hello)


async def test_a_quote_says_what_its_message_says_now(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada, cast.grace)
    quote = await answer(psql, QUOTE, place, cast.grace, hello)
    shown = {"seq": 1, "user": str(cast.ada.id), "said": "hello", "deleted": False}
    assert (await message(psql, quote))["quote"] == shown
    await psql.execute("update chat_messages set content = %s where id = %s", ["x" * 300, hello])
    row = await message(psql, quote)
    assert row["quote"] == {**shown, "said": "x" * 200}
    assert (row["edited_at"], row["rev"]) == (None, (await counters(psql, place))[1])
    await psql.execute(DELETE, [hello])
    assert (await message(psql, quote))["quote"] == {**shown, "said": "", "deleted": True}
    with pytest.raises(psycopg.errors.CheckViolation):
        await answer(psql, QUOTE, place, cast.grace, hello)
    await psql.execute(DELETE, [quote])
    assert (await message(psql, quote))["quote"] is None


async def test_a_message_is_quoted_a_hundred_times_at_the_most(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada)
    await psql.execute(
        "insert into chat_messages (room_id, user_id, client_id, content, quote_id)"
        " select %s, %s, n::text, 'x', %s from generate_series(1, 100) n",
        [place, cast.ada.id, hello],
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        await answer(psql, QUOTE, place, cast.ada, hello)


async def test_who_is_answered_and_who_answers_follow_the_thread(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada, cast.grace, cast.linus)
    await answer(psql, REPLY, place, cast.grace, hello)
    await answer(psql, REPLY, place, cast.grace, hello)
    assert await followers(psql, hello) == {cast.ada.id: 0, cast.grace.id: 2}
    await answer(psql, REPLY, place, cast.ada, hello)
    assert await followers(psql, hello) == {cast.ada.id: 3, cast.grace.id: 2}
    found = await (await psql.execute(HINTS, [hello])).fetchall()
    readers = [row["payload"]["readers"] for row in found]
    assert {"what": "thread", "room": str(place), "thread": hello}.items() <= found[-1]["payload"].items()
    assert {str(cast.grace.id): [0, 2]} in readers
    assert {str(cast.ada.id): [0, 3]} in readers


async def test_a_marker_moves_forward_and_not_beyond_the_end_and_only_ones_own(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada, cast.grace, cast.linus)
    await answer(psql, REPLY, place, cast.grace, hello)
    await answer(psql, REPLY, place, cast.grace, hello)

    async def read(who: Someone, upto: int) -> None:
        async with psql.transaction():
            await psql.execute("select set_config('request.jwt.claims', %s, true)", [f'{{"sub": "{who.id}"}}'])
            await psql.execute("select private.read_thread(%s, %s)", [hello, upto])

    await read(cast.linus, 2)
    await read(cast.ada, 1)
    assert await followers(psql, hello) == {cast.ada.id: 1, cast.grace.id: 2}
    await read(cast.ada, 900)
    await read(cast.ada, 1)
    assert await followers(psql, hello) == {cast.ada.id: 2, cast.grace.id: 2}


async def while_another_changes(what: str, psql: Sql, project: Any, statement: str, values: list[object]) -> None:
    """Run a statement that must wait for a message: another holds that already, and then changes what it says."""
    async with await psycopg.AsyncConnection.connect(project.owner_url) as other:
        await other.execute("select from chat_messages where id = %s for no key update", [what])
        async with await psycopg.AsyncConnection.connect(project.owner_url, autocommit=True) as own:
            waiting = asyncio.create_task(own.execute(statement, values))
            locks = "select from pg_locks where pid = %s and not granted"
            while not (await psql.execute(locks, [own.info.backend_pid])).rowcount:
                assert not waiting.done()
            await other.execute("set lock_timeout = '3s'")
            await other.execute("update chat_messages set content = 'so' where id = %s", [what])
            await other.commit()
            await waiting


@pytest.mark.parametrize("how", [REPLY, QUOTE])
async def test_answering_while_somebody_changes_what_is_answered_ends_well(
    cast: Cast, psql: Sql, project: Any, how: str
) -> None:
    """The other holds the message and wants the room: who answers must want them in the same order."""
    place, hello = await said(cast.ada, cast.grace)
    values = [place, cast.grace.id, uuid4().hex, "yes", hello]
    await while_another_changes(hello, psql, project, how, values)
    assert (await counters(psql, place))[0] == 2


async def test_editing_what_is_quoted_while_somebody_changes_the_quote_ends_well(
    cast: Cast, psql: Sql, project: Any
) -> None:
    place, hello = await said(cast.ada, cast.grace)
    quote = await answer(psql, QUOTE, place, cast.grace, hello)
    edit = "update chat_messages set content = 'hello!' where id = %s"
    await while_another_changes(quote, psql, project, edit, [hello])
    assert (await message(psql, quote))["quote"]["said"] == "hello!"


async def test_a_deleted_room_takes_its_threads_and_quotes_along(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada)
    await answer(psql, REPLY, place, cast.ada, hello)
    await answer(psql, QUOTE, place, cast.ada, hello)
    await psql.execute("delete from chat_rooms where id = %s", [place])
    assert await followers(psql, hello) == {}
