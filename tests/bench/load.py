"""A steady load on a system, and what became of it at its viewers."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tests.bench.crowd import Crowd
from tests.bench.figures import quantile
from tests.bench.viewers import Viewer, text


class System(Protocol):
    """Something that delivers what is posted to everybody who looks on."""

    name: str

    def viewers(self, count: int) -> list[Viewer]: ...
    async def post(self, text: str) -> float:
        """Post, and answer the moment (time.perf_counter()) from which a viewer's wait counts."""
        ...

    def cpu(self) -> float:
        """CPU seconds that the server has used so far."""
        ...

    def memory(self) -> int:
        """Resident bytes of the server."""
        ...


@dataclass(frozen=True)
class Outcome:
    """One load. `waits` in seconds, one a delivery; `carried` in deliveries a second until the last one came."""

    expected: int
    waits: list[float]
    carried: float
    bytes: int
    frames: int
    cpu: float
    seconds: float
    looking: float
    """CPU seconds that the crowd used."""
    offered: float
    """Posts a second that the sender really reached."""

    @property
    def clients_limit(self) -> float:
        """Deliveries a second that the crowd could take with a core of its own: far above `carried`, or it was what
        has been measured."""
        return len(self.waits) / self.looking if self.looking else float("inf")

    @property
    def lost(self) -> int:
        return self.expected - len(self.waits)

    def milliseconds(self, part: float) -> float:
        """A quantile of the waits."""
        return 1000 * quantile(self.waits, part)


numbers: Iterator[int] = itertools.count(1)
"""Of all messages of a run."""

Act = Callable[[str], Awaitable[float]]


async def apply(
    system: System, crowd: Crowd, viewers: int, rate: float, count: int, *, act: Act | None = None, drain: float = 30
) -> Outcome:
    """Post `count` messages, `rate` a second (or do `act` with each text), and wait for the deliveries."""
    before, client, began = system.cpu(), (await crowd.take()).cpu, time.perf_counter()
    posted = await _post(act or system.post, rate, count)
    offered = count / (time.perf_counter() - began)
    seen = await crowd.expect(viewers * count, drain)
    seconds, cpu = time.perf_counter() - began, system.cpu() - before
    waits = [at - posted[number] for number, at in zip(seen.numbers, seen.times, strict=True) if number in posted]
    carrying = max(seen.times, default=began) - began
    carried = len(waits) / carrying if carrying > 0 else 0.0
    looking = seen.cpu - client
    return Outcome(viewers * count, waits, carried, seen.bytes, seen.frames, cpu, seconds, looking, offered)


async def _post(act: Act, rate: float, count: int) -> dict[int, float]:
    """Post on a fixed timetable: a slow answer delays the next post, but not those after it."""
    posted, began = {}, time.perf_counter()
    for number in itertools.islice(numbers, count):
        posted[number] = await act(text(number))
        await asyncio.sleep(began + len(posted) / rate - time.perf_counter())
    return posted


async def settle(crowd: Crowd, quiet: float = 2, most: float = 30) -> None:
    """Wait until nothing has come for a while: what opening so many tabs sets off, or a load that was too high."""
    end = time.monotonic() + most
    await asyncio.sleep(quiet)
    while (await crowd.take()).frames and time.monotonic() < end:  # noqa: ASYNC110  # another process
        await asyncio.sleep(quiet)


async def idle(system: System, crowd: Crowd, seconds: float = 5) -> tuple[float, int]:
    """Let nothing happen: the server's CPU seconds a second, and the frames that came all the same."""
    await settle(crowd)
    before, began = system.cpu(), time.perf_counter()
    await asyncio.sleep(seconds)
    used = (system.cpu() - before) / (time.perf_counter() - began)
    return used, (await crowd.take()).frames
