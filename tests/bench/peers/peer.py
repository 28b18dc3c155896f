"""What all peers share: started here, spoken to by one sender, measured like the app."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.bench import live, ours, processes
from tests.bench.figures import Report
from tests.bench.load import System
from tests.bench.viewers import Tally, Viewer


class Peer:
    """A `load.System`: a program with `viewer(number)`s of one kind, and one more that posts."""

    def __init__(self, name: str, program: processes.Program, viewer: Callable[[int], Any]) -> None:
        self.name, self._program, self._viewer = name, program, viewer
        self._numbers = itertools.count()  # nobody may take a name twice
        self._sender: Any = None

    def viewers(self, count: int) -> list[Viewer]:
        return [self._viewer(number) for number in itertools.islice(self._numbers, count)]

    async def post(self, text: str) -> float:
        began = time.perf_counter()
        self._sender.post(text)
        return began

    def cpu(self) -> float:
        return processes.cpu_seconds(self._program.pid)

    def memory(self) -> int:
        return processes.memory(self._program.pid)

    @asynccontextmanager
    async def speaking(self) -> AsyncIterator[Peer]:
        """With one more client, in this process, that posts."""
        self._sender = self._viewer(next(self._numbers))
        task = asyncio.create_task(converse(self._sender))
        try:
            async with asyncio.timeout(20):
                while not self._sender.ready:
                    if task.done():
                        task.result()
                    await asyncio.sleep(0.05)
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await task


class _Writer:
    """What a viewer uses of a socket, on a stream."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.sendall = writer.write


async def converse(viewer: Any) -> None:
    """Run one viewer on this process's loop. Raises ConnectionError when it is hung up on."""
    reader, writer = await asyncio.open_connection(viewer.host, viewer.port)
    try:
        viewer.connect(_Writer(writer))
        while data := await reader.read(262144):
            viewer.received(data, 0.0, Tally())
        raise ConnectionError("the server hung up on the sender")
    finally:
        writer.close()


async def measure(report: Report, system: System, start: float = 10.0) -> None:
    """A peer's figures, under its name. Memory first: what a load has left behind would be taken for free."""
    report.figure(f"{system.name}: memory a client", await ours.tab_memory(system), "KiB")
    outcome, resting = await live.fan_out(report, system, live.SUSTAINED_VIEWERS)
    name = f"{system.name}: {live.SUSTAINED_VIEWERS} viewers"
    if outcome.waits:
        cost = live.cost(outcome, resting)
        report.figure(f"{name}, p99", outcome.milliseconds(0.99), "ms")
        report.figure(f"{name}, server CPU a delivery", cost, "us")
    report.figure(f"{system.name}: sustained", await live.sustained(report, system, start), "deliveries/s")
