"""What the live path costs the database, in round trips: a figure that no busy machine changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import scalar_row
from sqlalchemy import event
from sqlalchemy.pool import Pool

from chatapp.accounts import queries as people
from chatapp.accounts.sessions import hashed
from chatapp.actor import Actor
from chatapp.db import Question
from chatapp.messages import queries as messages
from chatapp.rooms import actions, queries
from tests.cast import Cast, room, say
from tests.conftest import Sql

TABS = 40


class Trips:
    """Round trips of this process, and connections taken from the pool."""

    def __init__(self) -> None:
        self.made = self.taken = 0

    def reset(self) -> None:
        self.made = self.taken = 0


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trips]:
    counted, wait = Trips(), psycopg.AsyncConnection.wait

    async def counting(connection: Any, work: Any, *rest: Any, **more: Any) -> Any:
        status = connection.pgconn.transaction_status
        ends_nothing = work.__name__ in ("_commit_gen", "_rollback_gen") and status == psycopg.pq.TransactionStatus.IDLE
        counted.made += not ends_nothing
        return await wait(connection, work, *rest, **more)

    def taken(*_: Any) -> None:
        counted.taken += 1

    monkeypatch.setattr(psycopg.AsyncConnection, "wait", counting)
    event.listen(Pool, "checkout", taken)
    yield counted
    event.remove(Pool, "checkout", taken)


async def warm(cast: Cast) -> None:
    """A connection is made and greeted once; that is not what is counted."""
    await people.profile(cast.ada.actor)


async def test_a_message_costs_one_round_trip_to_be_delivered(cast: Cast, trips: Trips) -> None:
    place = await room(cast.ada, cast.grace)
    before = await messages.catch_up(place, 0)
    await say(cast.ada, place, "hello")
    trips.reset()
    found = await messages.catch_up(place, before.rev)
    assert [message.content for message in found.messages] == ["hello"]
    assert (trips.made, trips.taken) == (1, 1)


async def test_members_are_read_only_where_they_have_changed(cast: Cast, trips: Trips) -> None:
    place = await room(cast.ada)
    before = await messages.catch_up(place, 0)
    await actions.join(cast.grace.actor, place)
    assert (await messages.catch_up(place, before.rev)).member_ids == {str(cast.ada.id), str(cast.grace.id)}
    trips.reset()
    assert (await messages.catch_up(place, before.rev + 1)).members is None
    assert trips.made == 1


async def test_a_transaction_begins_and_takes_on_its_actor_in_one_round_trip(cast: Cast, trips: Trips) -> None:
    place = await room(cast.ada)
    trips.reset()
    await queries.room(cast.ada.actor, place)
    assert (trips.made, trips.taken) == (3, 1)  # beginning, asking, committing


@pytest.mark.parametrize("tabs", [1, TABS])
async def test_a_herd_of_tabs_costs_what_one_does(cast: Cast, trips: Trips, tabs: int) -> None:
    """Session, profile, list and membership: each once for all who come back at the same time."""
    place = await room(cast.ada, cast.grace)
    await warm(cast)
    trips.reset()

    async def come_back(who: Actor) -> None:
        await asyncio.gather(people.actor_of(hashed("no such")), people.profile(who), queries.my_rooms(who))
        await messages.require_membership(who, place)

    await asyncio.gather(*(come_back((cast.ada, cast.grace)[number % 2].actor) for number in range(tabs)))
    assert trips.made <= 4 if tabs == 1 else trips.made <= 6


async def test_names_are_looked_up_one_by_one_however_many_people_there_are(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.grace, place, "hello")
    async with psql.transaction(force_rollback=True):
        await psql.execute(
            "insert into auth.users (id, email)"
            " select gen_random_uuid(), n || '@crowd.example' from generate_series(1, 300) n"
        )
        await psql.execute("analyze profiles")
        claims = json.dumps({"sub": str(cast.ada.id)})
        await psql.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        await psql.execute("set local role authenticated")
        asked = Question(messages._BELOW)(room_id=place, seq=9, limit=9)
        cursor = psycopg.AsyncClientCursor(psql, row_factory=scalar_row)
        await cursor.execute(f"explain (analyze, timing off, format json) {asked.text}", asked.values)
        [[explained]] = await cursor.fetchall()
    asked_of = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in nodes(explained["Plan"])
        if node.get("Relation Name") == "profiles" and node["Actual Loops"]
    ]
    assert asked_of == [1, 0]  # of who wrote it, and of whom it quotes


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)
