"""How Postgres goes about a search, for somebody in 3 rooms and in 200: by the plan it makes, not by the clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio

from chatapp.settings import Settings
from tests import cast as people
from tests.cast import Cast, Someone

ROOMS, EACH = 200, 300
COMMON, MEDIUM, RARE, ABSENT = "common", "medium", "rare", "absent"
"""In every second message, in one of 500, in five, in none."""


class Crowd(NamedTuple):
    few: Someone
    many: Someone
    connection: psycopg.AsyncConnection[Any]


@pytest_asyncio.fixture(scope="module")
async def crowd(project: Settings, cast: Cast) -> AsyncIterator[Crowd]:
    """60,000 messages in 200 rooms, in one transaction that is undone: no trigger fires, nobody else ever sees them."""
    few, many = await people.someone("Ann Few"), await people.someone("Ben Many")
    async with await psycopg.AsyncConnection.connect(project.owner_url) as connection:
        ids = [uuid4() for _ in range(ROOMS)]
        await connection.execute("alter table chat_rooms disable trigger user")
        await connection.execute("alter table room_members disable trigger user")
        await connection.execute("alter table chat_messages disable trigger user")
        await connection.execute("insert into chat_rooms (id, name) select unnest(%s::uuid[]), 'Room'", (ids,))
        for who, theirs in ((few, ids[:3]), (many, ids)):
            await connection.execute(
                "insert into room_members (room_id, user_id) select unnest(%s::uuid[]), %s", (theirs, who.id)
            )
        await connection.execute(
            """
            insert into chat_messages (room_id, client_id, seq, rev, content, created_at)
            select room, n::text, n, n,
              case when n %% 2 = 0 then 'common ' else '' end
                || case when (n + place * 7) %% 500 = 0 then 'medium ' else '' end
                || case when n = 17 and place %% 40 = 1 then 'rare ' else '' end || md5(n || room::text),
              timestamptz '2100-01-01' + -- newer than what other tests have said
                 make_interval(secs => n * 200 + place)
            from unnest(%s::uuid[]) with ordinality as rooms (room, place), generate_series(1, %s) n
            """,
            (ids, EACH),
        )
        await connection.execute("analyze chat_messages")
        try:
            yield Crowd(few, many, connection)
        finally:
            await connection.rollback()


class Plan(NamedTuple):
    indexes: set[str]
    scans: set[str]
    rows_read: int
    found: int


async def plan(crowd: Crowd, who: Someone, word: str) -> Plan:
    """What private.find_messages does for a first page: its own statement, explained as it is run."""
    mine = "array(select room_id from room_members where user_id = %s)"
    await crowd.connection.execute(
        "select set_config('request.jwt.claims', %s, true)", (json.dumps({"sub": str(who.id)}),)
    )
    found = await crowd.connection.execute(
        "select count(*) from private.find_messages(private.wanted_words('{}', array[%s], false),"
        " null, null, null, null, false, null, null, 21)",
        (word,),
    )
    [count] = await found.fetchone() or (0,)
    [rooms] = await (await crowd.connection.execute(f"select {mine}", (who.id,))).fetchone() or ([],)
    [asked] = await (
        await crowd.connection.execute("select private.wanted_words('{}', array[%s], false)::text", (word,))
    ).fetchone() or ("",)
    text = await statement(crowd.connection)
    cursor = psycopg.AsyncClientCursor(crowd.connection)
    await cursor.execute(
        f"explain (analyze, buffers, timing off, format json) {text}", {"rooms": rooms, "words": asked, "most": 21}
    )
    [explained] = await cursor.fetchone() or ([],)
    nodes = list(walk(explained[0]["Plan"]))
    read = sum(int(n.get("Actual Rows", 0) + n.get("Rows Removed by Filter", 0)) for n in nodes if "Relation Name" in n)
    return Plan(
        {node["Index Name"] for node in nodes if "Index Name" in node}, {n["Node Type"] for n in nodes}, read, count
    )


async def statement(connection: psycopg.AsyncConnection[Any]) -> str:
    """The part of the function's statement that finds, from the function itself: it must not change unseen."""
    row = await (await connection.execute("select prosrc from pg_proc where proname = 'find_messages'")).fetchone()
    assert row
    select = row[0].split("hits text := '")[1].split("'\n")[0]
    assert "and m.words @@ $2" in row[0]
    where = select.replace("$1", "%(rooms)s") + " and m.words @@ %(words)s::tsquery"
    return where + " order by m.created_at desc, m.id desc limit %(most)s"


def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)


@pytest.mark.parametrize("who", ["few", "many"])
@pytest.mark.parametrize(("word", "most"), [(COMMON, 8_000), (MEDIUM, 16_000), (RARE, 50), (ABSENT, 0)])
async def test_no_search_reads_the_whole_table(crowd: Crowd, who: str, word: str, most: int) -> None:
    made = await plan(crowd, getattr(crowd, who), word)
    assert "Seq Scan" not in made.scans
    assert made.indexes & {"chat_messages_words_idx", "chat_messages_created_at_idx"}
    assert made.rows_read <= most  # of 60,000
    assert (made.found == 21) is (word == COMMON or (word, who) == (MEDIUM, "many"))


async def test_rare_words_come_from_the_index_of_words_common_ones_from_the_newest(crowd: Crowd) -> None:
    for who in (crowd.few, crowd.many):
        assert "chat_messages_words_idx" in (await plan(crowd, who, RARE)).indexes
    assert (await plan(crowd, crowd.many, COMMON)).indexes == {"chat_messages_created_at_idx"}


async def test_rooms_of_others_are_not_found(crowd: Crowd) -> None:
    assert (await plan(crowd, crowd.few, RARE)).found == 1
    assert (await plan(crowd, crowd.many, RARE)).found == 5
