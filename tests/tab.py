"""A tab without a browser: a socket that speaks to the app, and applies deltas, as Reflex's front end does."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import socketio

STATE = "reflex___state____state"
SUFFIX = "_rx_state_"

CONNECT_SECONDS = 20
"""How long a browser's socket.io waits for an answer; the Python client's own default gives up after one second."""


def state_name(module: str, name: str) -> str:
    """A state's name on the wire: `state_name("messages.state", "composer")`."""
    return f"{STATE}.chatapp___{module.replace('.', '___')}____{name}"


TIMELINE = state_name("messages.state", "timeline")
COMPOSER = state_name("messages.state", "composer")
MESSAGE_TOOLS = state_name("messages.state", "message_tools")
REACTIONS = state_name("reactions.state", "reactions")
OPEN_ROOM = state_name("rooms.state", "open_room")
RUN_ROOM = state_name("rooms.state", "run_room")
ROOM_LIST = state_name("rooms.state", "room_list")
THREADS = state_name("threads.state", "threads")
VIEWER = state_name("accounts.state", "viewer")
SIGN_IN = state_name("accounts.state", "sign_in")
TAB = state_name("live", "tab")


class Ascii:
    """JSON in ASCII, as a browser escapes what UTF-8 cannot carry."""

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: Any, **options: Any) -> str:
        return json.dumps(value, **{**options, "ensure_ascii": True})


class Tab:
    """One tab of one person, on one page at a time."""

    def __init__(self, url: str, cookie: str = "", token: str = "") -> None:
        self.url, self.cookie, self.token = url, cookie, token or str(uuid.uuid4())
        self.state: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.raw: list[str] = []
        """Every frame of the socket as it came, but for heartbeats."""
        self.path = "/"
        self._news = asyncio.Condition()
        self._socket = socketio.AsyncClient(reconnection=False, json=Ascii)
        self._socket.on("event", self._received, namespace="/_event")
        self._socket.eio.on("message", self._noted)

    async def open(self, path: str) -> Tab:
        """Connect and load a page, as a browser does when an address is entered."""
        self.path = path
        boot = {"name": f"{STATE}.hydrate_and_load", "payload": {"vars": {}}, "router_data": self._router()}
        await self._socket.connect(
            f"{self.url}?token={self.token}",
            headers={"Cookie": f"chatapp_session={self.cookie}"} if self.cookie else {},
            namespaces=["/_event"],
            socketio_path="_event",
            transports=["websocket"],
            wait_timeout=CONNECT_SECONDS,
            auth={"event": boot},
        )
        return self

    async def go(self, path: str) -> None:
        """Follow a link inside the app: the same socket, the next page's handlers."""
        self.path = path
        await self.call(f"{STATE}.reflex___state____on_load_internal_state.on_load_internal")

    async def call(self, handler: str, **arguments: Any) -> None:
        """Call any handler with any arguments."""
        event = {"name": handler, "payload": arguments, "router_data": self._router()}
        await self._socket.emit("event", event, namespace="/_event")

    async def read(self) -> None:
        """Wait until the server has read all that was sent."""
        await self._socket.call("ping", namespace="/_event")

    async def send(self, room_id: str, content: Any, client_id: str = "") -> str:
        """Post a message as the composer does; answers its client_id."""
        client_id = client_id or str(uuid.uuid4())
        await self.call(f"{COMPOSER}.send", room_id=room_id, client_id=client_id, content=content)
        return client_id

    async def load_older(self) -> None:
        """Read a page further back in the room, as scrolling up does."""
        oldest = self.rows[0]["seq"]
        await self.call(f"{TAB}.load_older")
        await self.until(lambda tab: tab.rows and tab.rows[0]["seq"] < oldest)

    async def until(self, condition: Callable[[Tab], Any], seconds: float = 5.0) -> Any:
        """Wait until the tab's state fulfils a condition; answers its value. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._news:
            while not (value := condition(self)):
                await self._news.wait()
            return value

    async def close(self) -> None:
        await self._socket.disconnect()

    async def cut(self) -> None:
        """Lose the connection as a pulled cable does: without a word."""
        await self._socket.eio.ws.close()

    def var(self, state: str, name: str, slot: str = "") -> Any:
        """A var as the browser's reducer has it, None before it was sent."""
        return self.state.get(state, {}).get(f"{name}{SUFFIX}{slot}")

    def shared(self, state: str, name: str) -> Any:
        """A shared var with one slot."""
        return self.var(state, name, "0")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What the conversation shows: the window's rows of the open room, in order."""
        window = self.shared(TIMELINE, "window") or {"room": "", "first": 1, "last": 0}
        slots = (value for key, value in self.state.get(TIMELINE, {}).items() if key.startswith(f"messages{SUFFIX}"))
        last = window["last"] or float("inf")
        shown = (
            row for row in slots if row and row["room"] == window["room"][:8] and window["first"] <= row["seq"] <= last
        )
        return sorted(map(self._latest, shown), key=lambda row: row["seq"])

    def _latest(self, row: dict[str, Any]) -> dict[str, Any]:
        """What a tab far back was told of a row since; see `collect` in assets/conversation.js."""
        later = self.state.get(TIMELINE, {}).get(f"changed{SUFFIX}{row['seq']}")
        same = later and (later["room"], later["seq"]) == (row["room"], row["seq"])
        return later if later and same and later["rev"] > row["rev"] else row

    @property
    def thread(self) -> list[dict[str, Any]]:
        """What the panel shows: see assets/threads.js. The first is what the thread began with."""
        shown = self.shared(THREADS, "shown") or {"parent": "", "first": 1}
        found: dict[int, dict[str, Any]] = {}
        for key, row in self.state.get(THREADS, {}).items():
            name, _, number = key.partition(SUFFIX)
            if name not in ("replies", "news") or not row or shown["parent"] not in (row["id"], row.get("parent")):
                continue
            known = found.get(int(number))
            if int(number) == 0 or int(number) >= shown["first"]:
                found[int(number)] = max((row, known or row), key=lambda each: each["rev"])
        return [found[number] for number in sorted(found)]

    @property
    def texts(self) -> list[str]:
        return [row["content"] for row in self.rows]

    @property
    def toasts(self) -> str:
        """All that was told in toasts so far."""
        return " ".join(str(event["payload"]) for event in self.events if event["name"] == "_call_function")

    @property
    def redirects(self) -> list[str]:
        return [event["payload"]["path"] for event in self.events if event["name"] == "_redirect"]

    async def _noted(self, data: str) -> None:
        self.raw.append(data)
        await self._socket._handle_eio_message(data)

    async def _received(self, update: dict[str, Any]) -> None:
        async with self._news:
            self.frames.append(update)
            for state, values in (update.get("delta") or {}).items():
                self.state.setdefault(state, {}).update(values)
            self.events.extend(update.get("events") or [])
            self._news.notify_all()

    def _router(self) -> dict[str, Any]:
        parts = self.path.split("?")[0].strip("/").split("/")
        dynamic = {"chat": "room_id", "invite": "invite_token"}
        named = len(parts) == 2 and parts[0] in dynamic and parts[1] != "browse"
        query = {dynamic[parts[0]]: parts[1]} if named else {}
        return {"pathname": self.path.split("?")[0], "asPath": self.path, "query": query}
