"""Fan-out at the sockets: a packet is encoded once and written to every tab's connection in the same step.

python-socketio makes a task for each recipient of a packet, engine.io keeps a queue and four tasks for each socket, and
the server frames the same text for each of them anew. Here a packet becomes one WebSocket frame, and each connection
is handed those bytes. Nothing suspends in between, so what one socket is sent has the order of the calls, whoever
made them: Reflex's own deltas go this way too.

A server that can write frames says so by the ASGI extension `EXTENSION` (`chatapp.serve` does). On any other,
engine.io's queue and writer remain, and the queue is bounded.

Together with `chatapp.shared` this is all that leans on the inner parts of python-socketio, engine.io and Reflex:
`install` fails at the start where they are made otherwise, tests/realtime/test_reflex_parts.py says which they are.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any, Protocol

from engineio.async_drivers.asgi import WebSocket
from engineio.async_socket import AsyncSocket
from engineio.exceptions import SocketIsClosedError, UnknownPacketError
from engineio.packet import MESSAGE, Packet
from socketio import AsyncManager, AsyncServer
from socketio.packet import EVENT
from websockets.frames import Frame, Opcode

log = logging.getLogger(__name__)

EXTENSION = "chatapp.frames"
"""ASGI extension of a server that takes whole WebSocket frames: its scope has a `Line` under this name."""

MOST_PACKETS = 1000
"""Packets that wait for one tab at most, where the server takes no frames. One that lags more is disconnected."""


class Line(Protocol):
    """One tab's connection, as a server that knows `EXTENSION` offers it."""

    def write(self, frame: bytes) -> None:
        """Send a whole frame, at once or as soon as the network takes it. Whoever lags too far is disconnected."""

    def drop(self) -> None:
        """End the connection now, whatever is still waiting."""


class Rooms(AsyncManager):
    """python-socketio's rooms, with an `emit` that has done all its work when it returns."""

    async def emit(self, event: str, data: Any, namespace: str, room: Any = None, **options: Any) -> None:
        """Send an event to a tab or a room of tabs. Never suspends."""
        if options.get("callback") or options.get("skip_sid"):  # nobody here does
            await super().emit(event, data, namespace, room=room, **options)
            return
        packets = self._packets(event, data, namespace)
        for _, eio_sid in self.get_participants(namespace, options.get("to") or room):
            socket = self.server.eio.sockets.get(eio_sid)
            if socket is not None and not socket.closed:
                _hand_over(socket, packets)

    def _packets(self, event: str, data: Any, namespace: str) -> list[Packet]:
        arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        # `binary`: said, it is not looked for in every value of every delta. Deltas are JSON.
        encoded = self.server.packet_class(EVENT, namespace=namespace, data=[event, *arguments], binary=False).encode()
        return [Packet(MESSAGE, part) for part in (encoded if isinstance(encoded, list) else [encoded])]


def _hand_over(socket: AsyncSocket, packets: list[Packet]) -> None:
    if socket.queue.qsize() >= MOST_PACKETS:
        log.info("A tab lags by %d packets and is disconnected: it will reconnect and load anew.", MOST_PACKETS)
        closing = asyncio.create_task(socket.close(wait=False, abort=True), name="drop-lagging")
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        return
    for packet in packets:
        socket.queue.put_nowait(packet)


_closing: set[asyncio.Task[None]] = set()


class Outbox:
    """Stands where engine.io keeps a socket's queue. What is put into it is written at once, so it is always empty."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def put_nowait(self, packet: Packet | None) -> None:
        if packet is not None:  # engine.io's word for its writer to end; there is none
            self._write(frame(packet))

    async def put(self, packet: Packet | None) -> None:
        self.put_nowait(packet)

    async def join(self) -> None: ...

    def qsize(self) -> int:
        return 0


def frame(packet: Packet) -> bytes:
    """The packet as an unmasked WebSocket frame: the same bytes for all who are sent it, so made once."""
    made: bytes | None = packet.__dict__.get("frame")
    if made is None:
        encoded = packet.encode()
        opcode, content = (Opcode.TEXT, encoded.encode()) if isinstance(encoded, str) else (Opcode.BINARY, encoded)
        made = packet.__dict__["frame"] = Frame(opcode, content).serialize(mask=False)
    return made


class TabSocket(WebSocket):
    """A tab's WebSocket, without engine.io's queue and tasks where the server takes frames."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self._server, self._socket = server, handler.__self__

    async def __call__(self, request: dict[str, Any]) -> Any:  # of the request, in WSGI's words
        line: Line | None = request["asgi.scope"].get("extensions", {}).get(EXTENSION)
        if line is None:
            return await super().__call__(request)
        self.asgi_receive, self.asgi_send = request["asgi.receive"], request["asgi.send"]
        await self.asgi_send({"type": "websocket.accept"})
        self._take_over(line)
        try:
            await self._receive()
        finally:
            await self._socket.close(wait=False, abort=True, reason=self._server.reason.TRANSPORT_CLOSE)
            line.drop()
        return ""

    def _take_over(self, line: Line) -> None:
        """Send what was queued before the connection stood; from here on packets are written as they come."""
        queued, self._socket.queue = self._socket.queue, Outbox(line.write)
        while not queued.empty():
            self._socket.queue.put_nowait(queued.get_nowait())
        self._socket.connected = self._socket.upgraded = True

    async def _receive(self) -> None:
        """Take packets until the tab is gone, or silent for longer than its answers to pings allow."""
        silence = self._server.ping_interval + self._server.ping_timeout
        try:
            while True:
                async with asyncio.timeout(silence):
                    data = await self.wait()
                if len(data) > self._server.max_http_buffer_size:
                    return
                await self._take(Packet(encoded_packet=data))
        except (OSError, ValueError, SocketIsClosedError):  # disconnected or timed out, no packet, closed by us
            return

    async def _take(self, packet: Packet) -> None:
        try:
            await self._socket.receive(packet)
        except (UnknownPacketError, SocketIsClosedError, asyncio.CancelledError) as end:
            if not isinstance(end, UnknownPacketError):
                raise
        except Exception:
            log.exception("A packet could not be handled.")


def install(sio: AsyncServer) -> None:
    """Have a server's packets go out this way; before it serves. Raises RuntimeError where its parts are others."""
    unknown = [trait for trait, holds in _traits(sio).items() if not holds]
    if unknown:
        raise RuntimeError(f"python-socketio or engine.io has changed, so fan-out cannot be installed: {unknown}")
    sio.manager = Rooms()
    sio.manager.set_server(sio)
    sio.eio._async = {**sio.eio._async, "websocket": TabSocket}


def _traits(sio: AsyncServer) -> dict[str, bool]:
    """What this module takes for granted."""
    emit = ["self", "event", "data", "namespace", "room", "skip_sid", "callback", "to", "kwargs"]
    socket = AsyncSocket(sio.eio, "")
    handler = inspect.getsource(AsyncSocket._upgrade_websocket)
    return {
        "rooms are an AsyncManager's": type(sio.manager) is AsyncManager,
        "emit takes what it took": list(inspect.signature(AsyncManager.emit).parameters) == emit,
        "sockets are found by their id": isinstance(sio.eio.sockets, dict),
        "a socket has a queue": isinstance(socket.queue, asyncio.Queue),
        "a socket says whether it is closed": socket.closed is False,
        "a server's WebSocket class is replaceable": sio.eio._async.get("websocket") is WebSocket,
        "it is made of a socket's bound method": "['websocket'](" in handler and "self._websocket_handler" in handler,
        "every tab has a WebSocket": list(sio.eio.transports) == ["websocket"],
    }
