"""Reading: pages by keyset for people, catch-up by rev for the hub."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from chatapp.accounts import actions as accounts
from chatapp.errors import NotFound
from chatapp.messages import queries
from chatapp.messages.snapshots import CatchUp, MessageSnapshot
from chatapp.rooms import actions as rooms
from chatapp.supabase import client
from tests.cast import Cast, Someone, room, say, someone
from tests.conftest import Sql


async def full_room(psql: Sql, owner: Someone, *members: Someone, messages: int = 120) -> UUID:
    place = await room(owner, *members)
    await psql.execute(
        "insert into chat_messages (room_id, user_id, client_id, content)"
        " select %s, %s, n::text, n::text from generate_series(1, %s) n",
        [place, owner.id, messages],
    )
    return place


def seqs(messages: tuple[MessageSnapshot, ...]) -> list[int]:
    return [message.seq for message in messages]


async def test_pages_go_back_to_the_beginning_without_gap_or_overlap(cast: Cast, psql: Sql) -> None:
    place = await full_room(psql, cast.ada, cast.grace)
    page = await queries.newest(cast.grace.actor, place)
    assert seqs(page) == list(range(71, 121))
    read = list(page)
    while page := await queries.before(cast.grace.actor, place, page[0].seq):
        read = [*page, *read]
    assert [message.seq for message in read] == list(range(1, 121))


async def test_limits_are_kept(cast: Cast, psql: Sql) -> None:
    place = await full_room(psql, cast.ada)
    assert seqs(await queries.newest(cast.ada.actor, place, 3)) == [118, 119, 120]
    assert seqs(await queries.before(cast.ada.actor, place, 10, 2)) == [8, 9]
    assert seqs(await queries.before(cast.ada.actor, place, 3, 10)) == [1, 2]
    assert len(await queries.newest(cast.ada.actor, place, -5)) == 1
    assert len(await queries.newest(cast.ada.actor, place, 10**9)) == 120


async def test_a_page_is_found_by_index_at_any_depth(cast: Cast, psql: Sql) -> None:
    """Rows read, not time: a page deep in the history of a large room costs what the newest does."""
    place = await full_room(psql, cast.ada, messages=2000)
    await psql.execute("analyze chat_messages")
    for seq in (2001, 1000, 60):
        plan = await psql.execute(
            "explain (analyze, format json) select * from chat_messages where room_id = %s and seq < %s"
            " order by seq desc limit 50",
            [place, seq],
        )
        row = await plan.fetchone()
        assert row
        scan = row["QUERY PLAN"][0]["Plan"]["Plans"][0]
        assert scan["Node Type"] == "Index Scan"
        assert scan["Actual Rows"] == 50


async def test_an_empty_room_is_empty_and_a_foreign_one_is_not_there(cast: Cast) -> None:
    place = await room(cast.ada)
    assert await queries.newest(cast.ada.actor, place) == ()
    await queries.require_membership(cast.ada.actor, place)
    for where in (place, uuid4()):
        for query in (queries.newest(cast.linus.actor, where), queries.before(cast.linus.actor, where, 5)):
            with pytest.raises(NotFound):
                await query
        with pytest.raises(NotFound):
            await queries.require_membership(cast.linus.actor, where)


async def test_who_has_left_still_signs_what_they_said(cast: Cast) -> None:
    place = await room(cast.ada, cast.linus)
    await say(cast.linus, place, "so long")
    await rooms.leave(cast.linus.actor, place)
    assert [message.author for message in await queries.newest(cast.ada.actor, place)] == ["Linus Torvalds"]


async def test_a_gone_account_leaves_its_words(cast: Cast) -> None:
    gone = await someone("Gone")
    place = await room(cast.ada, gone)
    await say(gone, place, "so long")
    await client.as_project().auth.admin.delete_user(str(gone.id))
    [message] = await queries.newest(cast.ada.actor, place)
    assert (message.author, message.user_id, message.content) == (queries.GONE_ACCOUNT, "", "so long")


async def test_a_tombstone_says_nothing(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    await say(cast.ada, place, "regret")
    await psql.execute("update chat_messages set deleted_at = now() where room_id = %s", [place])
    [message] = await queries.newest(cast.ada.actor, place)
    assert (message.content, message.deleted) == ("", True)


# The hub's reads ----------------------------------------------------------------------------------------------------


async def test_between(cast: Cast, psql: Sql) -> None:
    place = await full_room(psql, cast.ada)
    assert seqs(await queries.between(place, 5, 9)) == [5, 6, 7, 8, 9]
    assert seqs(await queries.between(place, 119, 500)) == [119, 120]
    assert await queries.between(place, 9, 5) == ()


async def test_load_is_a_room_as_it_is(cast: Cast, psql: Sql) -> None:
    place = await full_room(psql, cast.ada, cast.grace)
    loaded = await queries.load(place)
    assert (loaded.rev, loaded.last_seq, loaded.more, loaded.gone) == (122, 120, False, False)
    assert seqs(loaded.messages) == list(range(21, 121))
    assert {member.name for member in loaded.members or ()} == {"Ada Lovelace", "Grace Hopper"}
    assert loaded.room
    assert (loaded.room.role, loaded.room.read_seq, loaded.room.members) == ("", 0, 2)
    assert await queries.catch_up(place, loaded.rev) == CatchUp(place, 122, 120, loaded.room)


async def test_catch_up_is_what_is_above_the_cursor(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    one, _, three = await say(cast.ada, place, "one", "two", "three")
    await psql.execute("update chat_messages set content = 'ONE' where id = %s", [one.id])
    found = await queries.catch_up(place, three.rev - 1)
    assert [(message.seq, message.content, message.rev) for message in found.messages] == [
        (1, "ONE", 5),
        (3, "three", 4),
    ]
    assert (found.rev, found.last_seq, found.members, found.more) == (5, 3, None, False)


async def test_catch_up_in_steps_reaches_the_end(cast: Cast, psql: Sql) -> None:
    place = await full_room(psql, cast.ada, messages=25)
    cursor, seen, steps = 0, set[int](), 0
    while True:
        found = await queries.catch_up(place, cursor, limit=10)
        cursor, steps = found.rev, steps + 1
        seen |= set(seqs(found.messages))
        if not found.more:
            break
    assert (cursor, steps) == (26, 3)
    assert seen == set(range(1, 26))


@pytest.mark.parametrize("change", ["join", "leave", "role", "rename"])
async def test_members_come_along_when_they_have_changed(cast: Cast, change: str) -> None:
    person = await someone("Before")
    place = await room(cast.ada, person)
    cursor = (await queries.load(place)).rev
    await {
        "join": lambda: rooms.join(cast.grace.actor, place),
        "leave": lambda: rooms.leave(person.actor, place),
        "role": lambda: rooms.change_role(cast.ada.actor, place, person.id, "admin"),
        "rename": lambda: accounts.rename(person.actor, "After"),
    }[change]()
    found = await queries.catch_up(place, cursor)
    assert found.rev > cursor
    assert found.members == (await queries.load(place)).members
    assert (await queries.catch_up(place, found.rev)).members is None


async def test_the_room_of_a_catch_up_changes_only_with_the_room(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    before = await queries.load(place)
    await say(cast.ada, place, "hello")
    after = await queries.catch_up(place, before.rev)
    assert after.room == before.room
    await psql.execute("update chat_rooms set name = 'Other' where id = %s", [place])
    changed = await queries.catch_up(place, after.rev)
    assert changed.rev == after.rev + 1
    assert changed.room
    assert changed.room.name == "Other"


async def test_a_room_that_is_gone(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    await psql.execute("delete from chat_rooms where id = %s", [place])
    for found in (await queries.load(place), await queries.catch_up(place, 0)):
        assert (found.gone, found.room, found.messages) == (True, None, ())


async def test_revs_members_and_rooms(cast: Cast) -> None:
    one, two, gone = await room(cast.ada), await room(cast.ada, cast.grace), uuid4()
    assert await queries.revs([one, two, gone]) == {one: 1, two: 2}
    assert await queries.revs([]) == {}
    assert await queries.members_of(two) == {cast.ada.id, cast.grace.id}
    assert await queries.members_of(gone) == frozenset()
    assert {one, two} <= await queries.my_room_ids(cast.ada.actor)
    assert one not in await queries.my_room_ids(cast.grace.actor)


async def test_following_by_rev_while_many_write_loses_nothing(cast: Cast) -> None:
    """Apply equals refetch: a reader that only ever reads above its cursor has it all in the end."""
    place = await room(cast.ada, cast.grace)
    applied: dict[int, MessageSnapshot] = {}
    cursor = (await queries.load(place)).rev
    writing = asyncio.gather(*(say(who, place, *["x"] * 12) for who in (cast.ada, cast.grace) * 4))
    while not writing.done() or (await queries.revs([place]))[place] > cursor:
        found = await queries.catch_up(place, cursor, limit=7)
        applied |= {message.seq: message for message in found.messages}
        cursor = found.rev
    await writing
    assert tuple(applied[seq] for seq in sorted(applied)) == await queries.newest(cast.ada.actor, place, 200)
    assert len(applied) == 96
