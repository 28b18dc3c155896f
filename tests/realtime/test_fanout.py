"""Packets on their way out, over real sockets: once encoded, in the order of the calls, and never piling up."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
import websockets
from engineio import ASGIApp
from socketio import AsyncServer

from chatapp import fanout, serve
from tests.ports import free_port

NAMESPACE = "/_event"


@dataclass
class Hall:
    """A server with the fan-out, on a port of its own."""

    sio: AsyncServer
    server: uvicorn.Server
    port: int
    sids: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/?EIO=4&transport=websocket"

    @asynccontextmanager
    async def guest(self, **options: Any) -> AsyncIterator[websockets.ClientConnection]:
        """A connected socket; its sid is the last of `sids`."""
        known = len(self.sids)
        async with websockets.connect(self.address, compression=None, **options) as socket:
            await socket.recv()
            await socket.send(f"40{NAMESPACE},")
            await until(lambda: len(self.sids) > known)
            await socket.recv()
            yield socket

    async def emit(self, to: str, value: Any) -> None:
        await self.sio.emit("event", value, to=to, namespace=NAMESPACE)


@pytest_asyncio.fixture(params=["frames", "queues"])
async def hall(request: pytest.FixtureRequest) -> AsyncIterator[Hall]:
    """Once with our server, once with one that takes no frames, as granian."""
    sio = AsyncServer(async_mode="asgi", transports=["websocket"], cors_allowed_origins=[])
    fanout.install(sio)
    options = serve.options("127.0.0.1", free_port()) | {"app": ASGIApp(sio, engineio_path=""), "factory": False}
    if request.param == "queues":
        options["ws"] = "websockets-sansio"
    server = uvicorn.Server(uvicorn.Config(**options))
    made = Hall(sio, server, options["port"])
    sio.on("connect", lambda sid, *_: made.sids.append(sid), namespace=NAMESPACE)
    serving = asyncio.create_task(server._serve())
    await until(lambda: server.started)
    yield made
    server.should_exit = True
    await serving


async def test_what_a_tab_is_sent_has_the_order_of_the_calls(hall: Hall) -> None:
    async with hall.guest() as guest:
        (sid,) = hall.sids
        await hall.sio.enter_room(sid, "room", namespace=NAMESPACE)
        # As handlers, Reflex's own among them, do it side by side: each call is a task that runs up to its first wait.
        await asyncio.gather(*(hall.emit(("room", sid)[n % 2], n) for n in range(200)))
        assert [value(await guest.recv()) for _ in range(200)] == list(range(200))


async def test_an_emit_is_done_when_it_is_called(hall: Hall) -> None:
    # Whoever enters a room and emits its rows relies on it: nothing may come in between.
    async with hall.guest() as guest:
        with pytest.raises(StopIteration):
            hall.emit(hall.sids[0], "at once").send(None)
        assert value(await guest.recv()) == "at once"


async def test_a_packet_is_encoded_once_for_everybody(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded, packets = [], hall.sio.manager._packets

    def counted(*arguments: Any) -> Any:
        encoded.append(arguments)
        return packets(*arguments)

    monkeypatch.setattr(hall.sio.manager, "_packets", counted)
    async with hall.guest() as first, hall.guest() as second:
        for sid in hall.sids:
            await hall.sio.enter_room(sid, "room", namespace=NAMESPACE)
        await hall.emit("room", "for all")
        assert [value(await guest.recv()) for guest in (first, second)] == ["for all"] * 2
        assert len(encoded) == 1


async def test_a_tab_that_lags_is_disconnected_and_the_others_are_not(hall: Hall) -> None:
    async with hall.guest(max_queue=1) as slow, hall.guest() as quick:
        slow_sid, quick_sid = hall.sids
        slow.transport.pause_reading()
        for sid in hall.sids:
            await hall.sio.enter_room(sid, "room", namespace=NAMESPACE)
        heard = 0
        while hall.sio.manager.is_connected(slow_sid, NAMESPACE):
            await hall.emit("room", "x" * 60_000)
            heard = heard + 1 if await data(quick) else heard
            assert heard < 2 * fanout.MOST_PACKETS
        await hall.emit(quick_sid, "still here")
        assert value(await data(quick)) == "still here"
        await until(lambda: not hall.sio.manager.is_connected(slow_sid, NAMESPACE))
        slow.transport.abort()


@pytest.mark.parametrize("hall", ["frames"], indirect=True)
async def test_a_tab_that_lags_far_is_kept_while_its_link_takes_something(hall: Hall) -> None:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", hall.port))
    async with hall.guest(sock=narrow, max_queue=1, max_size=None) as slow:
        (sid,) = hall.sids
        for connection in hall.server.server_state.connections:  # nor does the system hold much on its way
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        large = "x" * (2 * serve.MOST_WAITING)
        await hall.emit(sid, large)
        for number in range(20):  # the first of them finds more waiting than may be
            await hall.emit(sid, number)
        assert hall.sio.manager.is_connected(sid, NAMESPACE)
        assert value(await data(slow)) == large
        assert [value(await data(slow)) for _ in range(20)] == list(range(20))


@pytest.mark.parametrize("hall", ["frames"], indirect=True)
async def test_a_tab_whose_link_takes_nothing_is_not(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STALLED", 0.0)
    async with hall.guest(max_queue=1) as slow:
        slow.transport.pause_reading()
        for _ in range(3 * serve.MOST_EVER // 2**20):
            await hall.emit(hall.sids[0], "x" * 2**20)
        await until(lambda: not hall.sio.manager.is_connected(hall.sids[0], NAMESPACE))
        slow.transport.abort()


@pytest.mark.parametrize("how", ["silent", "closed", "cut"])
async def test_a_tab_that_is_gone_leaves_nothing_behind(hall: Hall, how: str) -> None:
    if how == "silent":
        hall.sio.eio.ping_interval = hall.sio.eio.ping_timeout = 0.2
    async with hall.guest() as guest:  # which answers no ping
        await hall.sio.enter_room(hall.sids[0], "room", namespace=NAMESPACE)
        if how == "closed":
            await guest.close()
        if how == "cut":
            guest.transport.abort()
        await until(lambda: not hall.sio.manager.rooms.get(NAMESPACE) and not hall.sio.environ)
        await until(lambda: not hall.sio.eio.sockets)
        await until(lambda: not hall.server.server_state.tasks and not hall.server.server_state.connections)


async def test_a_tab_that_sends_too_much_is_disconnected(hall: Hall) -> None:
    async with hall.guest() as guest:
        await guest.send("4" + "x" * (hall.sio.eio.max_http_buffer_size + 1))
        await asyncio.wait_for(guest.wait_closed(), 20)
        assert not hall.sio.eio.sockets


async def test_other_inner_parts_are_noticed_at_the_start() -> None:
    sio = AsyncServer(async_mode="asgi", transports=["websocket", "polling"])
    with pytest.raises(RuntimeError, match="every tab has a WebSocket"):
        fanout.install(sio)
    sio = AsyncServer(async_mode="asgi", transports=["websocket"])
    sio.eio._async = {**sio.eio._async, "websocket": object}
    with pytest.raises(RuntimeError, match="WebSocket class is replaceable"):
        fanout.install(sio)


def value(frame: str | bytes) -> Any:
    """What an event carries."""
    return json.loads(str(frame).partition(",")[2])[1]


async def data(guest: websockets.ClientConnection) -> str:
    """The next event, with pings answered."""
    while (frame := str(await guest.recv())) == "2":
        await guest.send("3")
    return frame


async def until(condition: Callable[[], Any], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # another program's state has no event to wait for
            await asyncio.sleep(0.01)
