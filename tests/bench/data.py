"""Many messages, made once and kept in .bench/: a large room, small ones, and the rest in a thousand others.

They are written as COPY would, without triggers, in steps that each leave the rooms' counters right: a run that is
stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import psycopg

from chatapp.actor import Actor
from chatapp.standin import lifecycle
from tests.bench.figures import note
from tests.server import ROOT

FOLDER = ROOT / ".bench"
LARGE = 1_000_000
SMALL = 100
MINE = 200
"""Rooms that the reader is in, besides the two that are opened."""
OTHERS = 1000
"""Rooms of strangers, that share what SIZE leaves."""
STEP = 100_000

FEW, MANY = 3, 200
"""Rooms of the two who search: the large one, and strangers' where there are any."""

VOCABULARY = 50_000
WORDS = 16
"""Words of a message, about 100 bytes. The r-th word is said r times as rarely as the first, as in any language."""

DIGITS, LETTERS = "0123456789", "abcdefghij"

_HOUSE = UUID("6f1c7a52-5b0e-4c43-9c53-0b8f4a2d7e11")
READER, WRITER, SEARCHER, MANAGER = (uuid5(_HOUSE, name) for name in ("reader", "writer", "searcher", "manager"))


@dataclass(frozen=True)
class Rooms:
    """What there is to be read, and who reads it: `searcher` is in FEW rooms, `manager` in MANY."""

    reader: Actor
    searcher: Actor
    manager: Actor
    large: UUID
    small: UUID
    large_size: int
    total: int


def word(rank: int) -> str:
    """The word of that rank; none is the beginning of another."""
    return f"{rank:05}".translate(str.maketrans(DIGITS, LETTERS))


def folder() -> Path:
    """The data folder for this schema and these messages; those of other ones are removed."""
    made_by = [*sorted(ROOT.glob("sql/*/*.sql")), Path(__file__)]
    schema = hashlib.sha256(b"".join(path.read_bytes() for path in made_by)).hexdigest()[:12]
    wanted = FOLDER / schema
    for old in FOLDER.glob("*") if FOLDER.is_dir() else ():
        if old != wanted:
            note(f"the schema or the messages have changed: removing {old.name} of .bench/")
            lifecycle.reset(old / "data")
            shutil.rmtree(old, ignore_errors=True)
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted / "data"


def room_id(name: str) -> UUID:
    return uuid5(_HOUSE, f"room {name}")


async def load(url: str, size: int) -> Rooms:
    """Make what is missing of `size` messages in all, with a superuser's `url`, and say how it goes."""
    large = min(size, LARGE)
    plan = {"large": large, "small": SMALL, **{f"mine {number}": SMALL for number in range(MINE)}}
    rest = max(0, size - sum(plan.values()))
    plan |= {f"other {number}": rest // OTHERS for number in range(OTHERS) if rest >= OTHERS}
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("set session_replication_role = replica")  # no trigger numbers, hints or counts
        await connection.execute("set synchronous_commit = off")
        await connection.execute("set gin_pending_list_limit = '512MB'")  # the index of words takes them by portions
        await _people(connection)
        await _rooms(connection, plan)
        await _messages(connection, plan)
        await _analyze(connection)
    reader, searcher, manager = (Actor(who, "0" * 64) for who in (READER, SEARCHER, MANAGER))
    return Rooms(reader, searcher, manager, room_id("large"), room_id("small"), large, sum(plan.values()))


async def _people(connection: psycopg.AsyncConnection[Any]) -> None:
    people = {READER: "Reader", WRITER: "Writer", SEARCHER: "Searcher", MANAGER: "Manager"}
    for person, name in people.items():
        statement = "insert into auth.users (id, email) values (%s, %s) on conflict do nothing"
        await connection.execute(statement, (person, f"{name}@bench.example"))
        await connection.execute(
            "insert into public.profiles (id, name) values (%s, %s) on conflict do nothing", (person, name)
        )
    await connection.commit()


async def _rooms(connection: psycopg.AsyncConnection[Any], plan: dict[str, int]) -> None:
    rows = [(room_id(name), name, WRITER) for name in plan]
    mine = [name for name in plan if not name.startswith("other")]
    searched = ["large", *([name for name in plan if name not in mine] or [name for name in mine if name != "large"])]
    places = {WRITER: plan, READER: mine, SEARCHER: searched[:FEW], MANAGER: searched[:MANY]}
    members = [(room_id(name), who) for who, names in places.items() for name in names]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "insert into public.chat_rooms (id, name, created_by) values (%s, %s, %s) on conflict do nothing", rows
        )
        await cursor.executemany(
            "insert into public.room_members (room_id, user_id) values (%s, %s) on conflict do nothing", members
        )
    await connection.commit()


async def _messages(connection: psycopg.AsyncConnection[Any], plan: dict[str, int]) -> None:
    ids = {room_id(name): size for name, size in plan.items()}
    found = await connection.execute("select id, last_seq from public.chat_rooms where id = any(%s)", (list(ids),))
    have = dict(await found.fetchall())
    total, done = sum(ids.values()), sum(min(have[room], size) for room, size in ids.items())
    since_told = 0
    for room, size in ids.items():
        while have[room] < size:
            step = min(STEP, size - have[room])
            await _append(connection, room, have[room] + 1, have[room] + step)
            have[room] += step
            done, since_told = done + step, since_told + step
            if since_told >= STEP or done == total:
                note(f"history: {done:,} of {total:,} messages")
                since_told = 0


async def _append(connection: psycopg.AsyncConnection[Any], room: UUID, first: int, last: int) -> None:
    """One step, whole or not at all. The ids grow: random ones would make most of the loading's time."""
    await connection.execute(
        """
        insert into public.chat_messages (id, room_id, user_id, client_id, seq, rev, content, created_at)
        select (left(%(room)s::text, 23) || '-' || lpad(to_hex(n), 12, '0'))::uuid, %(room)s, %(writer)s, n::text, n, n,
               said, now() - make_interval(secs => (%(last)s - n))
        from generate_series(%(first)s::bigint, %(last)s::bigint) n, lateral (
          select translate(
            string_agg(lpad(power(%(vocabulary)s, random())::int::text, 5, '0'), ' '), %(digits)s, %(letters)s
          )
          from generate_series(1, %(words)s) where n > 0  -- so that each message says something else
        ) as text (said)
        """,
        {
            "room": room,
            "writer": WRITER,
            "first": first,
            "last": last,
            "vocabulary": VOCABULARY,
            "words": WORDS,
            "digits": DIGITS,
            "letters": LETTERS,
        },
    )
    await connection.execute(
        "update public.chat_rooms set last_seq = %s, rev = %s, last_message_at = now(), member_count = 2 where id = %s",
        (last, last, room),
    )
    await connection.commit()


async def _analyze(connection: psycopg.AsyncConnection[Any]) -> None:
    """As autovacuum would have done by the time a room has grown so large, once."""
    await connection.commit()
    await connection.set_autocommit(True)
    found = await connection.execute(
        "select n_live_tup, n_mod_since_analyze, last_vacuum from pg_stat_user_tables where relname = 'chat_messages'"
    )
    live, changed, vacuumed = await found.fetchone() or (0, 1, None)
    if changed or not live or not vacuumed:
        note("history: vacuum analyze")
        await connection.execute("vacuum analyze public.chat_messages, public.chat_rooms, public.room_members")
