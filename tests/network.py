"""The network between people and backends, which tests can cut, hold still and lead elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import socket
from collections.abc import Sequence


class Network:
    """Forwards TCP to backends on this machine, in turn. Browsers use it as their proxy, sockets as if it were the app.

    It never looks into what it carries, but for a browser's `CONNECT`.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = itertools.cycle(ports)
        self._flows = asyncio.Event()
        self._flows.set()
        self._answers = asyncio.Event()
        self._answers.set()
        self._refuses = False
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._rate = 0
        self.carried = 0
        """Connections that were let through so far."""

    async def start(self) -> Network:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def proxy(self) -> dict[str, str]:
        """For a browser's context: this machine's own addresses too go through here."""
        return {"server": self.url, "bypass": "<-loopback>"}

    def lead_to(self, *ports: int) -> None:
        """Where new connections go from now on."""
        self._ports = itertools.cycle(ports)

    def cut(self) -> None:
        """Every connection breaks, and no new one is made."""
        self._refuses = True
        for writer in list(self._open):
            writer.transport.abort()

    def slow_down(self, bytes_per_second: int) -> None:
        """What people are told takes its time on every connection made from now on; 0 is as fast as can be."""
        self._rate = bytes_per_second

    def hold(self) -> None:
        """Nothing comes through any more and nobody is told: a half-open connection."""
        self._flows.clear()

    def hold_answers(self) -> None:
        """What people send arrives; what they are told does not."""
        self._answers.clear()

    def mend(self) -> None:
        self._refuses = False
        self._answers.set()
        self._flows.set()

    async def stop(self) -> None:
        assert self._server
        self.mend()
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._open.add(writer)
        try:
            if not self._refuses:
                await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of the two ends is gone, and so is the other now
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        head = await reader.readuntil(b"\r\n\r\n")
        there, onward = await self._reach(next(self._ports))
        self.carried += 1
        self._open.add(onward)
        try:
            if head.startswith(b"CONNECT"):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                onward.write(_as_to_a_server(head))
            ways = (reader, onward, self._flows, 0), (there, writer, self._answers, self._rate)
            pumps = [asyncio.create_task(self._pump(*way)) for way in ways]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._open.discard(onward)
            onward.transport.abort()

    async def _reach(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        line = socket.socket()
        if self._rate:  # a slow link holds little: what it has not carried is still with the server
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", port))
        return await asyncio.open_connection(sock=line, limit=4096 if self._rate else 65536)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may: asyncio.Event, rate: int
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(min(65536, rate // 20) or 65536):
                if rate:
                    await asyncio.sleep(len(data) / rate)
                await self._flows.wait()
                await may.wait()
                writer.write(data)
                await writer.drain()


def _as_to_a_server(head: bytes) -> bytes:
    """What a browser asks its proxy, as a proxy asks a server: for a path, once a connection.

    A browser names the whole address to its proxy, and h11 takes that for the path. Sockets ask as they would the app.
    """
    asked, found = re.subn(rb"^(\w+) http://[^/ ]+", rb"\1 ", head, count=1)
    if not found:
        return head
    kept = re.sub(rb"(?im)^(proxy-)?connection: keep-alive\r\n", b"", asked)
    return kept.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
