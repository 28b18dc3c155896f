"""A bad network between the backend and Realtime: it drops, doubles and swaps hints, and is cut at will.

Bytes pass as they are, but for the frames in which Realtime pushes broadcasts.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

HELD_SECONDS = 0.5
"""A hint that waits to be overtaken goes on its way after this, though nothing has overtaken it."""


@dataclass
class Weather:
    """What happens to hints, as parts of one; `muted` loses all of them."""

    dropped: float = 0.0
    doubled: float = 0.0
    swapped: float = 0.0
    muted: bool = False


CALM = Weather()
STORM = Weather(dropped=0.3, doubled=0.1, swapped=0.1)


class Proxy:
    """Listens on a port of its own and leads to `port`."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self._target, self._dice = port, dice
        self.weather, self.open = CALM, True
        self.hints = self.lost = 0
        self.port = 0
        self._lines: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        """Listen for as long as the block runs."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await self.cut()

    async def cut(self) -> None:
        """Lose every connection at once; new ones are accepted while `open`."""
        lines = [*self._lines]
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line
        self._lines.add(line)
        try:
            if self.open:
                await self._lead(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._lines.discard(line)
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", self._target)
        ways = [asyncio.create_task(_copy(reader, out)), asyncio.create_task(self._back(there, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            out.transport.abort()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        if b" 101 " not in head.splitlines()[0]:
            return await _copy(reader, writer)
        way = _Way(self, writer, self._dice)
        while True:
            way.take(await _frame(reader))
            await writer.drain()


class _Way:
    """One connection's frames towards the backend."""

    def __init__(self, proxy: Proxy, writer: asyncio.StreamWriter, dice: random.Random) -> None:
        self._proxy, self._writer, self._dice = proxy, writer, dice
        self._held: list[bytes] = []

    def take(self, frame: bytes) -> None:
        if b'"event":"hint"' not in frame.replace(b'": ', b'":'):
            self._writer.write(frame)
        else:
            self._proxy.hints += 1
            self._hint(frame, self._proxy.weather, self._dice.random())

    def _hint(self, frame: bytes, weather: Weather, luck: float) -> None:
        if weather.muted or luck < weather.dropped:
            self._proxy.lost += 1
        elif luck < weather.dropped + weather.swapped and not self._held:
            self._held.append(frame)
            asyncio.get_running_loop().call_later(HELD_SECONDS, self._release)
        else:
            self._writer.write(frame * (2 if luck > 1 - weather.doubled else 1))
            self._release()

    def _release(self) -> None:
        while self._held:
            with contextlib.suppress(OSError):
                self._writer.write(self._held.pop())


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One WebSocket frame of a server, which masks none of them (RFC 6455, 5.2)."""
    head = await reader.readexactly(2)
    length, more = head[1] & 0x7F, b""
    if length >= 126:
        more = await reader.readexactly(2 if length == 126 else 8)
        length = int.from_bytes(more)
    return head + more + await reader.readexactly(length)
