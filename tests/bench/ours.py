"""The app's own figures of the live path, against the goals."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from tests.bench import app as bench_app
from tests.bench import live, processes
from tests.bench.app import App
from tests.bench.crowd import Crowd
from tests.bench.figures import Report, note, quantile
from tests.bench.load import Act, System, apply
from tests.ports import free_port
from tests.server import URL, Server
from tests.tab import TIMELINE, Tab

VIEWERS = tuple(int(number) for number in os.environ.get("VIEWERS", "50,200,500").split(","))
SLOWEST_P99 = {200: 100.0, 500: 250.0}
TABS = 200
PAGES = 9
"""Pages read back: with the first one, 500 messages."""
STORM = 500
CHANGES = 20


class Stage(NamedTuple):
    """What runs for all sections: one backend, and the stand-in by its process id."""

    server: Server
    standin: int
    data: Path


async def seen(report: Report, stage: Stage) -> None:
    """Two tabs, 100 messages both ways: from calling the handler to the other tab's having it."""
    async with bench_app.furnished(stage.server) as app:
        tabs = [await Tab(URL, cookie).open(f"/chat/{app.room_id}") for cookie in app.cookies[:2]]
        for tab in tabs:
            await tab.until(lambda tab: tab.shared(TIMELINE, "window"))
        times = [await _say(app, number, pair) for number, pair in zip(range(100), itertools.cycle([tabs, tabs[::-1]]))]
        for tab in tabs:
            await tab.close()
    report.figure("app: send to seen, p50", 1000 * statistics.median(times), "ms")
    report.figure("app: send to seen, p99", 1000 * quantile(times, 0.99), "ms", limit=1000)


async def _say(app: App, number: int, pair: list[Tab]) -> float:
    text, began = f"message {number}", time.perf_counter()
    await pair[0].send(str(app.room_id), text)
    await pair[1].until(lambda tab: text in tab.texts)
    return time.perf_counter() - began


async def fan_out(report: Report, stage: Stage) -> None:
    """P1, P3, P4 and the first half of P11."""
    for viewers in VIEWERS:
        async with bench_app.furnished(stage.server) as app:
            outcome, resting = await live.fan_out(report, app, viewers)
        if not outcome.waits:
            continue
        name, p50, p99 = f"app: {viewers} viewers", outcome.milliseconds(0.5), outcome.milliseconds(0.99)
        report.figure(f"{name}, p99", p99, "ms", goal="P1", limit=SLOWEST_P99.get(viewers))
        report.figure(f"{name}, p99/p50", p99 / p50, "ratio", goal="P11", limit=3)
        cost = live.cost(outcome, resting)
        report.figure(f"{name}, server CPU a delivery", cost, "us", goal="P3", limit=120)
        report.figure(f"{name}, lost", outcome.lost, "deliveries", limit=0)
        if viewers == live.SUSTAINED_VIEWERS:
            _beside_erlang(report, p50)


def _beside_erlang(report: Report, p50: float) -> None:
    """P1: once more, beside the peer it is measured by."""
    erlang = report.peer("ejabberd", "200 viewers, p50") or report.peer("prosody", "200 viewers, p50")
    limit = 2 * erlang.value if erlang else None
    report.figure("app: 200 viewers, p50 beside XMPP", p50, "ms", goal="P1", limit=limit, peer=erlang)


async def changes(report: Report, stage: Stage) -> None:
    """P4: bytes a delivery of every kind of change."""
    async with bench_app.furnished(stage.server) as app, Crowd(app.viewers(TABS)) as crowd:
        kinds: dict[str, Act] = {"a message": app.post, "an edit": app.edit, "a delete": app.delete}
        if await app.has_reactions():
            kinds["a reaction"] = app.react
        for kind, act in kinds.items():
            count = CHANGES * (len(kinds) if act == app.post else 1)
            await crowd.take()
            silent = act in (app.delete, app.react)  # without a text, so without a number to recognise
            outcome = await apply(app, crowd, TABS, 5, count, act=act, drain=2 if silent else 20)
            value = outcome.bytes / (TABS * count)
            report.figure(f"app: on the wire, {kind}", value, "B", goal="P4", limit=600)


async def sustained(report: Report, stage: Stage) -> None:
    """P2."""
    async with bench_app.furnished(stage.server) as app:
        reached = await live.sustained(report, app)
    report.figure("app: sustained", reached, "deliveries/s", goal="P2", limit=18000, at_least=True)
    for who, share in (("ejabberd", 1.0), ("prosody", 1.0), ("nicegui", 20.0), ("room", 0.8)):
        if peer := report.peer(who, "sustained"):
            limit = share * peer.value
            name = f"app: sustained, {share:g} x {who}"
            report.figure(name, reached, "deliveries/s", goal="P2", limit=limit, at_least=True, peer=peer)


async def memory(report: Report, stage: Stage) -> None:
    """P5: resident bytes of a fresh server for each tab that shows 500 messages."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_app.backend(stage.data, free_port()))
        app = await stack.enter_async_context(bench_app.furnished(server, messages=50 * (PAGES + 1)))
        app.older = PAGES
        each = await tab_memory(app)
    peer = report.peer("room", "memory a client")
    report.figure("app: memory a tab of 500 messages", each, "KiB", goal="P5", limit=100, peer=peer)


async def tab_memory(system: System, tabs: int = TABS) -> float:
    """KiB that a client adds to a process that has not had so many. The first ones warm it: they are not counted."""
    async with Crowd(system.viewers(20)):
        before = system.memory()
        async with Crowd(system.viewers(tabs)):
            return (system.memory() - before) / tabs / 1024


async def storm(report: Report, stage: Stage) -> None:
    """P11: everybody's network comes back at once."""
    note(f"app: {STORM} clients reconnect at once")
    async with bench_app.furnished(stage.server, messages=50) as app, Crowd(app.viewers(STORM)) as crowd:
        before, data = app.cpu(), processes.cpu_seconds(stage.standin)
        seconds = await crowd.connect(at_once=STORM)
        used, queried = app.cpu() - before, processes.cpu_seconds(stage.standin) - data
    report.figure(f"app: {STORM} reconnections at once, server CPU", used, "s", goal="P11", limit=3)
    report.figure(f"app: {STORM} reconnections at once, stand-in and database CPU", queried, "s")
    report.figure(f"app: {STORM} reconnections at once, until all are back", seconds, "s")
