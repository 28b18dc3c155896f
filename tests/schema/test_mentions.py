"""Whom a text mentions is found by the database, whoever writes it, and kept for counting."""

from __future__ import annotations

from uuid import UUID

import pytest
import pytest_asyncio

from chatapp.messages import actions
from chatapp.rooms import actions as rooms
from chatapp.rooms import queries
from tests.cast import Someone, room, say, someone
from tests.conftest import Sql

NAMES = ("Ada", "Ada Lovelace", "Zoë", "李雷", "O'Neil *", "Twin", "Twin")


@pytest_asyncio.fixture(scope="module")
async def people() -> dict[int, Someone]:
    return {number: await someone(name) for number, name in enumerate(NAMES)}


@pytest_asyncio.fixture(scope="module")
async def place(people: dict[int, Someone]) -> UUID:
    return await room(*people.values())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Ada", [(0, "Ada")]),
        ("hello @Ada Lovelace!", [(1, "Ada Lovelace")]),
        ("@ada LOVELACE and @ADA", [(1, "ada LOVELACE"), (0, "ADA")]),
        ("(@Ada), @Ada: @Ada", [(0, "Ada")]),
        ("mail@Ada, @Adam, @Ada_, @Ada1, @Adaé", []),
        ("@@Ada @ Ada @", [(0, "Ada")]),
        ("@Zoë", [(2, "Zoë")]),
        ("@李雷你好", [(3, "李雷")]),
        ("@O'Neil * yes", [(4, "O'Neil *")]),
        ("@Twin", [(5, "Twin"), (6, "Twin")]),
        ("`@Ada` and ```\n@Ada\n``` then @Zoë", [(2, "Zoë")]),
        ("```\n@Ada", []),
        ("@Nobody", []),
        ("@ada lovelacex", [(0, "ada")]),
    ],
)
async def test_who_is_named(
    psql: Sql, people: dict[int, Someone], place: UUID, text: str, named: list[tuple[int, str]]
) -> None:
    found = await (await psql.execute("select private.mentions_in(%s, %s) as it", (text, place))).fetchone()
    assert found
    assert {(one["id"], one["name"]) for one in found["it"]} == {(str(people[who].id), name) for who, name in named}


async def test_only_members_are_named(psql: Sql, people: dict[int, Someone]) -> None:
    elsewhere = await room(people[2])
    found = await (await psql.execute("select private.mentions_in('@Ada', %s) as it", (elsewhere,))).fetchone()
    assert found
    assert found["it"] == []


async def test_many_are_fifty_at_the_most_and_a_wall_of_signs_is_no_work(psql: Sql, place: UUID) -> None:
    for text in ("@" * 10_000, "@Ada " * 2000, "@Twin" + "@" * 9000):
        assert await psql.execute("select private.mentions_in(%s, %s)", (text, place))


async def test_edits_and_deletions_move_what_is_counted(people: dict[int, Someone]) -> None:
    ada, zoe = people[0], people[2]
    place = await room(ada, zoe)
    (said,) = await say(ada, place, "@Zoë and @Ada")
    assert {name for _, name in said.mentions} == {"Zoë", "Ada"}
    assert (await queries.mentions_of(zoe.actor.user_id)).get(place) == (1,)
    assert (await queries.mentions_of(ada.actor.user_id)).get(place) is None, (
        "nobody is told of what they said themselves"
    )
    await actions.edit(ada.actor, UUID(said.id), "nobody")
    assert (await queries.mentions_of(zoe.actor.user_id)).get(place) is None
    await actions.edit(ada.actor, UUID(said.id), "@zoë again")
    assert (await queries.mentions_of(zoe.actor.user_id)).get(place) == (1,)
    await actions.delete(ada.actor, UUID(said.id))
    assert (await queries.mentions_of(zoe.actor.user_id)).get(place) is None


async def test_who_leaves_is_mentioned_no_longer_and_the_newest_twenty_are_kept(people: dict[int, Someone]) -> None:
    ada, zoe = people[0], people[2]
    place = await room(ada, zoe)
    await say(ada, place, *["@Zoë"] * 25)
    assert (await queries.mentions_of(zoe.actor.user_id))[place] == tuple(range(25, 5, -1))
    assert (await queries.mentions_of(zoe.id))[place] == tuple(range(25, 5, -1))
    await rooms.leave(zoe.actor, place)
    assert place not in await queries.mentions_of(zoe.actor.user_id)


async def test_a_row_written_by_hand_has_mentions_and_nobody_can_make_one_up(
    psql: Sql, people: dict[int, Someone]
) -> None:
    ada, zoe = people[0], people[2]
    place = await room(ada, zoe)
    await psql.execute(
        "insert into chat_messages (room_id, user_id, client_id, content, mentions) values (%s, %s, 'c', '@Zoë', %s)",
        (place, ada.id, f'[{{"id": "{ada.id}", "name": "Ada"}}]'),
    )
    row = await (await psql.execute("select mentions from chat_messages where room_id = %s", (place,))).fetchone()
    assert row
    assert row["mentions"] == [{"id": str(zoe.id), "name": "Zoë"}]
