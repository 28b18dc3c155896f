"""Reactions and pins in the database: what shows of them is on the message, and its rev moves with it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.cast import Cast, Someone, room, say, someone
from tests.conftest import Sql

REACT = "insert into message_reactions (message_id, user_id, emoji) values (%s, %s, %s)"
TAKE_BACK = "delete from message_reactions where message_id = %s and user_id = %s and emoji = %s"
PIN = "update chat_messages set pinned_at = now() where id = %s"
HANDS = [
    "👍",
    "👎",
    "👌",
    "🤌",
    "🤏",
    "👈",
    "👉",
    "👆",
    "👇",
    "🫵",
    "👋",
    "🤚",
    "🖐",
    "✋",
    "🖖",
    "🫱",
    "🫲",
    "🫳",
    "🫴",
    "🫷",
]


async def said(who: Someone, *others: Someone) -> tuple[UUID, str]:
    """A room with a message in it."""
    place = await room(who, *others)
    return place, (await say(who, place, "hello"))[0].id


async def message(psql: Sql, message_id: str) -> dict[str, Any]:
    row = await (await psql.execute("select * from chat_messages where id = %s", [message_id])).fetchone()
    assert row
    return row


async def room_rev(psql: Sql, place: UUID) -> int:
    row = await (await psql.execute("select rev from chat_rooms where id = %s", [place])).fetchone()
    assert row
    return int(row["rev"])


async def shown(psql: Sql, message_id: str) -> list[tuple[str, int, list[str]]]:
    return [(one["emoji"], one["count"], one["users"]) for one in (await message(psql, message_id))["reactions"]]


async def test_a_row_by_hand_shows_at_its_message_and_moves_its_rev(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada, cast.grace)
    before = await room_rev(psql, place)
    await psql.execute(REACT, [hello, cast.grace.id, "🎉"])
    await psql.execute(REACT, [hello, cast.grace.id, "👍"])
    await psql.execute(REACT, [hello, cast.ada.id, "👍"])
    ada, grace = str(cast.ada.id), str(cast.grace.id)
    assert await shown(psql, hello) == [("🎉", 1, [grace]), ("👍", 2, [grace, ada])]
    assert await room_rev(psql, place) == (await message(psql, hello))["rev"] == before + 3
    await psql.execute(TAKE_BACK, [hello, cast.grace.id, "🎉"])
    assert await shown(psql, hello) == [("👍", 2, [grace, ada])]
    assert await room_rev(psql, place) == (await message(psql, hello))["rev"] == before + 4


async def test_reacting_twice_is_reacting_once_and_no_news(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada)
    await psql.execute(REACT, [hello, cast.ada.id, "👍"])
    before = await room_rev(psql, place)
    await psql.execute(REACT, [hello, cast.ada.id, "👍"])
    await psql.execute(TAKE_BACK, [hello, cast.ada.id, "👎"])
    assert await room_rev(psql, place) == before


async def test_many_at_once_lose_nothing(cast: Cast, psql: Sql, project: Any) -> None:
    place, hello = await said(cast.ada, cast.grace, cast.linus)
    before = await room_rev(psql, place)

    async def one(who: Someone, emoji: str) -> None:
        async with await psycopg.AsyncConnection.connect(project.owner_url, autocommit=True) as own:
            await own.execute(REACT, [hello, who.id, emoji])

    people = (cast.ada, cast.grace, cast.linus)
    await asyncio.gather(*(one(who, emoji) for who in people for emoji in HANDS[:4]))
    assert {(emoji, count) for emoji, count, _ in await shown(psql, hello)} == {(emoji, 3) for emoji in HANDS[:4]}
    assert await room_rev(psql, place) == before + 12


async def test_two_at_the_same_moment_wait_for_each_other(cast: Cast, psql: Sql, project: Any) -> None:
    _, hello = await said(cast.ada)
    reaction = [hello, cast.ada.id, "👍"]
    async with await psycopg.AsyncConnection.connect(project.owner_url) as first:
        await first.execute(REACT, reaction)
        async with await psycopg.AsyncConnection.connect(project.owner_url, autocommit=True) as second:
            pid = second.info.backend_pid
            waiting = asyncio.create_task(second.execute(REACT, reaction))
            while not (await psql.execute("select from pg_locks where pid = %s and not granted", [pid])).rowcount:
                assert not waiting.done()
            await first.commit()
            await waiting  # and makes no second row, without an error
    assert await shown(psql, hello) == [("👍", 1, [str(cast.ada.id)])]


async def test_a_message_takes_twenty_different_ones(cast: Cast, psql: Sql) -> None:
    _, hello = await said(cast.ada, cast.grace)
    for emoji in HANDS:
        await psql.execute(REACT, [hello, cast.ada.id, emoji])
    with pytest.raises(psycopg.errors.CheckViolation):
        await psql.execute(REACT, [hello, cast.grace.id, "🎉"])
    await psql.execute(REACT, [hello, cast.grace.id, HANDS[3]])
    assert len(await shown(psql, hello)) == 20


async def test_of_many_people_the_first_forty_are_shown(cast: Cast, psql: Sql) -> None:
    _, hello = await said(cast.ada)
    people = [await someone("Many") for _ in range(42)]
    for each in people:
        await psql.execute(REACT, [hello, each.id, "👍"])
    ((_, count, users),) = await shown(psql, hello)
    assert (count, users) == (42, [str(each.id) for each in people[:40]])


@pytest.mark.parametrize("text", ["", "a", "ok👍", "1", "👍 ", "👍\n", "\u202e👍", "👍" * 33, "\u200b"])
async def test_words_and_what_is_invisible_are_no_reactions(cast: Cast, psql: Sql, text: str) -> None:
    _, hello = await said(cast.ada)
    with pytest.raises(psycopg.errors.CheckViolation):
        await psql.execute(REACT, [hello, cast.ada.id, text])


async def test_a_tombstone_has_neither_reactions_nor_a_pin_and_gets_none(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada, cast.grace)
    await psql.execute(REACT, [hello, cast.grace.id, "👍"])
    await psql.execute(PIN, [hello])
    before = await room_rev(psql, place)
    await psql.execute("update chat_messages set deleted_at = now() where id = %s", [hello])
    row = await message(psql, hello)
    assert (row["reactions"], row["pinned_at"], row["content"], row["rev"]) == ([], None, "", before + 1)
    assert (await psql.execute("select 1 from message_reactions where message_id = %s", [hello])).rowcount == 0
    with pytest.raises(psycopg.errors.RestrictViolation):
        await psql.execute(REACT, [hello, cast.grace.id, "👍"])
    await psql.execute(PIN, [hello])
    assert (await message(psql, hello))["pinned_at"] is None
    assert await room_rev(psql, place) == before + 1


async def test_deleting_while_somebody_takes_back_ends_well(cast: Cast, psql: Sql, project: Any) -> None:
    """The one holds the reaction and wants the message, the other holds the message and passes the reaction over."""
    _, hello = await said(cast.ada, cast.grace)
    await psql.execute(REACT, [hello, cast.grace.id, "👍"])
    async with await psycopg.AsyncConnection.connect(project.owner_url) as other:
        await other.execute("select from message_reactions where message_id = %s for update", [hello])
        await psql.execute("set lock_timeout = '3s'")
        await psql.execute("update chat_messages set deleted_at = now() where id = %s", [hello])
        await other.execute(TAKE_BACK, [hello, cast.grace.id, "👍"])
        await other.commit()
    assert (await message(psql, hello))["reactions"] == []


async def test_an_account_that_goes_takes_its_reactions_along(cast: Cast, psql: Sql) -> None:
    passing = await someone("Passing Through")
    places = [await said(cast.ada, passing) for _ in range(3)]
    for _, hello in places:
        await psql.execute(REACT, [hello, passing.id, "👍"])
        await psql.execute(
            "update chat_messages set pinned_at = now(), pinned_by = %s where id = %s", [passing.id, hello]
        )
    revs = [await room_rev(psql, place) for place, _ in places]
    await psql.execute("delete from auth.users where id = %s", [passing.id])
    for (place, hello), rev in zip(places, revs, strict=True):
        row = await message(psql, hello)
        assert (row["reactions"], row["pinned_by"], row["pinned_at"] is None) == ([], None, False)
        assert rev < row["rev"] <= await room_rev(psql, place)


async def test_pinning_moves_the_rev_once(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada)
    before = await room_rev(psql, place)
    await psql.execute(PIN, [hello])
    first = (await message(psql, hello))["pinned_at"]
    await psql.execute(PIN, [hello])
    assert (await message(psql, hello))["pinned_at"] == first
    assert await room_rev(psql, place) == (await message(psql, hello))["rev"] == before + 1
    assert (await message(psql, hello))["edited_at"] is None


async def test_a_room_has_fifty_pins_at_the_most(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    for hello in await say(cast.ada, place, *map(str, range(50))):
        await psql.execute(PIN, [hello.id])
    (last,) = await say(cast.ada, place, "one more")
    with pytest.raises(psycopg.errors.CheckViolation):
        await psql.execute(PIN, [last.id])


async def test_a_deleted_room_takes_everything_along(cast: Cast, psql: Sql) -> None:
    place, hello = await said(cast.ada)
    await psql.execute(REACT, [hello, cast.ada.id, "👍"])
    await psql.execute("delete from chat_rooms where id = %s", [place])
    assert (await psql.execute("select 1 from message_reactions where message_id = %s", [hello])).rowcount == 0
