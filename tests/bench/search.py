"""P7: finding a word costs no more where there are more messages. The app's own search, under row-level security.

Words as common as the ten most common ones of a language, medium ones, and rare ones; for somebody in a few rooms and
for somebody in many. Each search reads its page with highlights, as the page of results does.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product

from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.rooms.model import Room
from chatapp.search import queries
from chatapp.search.snapshots import Wanted
from tests.bench import app as bench_app
from tests.bench import data
from tests.bench.figures import Peer, Report, note, quantile
from tests.bench.history import SIZE, Read, turns

RANKS: Mapping[str, tuple[int, int]] = {"common": (1, 10), "medium": (500, 2_000), "rare": (20_000, 49_999)}
"""How common the words are: the n-th of a vocabulary, first and last."""

MOST = 100
"""Times a primary-key read that the slowest hundredth of searches may take."""


async def measure(report: Report) -> None:
    """Load what is missing, then search."""
    folder = data.folder()
    try:
        async with bench_app.project(folder):
            made = await data.load(bench_app.superuser_url(folder), SIZE)
            await compare(report, made)
    finally:
        bench_app.leave(folder)


async def compare(report: Report, made: data.Rooms) -> None:
    """Each kind of search for each person, taking turns with the read that they are held against."""
    chance = random.Random(1)
    people = {data.FEW: made.searcher, data.MANY: made.manager}
    reads = {
        f"a {kind} word, member of {rooms} rooms": _search(person, ranks, chance)
        for (kind, ranks), (rooms, person) in product(RANKS.items(), people.items())
    }
    note("search: turns")
    took = await turns({"key": lambda: _by_key(made), **reads})
    key = Peer("primary-key read, p50", 1000 * quantile(took.pop("key"), 0.5))
    for name, seconds in took.items():
        what = f"search in {made.total:,} messages: {name}"
        report.figure(f"{what}, p50", 1000 * quantile(seconds, 0.5), "ms", peer=key)
        worst = 1000 * quantile(seconds, 0.99)
        report.figure(f"{what}, p99", worst, "ms", goal="P7", limit=MOST * key.value, peer=key)


def _search(person: Actor, ranks: tuple[int, int], chance: random.Random) -> Read:
    async def search() -> object:
        return await queries.search(person, Wanted.of(data.word(chance.randint(*ranks))))

    return search


async def _by_key(made: data.Rooms) -> object:
    async with transaction(made.reader) as session:
        return await session.get(Room, made.small)
