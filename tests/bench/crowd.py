"""A crowd of viewers in a process of its own, so that whoever is measured is not slowed down by who looks on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.bench.viewers import Tally, Viewer

AT_ONCE = 32
"""Connections being opened at a time, so that opening does not test the server's backlog."""

GIVE_UP = 5
"""Times that a viewer is hung up on, on the average, before the crowd goes home."""


@dataclass(frozen=True)
class Seen:
    """What a crowd was sent between two looks; `times` are of time.perf_counter(), which processes share."""

    numbers: Sequence[int]
    times: Sequence[float]
    bytes: int
    frames: int
    ready: int
    gone: int
    cpu: float


class Crowd:
    """The bench's end: viewers to open, look at, cut and close. To be used as `async with`."""

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self._size = len(viewers)
        context = multiprocessing.get_context("spawn")  # a fork would carry the bench's threads and sockets along
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(self._theirs, viewers), daemon=True)

    async def __aenter__(self) -> Crowd:
        await asyncio.to_thread(self._process.start)
        self._theirs.close()  # so that we hear when the process ends
        try:
            await self.connect()
        except BaseException:
            await asyncio.to_thread(self._end)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._end)

    async def connect(self, at_once: int = AT_ONCE, seconds: float = 120) -> float:
        """Connect all anew and wait until they are ready; answers how many seconds it took. Raises TimeoutError."""
        began = time.perf_counter()
        await self._ask("connect", at_once)
        async with asyncio.timeout(seconds):
            while (await self._ask("ready")) < self._size:  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.05)
        return time.perf_counter() - began

    async def take(self) -> Seen:
        """What has come since the last look."""
        seen: Seen = await self._ask("take")
        return seen

    async def expect(self, deliveries: int, seconds: float) -> Seen:
        """Wait until that many deliveries have come, or the time is up, and take them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and await self._ask("count") < deliveries:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.1)
        return await self.take()

    async def _ask(self, *question: Any) -> Any:
        self._pipe.send(question)
        return await asyncio.to_thread(self._pipe.recv)

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.send(("end",))
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def serve(pipe: Connection, viewers: Sequence[Viewer]) -> None:
    """The crowd's process: until told to end, or until the bench is gone."""
    gc.disable()  # its pauses would be taken for the server's
    _Loop(pipe, viewers).run()


class _Loop:
    def __init__(self, pipe: Connection, viewers: Sequence[Viewer]) -> None:
        self._pipe, self._viewers = pipe, viewers
        self._selector = selectors.DefaultSelector()
        self._selector.register(pipe, selectors.EVENT_READ)
        self._tally, self._gone, self._at_once = Tally(), 0, AT_ONCE
        self._waiting: list[Viewer] = []
        self._opening: set[Viewer] = set()
        self._open: set[Viewer] = set()

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select(1):
                if key.data is not None:
                    self._read(key.data)
                elif not self._answer():
                    return
            self._open_more()

    def _read(self, viewer: Viewer) -> None:
        if viewer not in self._open:  # all were cut by what came before it in this round
            return
        try:
            data = viewer.sock.recv(262144)
            now = time.perf_counter()
            if data:
                viewer.received(data, now, self._tally)
        except OSError:
            data = b""
        if not data:
            self._lose(viewer)
        elif viewer.ready:
            self._opening.discard(viewer)

    def _lose(self, viewer: Viewer) -> None:
        self._close(viewer)
        self._gone += 1
        if self._gone > GIVE_UP * len(self._viewers):
            raise ConnectionError("the server hangs up on its clients")
        self._waiting.append(viewer)

    def _close(self, viewer: Viewer) -> None:
        self._selector.unregister(viewer.sock)
        viewer.sock.close()
        viewer.ready = False
        self._open.discard(viewer)
        self._opening.discard(viewer)

    def _open_more(self) -> None:
        while self._waiting and len(self._opening) < self._at_once:
            viewer = self._waiting.pop()
            sock = socket.create_connection((viewer.host, viewer.port), timeout=30)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(sock, selectors.EVENT_READ, viewer)
            self._open.add(viewer)
            self._opening.add(viewer)
            viewer.connect(sock)

    def _answer(self) -> bool:
        try:
            match self._pipe.recv():
                case ("connect", at_once):
                    self._connect(at_once)
                    self._pipe.send(None)
                case ("ready",):
                    self._pipe.send(sum(viewer.ready for viewer in self._viewers))
                case ("count",):
                    self._pipe.send(len(self._tally.numbers))
                case ("take",):
                    self._pipe.send(self._taken())
                case _:
                    self._leave()
                    return False
        except EOFError:
            return False
        return True

    def _connect(self, at_once: int) -> None:
        """Cut without a word, as a lost network does, and come again."""
        for viewer in list(self._open):
            self._close(viewer)
        self._at_once, self._waiting = at_once, list(self._viewers)

    def _taken(self) -> Seen:
        tally, self._tally = self._tally, Tally()
        gone, self._gone = self._gone, 0
        ready = sum(viewer.ready for viewer in self._viewers)
        cpu = sum(os.times()[:2])
        return Seen(tally.numbers, tally.times, tally.bytes, tally.frames, ready, gone, cpu)

    def _leave(self) -> None:
        for viewer in list(self._open):
            viewer.goodbye()
            self._close(viewer)
