"""P6: reading a large room costs what reading a small one does. The app's own reads, under row-level security."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from chatapp.db import Question, at_once, transaction
from chatapp.messages import queries as messages
from chatapp.rooms import queries as rooms
from chatapp.rooms.model import Room
from tests.bench import app as bench_app
from tests.bench import data
from tests.bench.figures import Peer, Report, note, quantile

KEY = Question(text("select * from chat_rooms where id = :room"))

SIZE = int(os.environ.get("SIZE", "1000000"))
ROUNDS = 300

Read = Callable[[], Awaitable[object]]


class Beside(NamedTuple):
    """What a read is held against: whose seconds, and how many times as long it may take."""

    who: str
    took: list[float]
    most: float


async def measure(report: Report) -> None:
    """Load what is missing, then read."""
    folder = data.folder()
    try:
        async with bench_app.project(folder):
            made = await data.load(bench_app.superuser_url(folder), SIZE)
            await compare(report, made)
    finally:
        bench_app.leave(folder)


async def compare(report: Report, made: data.Rooms) -> None:
    """Each kind of read beside the one that it is held against, taking turns, so that both meet the same weather."""
    me, chance = made.reader, random.Random(1)
    size = f"{made.large_size:,} messages ({made.total:,} in the table)"

    def page(room: UUID, highest: int) -> Read:
        return lambda: messages.before(me, room, chance.randint(51, highest))

    async def by_key() -> object:
        async with transaction(me) as session:
            return await session.get(Room, made.small)

    reads: dict[str, Read] = {
        "open small": lambda: messages.newest(me, made.small),
        "open large": lambda: messages.newest(me, made.large),
        "page small": page(made.small, data.SMALL),
        "page large": page(made.large, made.large_size),
        "load small": lambda: messages.load(made.small),
        "load large": lambda: messages.load(made.large),
        "key": by_key,
        "one trip": lambda: at_once(me, KEY(room=made.small)),
        "rooms": lambda: rooms.my_rooms(me),
    }
    listed = len(await rooms.my_rooms(me))
    note(f"history: {ROUNDS} rounds of {len(reads)} reads")
    took = await turns(reads)
    for name, what in (("open", "open a room"), ("page", "any page of history"), ("load", "the hub loads a room")):
        small = Beside(f"room of {data.SMALL}", took[f"{name} small"], 1.2)
        _report(report, f"{what} of {size}", took[f"{name} large"], small)
    key = Beside("primary-key read", took["key"], 2.0)
    _report(report, f"room list with unread of {listed} rooms", took["rooms"], key)
    # The list is read in one round trip, and the key as the app reads one row. Beside the same way there is no limit.
    quickest = Peer("primary-key read in one round trip", 1000 * quantile(took["one trip"], 0.5))
    report.figure(f"the same list of {listed} rooms, p50", 1000 * quantile(took["rooms"], 0.5), "ms", peer=quickest)


async def turns(reads: dict[str, Read], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of every read, each once a round; two rounds before that are not counted."""
    took: dict[str, list[float]] = {name: [] for name in reads}
    for number in range(rounds + 2):
        for name, read in reads.items():
            began = time.perf_counter()
            await read()
            if number >= 2:
                took[name].append(time.perf_counter() - began)
    return took


def _report(report: Report, name: str, took: list[float], beside: Beside) -> None:
    p50, p99 = (1000 * quantile(took, part) for part in (0.5, 0.99))
    near, far = (Peer(beside.who, 1000 * quantile(beside.took, part)) for part in (0.5, 0.99))
    report.figure(f"{name}, p50", p50, "ms", goal="P6", limit=beside.most * near.value, peer=near)
    report.figure(f"{name}, p99", p99, "ms", peer=far)
