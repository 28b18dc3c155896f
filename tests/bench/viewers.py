"""The cheapest clients that are sent what real ones are: they look for the message's number and throw the rest away.

Nothing here imports the app: the processes that run these must cost next to nothing.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import socket
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import uuid4

NUMBER = re.compile(rb"bench (\d{8})")
"""In every message's text; numbers grow, so a message seen twice, or before an older one, is not counted twice."""


def text(number: int, size: int = 100) -> str:
    """A message of `size` bytes that viewers recognise."""
    return f"bench {number:08}".ljust(size, "x")


@dataclass
class Tally:
    """What viewers have been sent since the last look: messages, when each came, and all bytes but heartbeats."""

    numbers: array[int] = field(default_factory=lambda: array("I"))
    times: array[float] = field(default_factory=lambda: array("d"))
    bytes: int = 0
    frames: int = 0


class Viewer:
    """One client's socket. `ready` once it would be sent messages."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.ready = False
        self.last = -1

    def connect(self, sock: socket.socket) -> None:
        """A new connection, the first or a later one: forget the old one and say hello."""
        self.sock, self.ready = sock, False
        self.opened()

    def opened(self) -> None:
        raise NotImplementedError

    def received(self, data: bytes, now: float, tally: Tally) -> None:
        """Take what has come at `now`."""
        raise NotImplementedError

    def goodbye(self) -> None:
        """Leave as the protocol wants it; the connection is closed afterwards."""

    def _count(self, payload: bytes, size: int, now: float, tally: Tally) -> None:
        tally.bytes += size
        tally.frames += 1
        for found in NUMBER.findall(payload):
            number = int(found)
            if number > self.last:
                self.last = number
                tally.numbers.append(number)
                tally.times.append(now)


class WebSocket(Viewer):
    """Frames without extensions; fragments and control frames are not sent by the servers measured here."""

    path = "/"
    headers: ClassVar[dict[str, str]] = {}

    def opened(self) -> None:
        self._buffer, self._upgraded = bytearray(), False
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = {
            "Host": f"{self.host}:{self.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            **self.headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.sock.sendall(f"GET {self.path} HTTP/1.1\r\n{head}\r\n".encode())

    def received(self, data: bytes, now: float, tally: Tally) -> None:
        self._buffer += data
        if not self._upgraded and not self._take_upgrade():
            return
        for payload, size in frames(self._buffer):
            self.message(payload, size, now, tally)

    def message(self, payload: bytes, size: int, now: float, tally: Tally) -> None:
        self._count(payload, size, now, tally)

    def say(self, payload: str) -> None:
        self.sock.sendall(frame(payload.encode()))

    def _take_upgrade(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        if b" 101 " not in self._buffer[:20]:
            raise ConnectionError(bytes(self._buffer[:200]).decode(errors="replace"))
        del self._buffer[: end + 4]
        self._upgraded = True
        return True


class SocketIo(WebSocket):
    """Engine.IO 4 over WebSocket, one namespace."""

    namespace = ""
    """"" for the default one, else with the comma: "/_event,"."""

    def message(self, payload: bytes, size: int, now: float, tally: Tally) -> None:
        if payload == b"2":  # a heartbeat
            self.say("3")
        elif payload.startswith(b"42"):
            self._count(payload, size, now, tally)
            self.event(payload)
        elif payload.startswith(b"40"):
            self.joined()
        elif payload.startswith(b"0"):
            self.say(f"40{self.namespace}{self.auth()}")

    def auth(self) -> str:
        return ""

    def joined(self) -> None:
        self.ready = True

    def event(self, payload: bytes) -> None:
        """An event other than by its number."""

    def emit(self, name: str, *arguments: object) -> None:
        self.say(f"42{self.namespace}{json.dumps([name, *arguments])}")


class RoomViewer(SocketIo):
    """A client of the bare python-socketio room, which puts everybody into it who connects."""

    path = "/socket.io/?EIO=4&transport=websocket"

    def post(self, text: str) -> None:
        self.emit("post", text)


class ChangesViewer(WebSocket):
    """A client of Supabase's Realtime, joined to `topic` with `join`, a JSON object.

    `ready` once it was told that its changes are watched, or, having asked for none, that it has joined.
    """

    def __init__(self, host: str, port: int, key: str, topic: str, join: str) -> None:
        super().__init__(host, port)
        self.path, self._topic, self._join = f"/realtime/v1/websocket?apikey={key}&vsn=1.0.0", topic, join
        self._last_word = b'"event":"system"' if json.loads(join)["config"]["postgres_changes"] else b'"status":"ok"'

    def received(self, data: bytes, now: float, tally: Tally) -> None:
        before = self._upgraded
        super().received(data, now, tally)
        if self._upgraded and not before:
            self.say(f'{{"topic":"realtime:{self._topic}","event":"phx_join","payload":{self._join},"ref":"1"}}')

    def message(self, payload: bytes, size: int, now: float, tally: Tally) -> None:
        self.ready = self.ready or self._last_word in payload
        super().message(payload, size, now, tally)


STATE = "reflex___state____state"


class AppTab(SocketIo):
    """A tab of our app with a room open, and `older` pages of its history read back."""

    namespace = "/_event,"

    def __init__(self, host: str, port: int, *, cookie: str, room_id: str, load_older: str, older: int = 0) -> None:
        super().__init__(host, port)
        self._room_id, self._load_older, self._older = room_id, load_older, older
        self._left = older
        self.path = f"/_event/?token={uuid4()}&EIO=4&transport=websocket"
        self.headers = {"Cookie": f"chatapp_session={cookie}"}

    def auth(self) -> str:
        self._left = self._older
        name = f"{STATE}.hydrate_and_load"
        return json.dumps({"event": {"name": name, "payload": {"vars": {}}, "router_data": self._router()}})

    def joined(self) -> None:
        """Connected, but ready only when the room's window has come."""

    def event(self, payload: bytes) -> None:
        if self.ready or b"window_rx_state_0" not in payload:
            return
        if self._left:
            self._left -= 1
            self.emit("event", {"name": self._load_older, "payload": {}, "router_data": self._router()})
        else:
            self.ready = True

    def _router(self) -> dict[str, object]:
        path = f"/chat/{self._room_id}"
        return {"pathname": path, "asPath": path, "query": {"room_id": self._room_id}}


def frame(payload: bytes) -> bytes:
    """A client's text frame. A mask of zeros is a mask, and leaves the payload as it is."""
    size = len(payload)
    head = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    return b"\x81" + head + b"\0\0\0\0" + payload


def frames(buffer: bytearray) -> Iterator[tuple[bytes, int]]:
    """Take the whole frames off the buffer's front: each one's payload, and its size on the wire."""
    at, end = 0, len(buffer)
    while end - at >= 2:
        length, head = buffer[at + 1] & 127, 2
        if length >= 126:
            head = 4 if length == 126 else 10
            if end - at < head:
                break
            length = int.from_bytes(buffer[at + 2 : at + head], "big")
        if end - at < head + length:
            break
        yield bytes(buffer[at + head : at + head + length]), head + length
        at += head + length
    del buffer[:at]
