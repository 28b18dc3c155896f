"""What a list with unread counts costs: a look into an index for each room, whatever was ever said in it."""

from __future__ import annotations

import json
from typing import Any

import psycopg

from chatapp.rooms import queries
from tests.cast import Cast, room, say, someone
from tests.conftest import Sql


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def plan_of(psql: Sql, statement: str) -> list[dict[str, Any]]:
    async with psql.transaction(force_rollback=True):
        await psql.execute("set local role service_role")
        row = await (await psql.execute(f"explain (analyze, format json) {statement}")).fetchone()
    assert row
    return nodes(row["QUERY PLAN"][0]["Plan"])


async def ways_into(psql: Sql, statement: str, table: str) -> set[str]:
    """The indexes that a table is read by once it is large: a few people's memberships are read as they are."""
    async with psql.transaction(force_rollback=True):
        await psql.execute("set local enable_seqscan = off")
        found = [node for node in await plan_of(psql, statement) if relation(node) == table]
        return {node.get("Index Name", "none") for node in found if node["Node Type"] != "Bitmap Heap Scan"}


def relation(node: dict[str, Any]) -> str:
    """The table that a node of a plan reads; a bitmap's index names none."""
    return str(node.get("Relation Name") or ("room_members" if "room_members" in node.get("Index Name", "") else ""))


async def test_a_list_of_many_rooms_counts_no_message(cast: Cast, psql: Sql) -> None:
    person = await someone("Everywhere")
    await psql.execute(
        "insert into chat_rooms (name, created_by) select 'Room ' || n, %s from generate_series(1, 200) n", [person.id]
    )
    await psql.execute("insert into chat_rooms (name) select 'Elsewhere ' || n from generate_series(1, 20000) n")
    await psql.execute("analyze chat_rooms, room_members")
    asked = queries._LISTS(people=[person.id])
    statement = psycopg.AsyncClientCursor(psql).mogrify(asked.text, asked.values)
    found = await plan_of(psql, statement)
    assert found[0]["Actual Rows"] == 200
    assert "chat_messages" not in json.dumps(found)
    scans = [(node["Node Type"], node.get("Relation Name")) for node in found if "Scan" in node["Node Type"]]
    assert ("Seq Scan", "chat_rooms") not in scans
    assert (await ways_into(psql, statement, "room_members")) == {"room_members_user_id_idx"}
    lookups = [node for node in found if node.get("Relation Name") == "chat_rooms"]
    assert [(node["Node Type"], node["Actual Loops"]) for node in lookups] == [("Index Scan", 200)]
    assert not [node for node in found if node["Node Type"] == "Aggregate"]


async def test_unread_is_what_was_said_after_the_marker(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.ada, place, "one", "two")
    await say(cast.grace, place, "three")
    await say(cast.ada, place, "four")
    for who, unread in ((cast.ada, 0), (cast.grace, 1)):
        found = await queries.room(who.actor, place)
        assert found.last_seq - found.read_seq == unread
