"""What the stand-in's changes are held against: a bare LISTEN in a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import time
from multiprocessing.connection import Connection

import psycopg
from psycopg.rows import TupleRow

from tests.bench.load import numbers
from tests.bench.viewers import text


class Listener:
    """One connection that listens to the channel `bench`. To be used as `async with`."""

    def __init__(self, url: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=listen, args=(self._theirs, url), daemon=True)

    async def __aenter__(self) -> Listener:
        await asyncio.to_thread(self._process.start)
        self._theirs.close()
        await asyncio.to_thread(self._pipe.recv)  # it listens
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await asyncio.to_thread(self._process.join)

    async def apply(
        self, connection: psycopg.AsyncConnection[TupleRow], statement: str, rate: float, count: int
    ) -> list[float]:
        """Run the statement `count` times, `rate` a second; the seconds from each commit until it was heard."""
        waits, began = [], time.perf_counter()
        for done, number in enumerate(itertools.islice(numbers, count), start=1):
            await connection.execute(statement, (text(number),))
            committed = time.perf_counter()
            heard: tuple[str, float] = await asyncio.to_thread(self._pipe.recv)
            assert heard[0] == text(number)
            waits.append(heard[1] - committed)
            await asyncio.sleep(began + done / rate - time.perf_counter())
        return waits


def listen(pipe: Connection, url: str) -> None:
    """The listener's process: tell what was heard, and when."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("listen bench")
        pipe.send("ready")
        for heard in connection.notifies():
            pipe.send((heard.payload, time.perf_counter()))
