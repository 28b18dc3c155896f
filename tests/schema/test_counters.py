"""seq and rev: dense, in order, for everybody who writes, psql included."""

from __future__ import annotations

import asyncio
import secrets
from uuid import UUID

import psycopg
import pytest

from chatapp.messages import actions as messages
from tests.cast import Cast, room, say
from tests.conftest import Sql

INSERT = "insert into chat_messages (room_id, user_id, client_id, content) values (%s, %s, %s, 'by hand')"


async def counters(psql: Sql, room_id: UUID) -> tuple[int, int]:
    row = await (await psql.execute("select last_seq, rev from chat_rooms where id = %s", [room_id])).fetchone()
    assert row
    return row["last_seq"], row["rev"]


async def test_eight_writers_that_repeat_themselves_leave_no_hole(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    ids = [secrets.token_hex(8) for _ in range(40)]

    async def write(number: int) -> None:
        who = (cast.ada, cast.grace)[number % 2]
        for client_id in ids if number < 4 else reversed(ids):
            await messages.post(who.actor, place, client_id, "hello")

    await asyncio.gather(*(write(number) for number in range(8)))
    rows = await (
        await psql.execute("select seq from chat_messages where room_id = %s order by seq", [place])
    ).fetchall()
    assert [row["seq"] for row in rows] == list(range(1, 2 * len(ids) + 1))
    assert (await counters(psql, place))[0] == 2 * len(ids)


async def test_revs_become_visible_in_order(cast: Cast, psql: Sql) -> None:
    """A reader that follows rev while eight write never finds a lower one later."""
    place = await room(cast.ada)
    seen: list[int] = []
    writing = asyncio.gather(*(say(cast.ada, place, *["x"] * 10) for _ in range(8)))
    while not writing.done():
        rows = await psql.execute("select rev from chat_messages where room_id = %s order by rev", [place])
        now = [row["rev"] for row in await rows.fetchall()]
        assert now[: len(seen)] == seen
        seen = now
        await asyncio.sleep(0)
    await writing


async def test_a_row_by_hand_is_numbered_and_announced(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    await psql.execute(INSERT, [place, cast.ada.id, "hand"])
    row = await (await psql.execute("select seq, rev from chat_messages where room_id = %s", [place])).fetchone()
    assert row == {"seq": 1, "rev": 2}
    hint = await psql.execute(
        "select payload, event, topic, private from realtime.messages"
        " where payload->>'room' = %s and payload->>'what' = 'message'",
        [str(place)],
    )
    found = await hint.fetchall()
    assert [(row["event"], row["topic"], row["private"]) for row in found] == [("hint", "changes", True)]
    assert {key: found[0]["payload"][key] for key in ("what", "room", "rev")} == {
        "what": "message",
        "room": str(place),
        "rev": 2,
    }


async def test_a_rolled_back_message_takes_no_number(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    async with psql.transaction(force_rollback=True):
        await psql.execute(INSERT, [place, cast.ada.id, "lost"])
    await psql.execute(INSERT, [place, cast.ada.id, "kept"])
    assert (await counters(psql, place))[0] == 1


async def test_one_statement_with_a_repetition_in_it(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    statement = (
        "insert into chat_messages (room_id, user_id, client_id, content)"
        " select %s, %s, mod(n, 3)::text, 'x' from generate_series(1, 9) n"
    )
    done = await psql.execute(statement, [place, cast.ada.id])
    assert done.rowcount == 3
    assert (await counters(psql, place))[0] == 3


async def test_into_a_room_that_is_not_there(cast: Cast, psql: Sql) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await psql.execute(INSERT, [UUID(int=0), cast.ada.id, "x"])


async def test_an_edit_bumps_rev_and_keeps_the_place(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    first, _ = await say(cast.ada, place, "teh", "second")
    edited = await psql.execute("update chat_messages set content = 'the' where id = %s returning *", [first.id])
    row = await edited.fetchone()
    assert row
    assert (row["seq"], row["rev"]) == (1, 4)
    assert row["edited_at"]
    assert await counters(psql, place) == (2, 4)


async def test_a_deleted_message_is_a_tombstone_for_good(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    [said] = await say(cast.ada, place, "regret")
    gone = await psql.execute("update chat_messages set deleted_at = '2000-01-01' where id = %s returning *", [said.id])
    row = await gone.fetchone()
    assert row
    assert (row["content"], row["rev"], row["edited_at"]) == ("", 3, None)
    assert row["deleted_at"].year > 2000
    for change in ("deleted_at = null", "content = 'back'"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            await psql.execute(f"update chat_messages set {change} where id = %s", [said.id])


@pytest.mark.parametrize(
    "change", ["seq = 7", "client_id = 'x'", "room_id = gen_random_uuid()", "created_at = now() - '1 day'::interval"]
)
async def test_nobody_moves_a_message(cast: Cast, psql: Sql, change: str) -> None:
    place = await room(cast.ada)
    [said] = await say(cast.ada, place, "here")
    with pytest.raises(psycopg.errors.RestrictViolation):
        await psql.execute(f"update chat_messages set {change} where id = %s", [said.id])


async def test_an_update_that_changes_nothing_is_no_news(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    [said] = await say(cast.ada, place, "same")
    await psql.execute("update chat_messages set content = content where id = %s", [said.id])
    assert await counters(psql, place) == (1, 2)


async def test_imports_may_bring_their_times(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    statement = INSERT.replace("content)", "content, created_at)").replace(
        "'by hand')", "'by hand', '2020-02-02T02:02:02Z')"
    )
    await psql.execute(statement, [place, cast.ada.id, "old"])
    row = await (await psql.execute("select last_message_at from chat_rooms where id = %s", [place])).fetchone()
    assert row
    assert row["last_message_at"].year == 2020
