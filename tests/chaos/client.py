"""A tab that behaves as the browser does when all breaks: it connects again, and sends again until it is told."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import socketio
from socketio.exceptions import SocketIOError

from tests.chaos.checker import Message, Watch
from tests.tab import COMPOSER, CONNECT_SECONDS, SUFFIX, TIMELINE, Ascii, Tab

RETRY_SECONDS, SPREAD_SECONDS = 0.25, 1.0
"""RETRY_MS and SPREAD_MS of assets/connection.js: every attempt is held back by a part of the latter."""

RESEND_SECONDS, TRIES, UNSENT = 6.0, 5, 100
"""RESEND_MS, TRIES and UNSENT of assets/conversation.js."""

RETRY_PRESSED_SECONDS = 20.0
"""When a message has failed TRIES times, its sender sees that and presses `Retry` so much later."""

FRAMES_KEPT = 2000


@dataclass
class Item:
    """A message in the outbox, under the id that it keeps until it is stored."""

    room: str
    client_id: str
    content: str
    tries: int = 0
    left: int = TRIES
    sent_at: float = -RESEND_SECONDS
    failed_at: float | None = None

    def anew(self) -> None:
        """Send it as if it never had been; answers to earlier attempts are no news."""
        self.left, self.sent_at, self.failed_at = TRIES, -RESEND_SECONDS, None


@dataclass(frozen=True)
class Person:
    """Somebody with a session."""

    user_id: UUID
    cookie: str


@dataclass
class Outbox:
    """What has not been confirmed, oldest first, and what has."""

    waiting: dict[str, Item] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)

    @property
    def full(self) -> bool:
        """Whether the browser would ask its person to wait."""
        return len(self.waiting) >= UNSENT

    def confirm(self, client_id: str) -> None:
        if self.waiting.pop(client_id, None):
            self.confirmed.add(client_id)

    def heard(self, client_id: str, outcome: dict[str, Any]) -> None:
        """What became of an attempt; of an earlier one it is no news."""
        item = self.waiting.get(client_id)
        if outcome["stored"]:
            self.confirm(client_id)
        elif item and outcome["attempt"] == item.tries:
            item.failed_at = time.monotonic()

    def due(self, now: float) -> Item | None:
        """The oldest that has not failed, if it is time to send it: the others wait for its answer."""
        for item in self.waiting.values():
            if item.failed_at is not None and now - item.failed_at >= RETRY_PRESSED_SECONDS:
                item.anew()
            if item.failed_at is None and not self._gives_up(item, now):
                return item if now - item.sent_at >= RESEND_SECONDS else None
        return None

    def connected(self) -> None:
        """What was on its way is lost with the connection."""
        for item in self.waiting.values():
            if item.failed_at is None:
                item.anew()

    def _gives_up(self, item: Item, now: float) -> bool:
        if item.left == 0 and now - item.sent_at >= RESEND_SECONDS:
            item.failed_at = now
        return item.failed_at is not None


class Client(Tab):
    """One person's tab, on one room at a time, for as long as it is wanted."""

    def __init__(self, url: str, person: Person, dice: random.Random) -> None:
        super().__init__(url, person.cookie)
        self.person, self.outbox, self.dice = person, Outbox(), dice
        self.raw: list[str] = []
        self.watch = Watch(f"tab {self.token[:8]}")
        self.connections = 0
        self._down = asyncio.Event()
        self._job: asyncio.Task[None] | None = None

    @property
    def me(self) -> str:
        return str(self.person.user_id)

    def start(self, path: str) -> Client:
        """Open a page and stay connected until `end`."""
        self.path = path
        self._job = asyncio.create_task(self._stay(), name="client")
        return self

    async def end(self) -> None:
        """Close the tab."""
        if self._job:
            self._job.cancel()
            await asyncio.gather(self._job, return_exceptions=True)
        await self._hang_up()

    async def reload(self) -> None:
        """What F5 does: all that was shown is gone, the page opens anew on a connection of its own."""
        path = self.path
        await self.end()
        self.state.clear()
        self.start(path)

    def say(self, room: str, content: str) -> str:
        """Put a message into the outbox and send it; answers its client_id."""
        item = Item(room, str(uuid4()), content)
        self.outbox.waiting[item.client_id] = item
        return item.client_id

    async def post(self, room: str, client_id: str, content: str, attempt: int = 1) -> bool:
        """Send, perhaps again; False where there is no connection, and somebody has to try again."""
        arguments = {"client_id": client_id, "content": content, "attempt": attempt, "author": self.me}
        try:
            await self.call(f"{COMPOSER}.send", room_id=room, **arguments)
        except (SocketIOError, OSError):
            return False
        return True

    async def until_shown(self, room: str, seconds: float = 60) -> None:
        """Wait until the tab shows a room."""
        await self.until(lambda tab: (tab.shared(TIMELINE, "window") or {}).get("room") == room, seconds)

    def view(self) -> list[Message]:
        """What the tab shows, from top to bottom."""
        return [shown(row) for row in self.rows]

    async def _stay(self) -> None:
        while True:
            try:
                await self._connect()
                await self._sweep_until_down()
            except Exception:  # noqa: BLE001  # a browser knows no reason to give up either
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                await self._hang_up()
            await asyncio.sleep(self.dice.uniform(0, SPREAD_SECONDS))

    async def _connect(self) -> None:
        self._down = asyncio.Event()
        down = self._down
        self._socket = socketio.AsyncClient(reconnection=False, json=Ascii)
        self._socket.on("event", self._received, namespace="/_event")
        self._socket.on("disconnect", lambda *_: down.set(), namespace="/_event")
        self._socket.eio.on("message", self._heard)
        self.connections += 1
        async with asyncio.timeout(CONNECT_SECONDS):
            await self.open(self.path)

    async def _hang_up(self) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2):
                await self._socket.disconnect()
                if self._socket.eio.http:  # it closes what it has opened only where that came to be a connection
                    await self._socket.eio.http.close()

    async def _heard(self, data: Any) -> None:
        if isinstance(data, str):
            self.raw.append(data)
            if len(self.raw) > 2 * FRAMES_KEPT:
                del self.raw[:FRAMES_KEPT]
        await self._socket._handle_eio_message(data)

    async def _received(self, update: dict[str, Any]) -> None:
        slots = (update.get("delta") or {}).get(TIMELINE, {})
        for key, row in slots.items():
            if key.startswith(f"messages{SUFFIX}") and row:
                self.watch.row(row)
                if row["user_id"] == self.me:
                    self.outbox.confirm(row["client_id"])
        for client_id, outcome in ((update.get("delta") or {}).get(COMPOSER, {}).get(OUTCOMES) or {}).items():
            self.outbox.heard(client_id, outcome)
        await super()._received(update)
        del self.frames[:-1], self.events[:-20]  # the whole run is too long to keep

    async def _sweep_until_down(self) -> None:
        """As `sendNext` and `sweep` in conversation.js; the person presses `Retry` as often as it takes."""
        self.outbox.connected()
        while not self._down.is_set():
            if item := self.outbox.due(now := time.monotonic()):
                item.tries, item.left, item.sent_at = item.tries + 1, item.left - 1, now
                await self.post(item.room, item.client_id, item.content, item.tries)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._down.wait(), 0.05)


OUTCOMES = f"outcomes{SUFFIX}"


def shown(row: dict[str, Any]) -> Message:
    """A row of the wire as the checker compares it."""
    return Message(
        seq=row["seq"],
        rev=row["rev"],
        user_id=row["user_id"],
        client_id=row["client_id"],
        content=row["content"],
        edited=row.get("edited", False),  # what most messages don't have may be left out
        deleted=row.get("deleted", False),
        reactions=told(row.get("reactions") or []),
    )


def told(reactions: Any) -> str:
    """How many people reacted with what: reactions in a form that can be compared, from a row or from the wire."""
    pairs = reactions.items() if isinstance(reactions, dict) else ((each["emoji"], each["count"]) for each in reactions)
    return " ".join(f"{emoji}{count}" for emoji, count in sorted(pairs))
