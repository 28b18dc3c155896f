"""`make bench`: figures of the product as lines of JSON, beside other chat servers in the same run.

Server, database and clients share this machine, so absolute times say little: compare within a run. By environment:

- `ONLY=fanout,history` chooses among the sections below, `VIEWERS=50,200,500` how many look on,
- `SIZE=10000000` how many messages history is measured with (kept in .bench/ for the next time).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from tests.bench import app as bench_app
from tests.bench import backends, browser, history, ours, pages, processes, search, standin
from tests.bench.figures import Report, Skip, note
from tests.bench.peers import ejabberd, nicegui, prosody, room
from tests.folders import data_folder

PEERS: dict[str, Callable[[Report], Awaitable[None]]] = {
    "room": room.measure,
    "prosody": prosody.measure,
    "ejabberd": ejabberd.measure,
    "nicegui": nicegui.measure,
}
"""First: the app's figures are compared with theirs."""

OURS: dict[str, Callable[[Report, ours.Stage], Awaitable[None]]] = {
    "seen": ours.seen,
    "fanout": ours.fan_out,
    "changes": ours.changes,
    "sustained": ours.sustained,
    "memory": ours.memory,
    "storm": ours.storm,
}
ALONE: dict[str, Callable[[Report], Awaitable[None]]] = {
    "standin": standin.measure,
    "backends": backends.measure,
    "browser": browser.measure,
    "pages": pages.measure,
    "history": history.measure,
    "search": search.measure,
}
"""These start backends or a database of their own."""

SECTION_SECONDS = 300
"""After which a section is given up; together they take about ten minutes."""
UNBOUNDED = {"history", "search"}
"""Loading takes as long as SIZE wants, tells how far it is, and goes on where it was stopped."""


def main() -> None:
    """Measure what ONLY names, everything otherwise."""
    names = [*PEERS, *OURS, *ALONE]
    chosen = [name for name in os.environ.get("ONLY", "").split(",") if name] or names
    if unknown := set(chosen) - set(names):
        sys.exit(f"ONLY knows {', '.join(names)}; not {', '.join(sorted(unknown))}.")
    # `timeout` and CI say SIGTERM: end what was started then too, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    report = Report()
    asyncio.run(measure(report, chosen))
    if report.failed:
        sys.exit(f"bench: not measured: {', '.join(report.failed)}")


async def measure(report: Report, chosen: list[str]) -> None:
    """Measure the chosen sections, peers first. One that fails is told, and the next one follows."""
    for name in filter(chosen.__contains__, PEERS):
        await _section(report, name, PEERS[name](report))
    if mine := [name for name in OURS if name in chosen]:
        await _app(report, mine)
    for name in filter(chosen.__contains__, ALONE):
        await _section(report, name, ALONE[name](report))


async def _section(report: Report, name: str, work: Awaitable[None]) -> None:
    note(name)
    busy = await asyncio.to_thread(processes.busy)
    report.figure(f"{name}: CPU in use before anything of it ran", busy, "% of the machine")
    try:
        async with asyncio.timeout(None if name in UNBOUNDED else SECTION_SECONDS):
            await work
    except Skip as why:
        report.skip(name, why)
    except Exception as error:  # noqa: BLE001  # whatever it is, the figures of the others are wanted
        report.fail(name, error)


async def _app(report: Report, chosen: list[str]) -> None:
    with data_folder("bench") as data:
        async with bench_app.project(data) as standin, bench_app.backend(data) as server:
            for name in chosen:
                await _section(report, name, OURS[name](report, ours.Stage(server, standin, data)))
