"""The live path's end in this process: hints come in, one delta per room goes out to the tabs that show it.

Subscribe, then load, then apply: opening a room, reloading, reconnecting and healing a gap are one code path,
`Tab.open_room`. A tab is subscribed by being in socket.io rooms, which end with its socket: nothing is left over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from uuid import UUID

import reflex as rx

from chatapp import shared
from chatapp.accounts import sessions
from chatapp.actor import Actor
from chatapp.errors import ChatError, NotFound, Unavailable
from chatapp.gate import actor, handler
from chatapp.messages import queries as message_queries
from chatapp.messages import state as message_state
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.realtime import topic
from chatapp.realtime.feed import Feed
from chatapp.realtime.hint import Hint
from chatapp.realtime.hub import Hub
from chatapp.realtime.room import SLOTS, Applied, LiveRoom
from chatapp.rooms import state as room_state

log = logging.getLogger(__name__)

PAGE = 50
"""Messages sent when a room opens, and with each older page."""

KEPT = 4 * PAGE
"""Messages that a tab keeps over a reconnection which it has followed live; what it has read back it keeps whole."""

LIST_REST = 0.05
"""Seconds between two readings of one person's room list, so that a burst of changes costs one."""


class Tab(rx.State):
    """Where this tab is subscribed. What it shows is in the shared vars of the slices, not here."""

    missing: str = ""
    """The room of the address that is not there, or not for this person: the two look alike."""

    _room: str = ""
    _topic: str = ""
    _first: int = 0
    _read_back: bool = False

    @handler(page=True)
    async def open_room(self):
        """A room's page opens, reloads or reconnects; also `Jump to latest`."""
        async with self:
            wanted = str(self.room_id)  # type: ignore[attr-defined]  # Reflex adds it with the route /chat/[room_id]
            kept = self._first if self._topic == topic.room(wanted) else 0
            read_back = self._read_back and kept > 0
        try:
            room = await _authorised(wanted)
        except NotFound:
            await self._show_nothing(missing=wanted)
            return
        first, rows = await _window(room, kept if read_back or room.newest - kept < KEPT else 0)
        async with self:
            # From here to the emit nothing suspends: being in the room and having its rows is one step.
            self.missing, self._first, self._read_back = "", first, read_back
            await self._move(topic.room(room.id), room)
            await shared.wire().emit(self.router.session.session_id, _opened(room, first, room.merge(rows)))

    @handler
    async def load_older(self):
        """The page before the oldest message shown. Too far from the live end, the tab stops following it."""
        async with self:
            before = (self._room, self._topic, self._first)
        if not before[0] or before[2] <= 1:
            return
        room = await _hub().open(UUID(before[0]))
        rows = await message_queries.before(actor(), room.id, before[2], PAGE)
        async with self:
            if rows and before == (self._room, self._topic, self._first):
                await self._show_older(room, rows)

    @handler(page=True)
    async def close_room(self):
        """A page without a room opens."""
        await self._show_nothing()

    async def _show_older(self, room: LiveRoom, rows: Sequence[MessageSnapshot]) -> None:
        self._first, self._read_back = rows[0].seq, True
        follows = self._topic == topic.room(room.id) and room.newest - self._first < SLOTS
        if not follows:
            await self._move(topic.room_head(room.id), room)
        last = 0 if follows else self._first + SLOTS - 1
        page = message_state.page(room, self._first, last, room.merge(rows))
        await shared.wire().emit(self.router.session.session_id, shared.update(*page, *message_state.head(room)))

    async def _show_nothing(self, missing: str = "") -> None:
        async with self:
            self.missing, self._first = missing, 0
            await self._move("", None)

    async def _move(self, to: str, room: LiveRoom | None) -> None:
        """Be in `to` and in no other room's topics. Never suspends."""
        wire, sid, me = shared.wire(), self.router.session.session_id, actor().user_id
        if self._room:
            for left in (self._topic, topic.room_member(self._room, me)):
                await wire.leave(sid, left)
        self._room, self._topic = str(room.id) if room else "", to
        if room is not None:
            for entered in (to, topic.room_member(room.id, me)):
                await wire.enter(sid, entered)


class Tabs:
    """The tabs of this process, as the hub's audience."""

    def rooms(self) -> set[UUID]:
        """Rooms that some tab here shows."""
        return {UUID(name.split(":")[1]) for name in shared.wire().rooms("room:")}

    async def publish(self, room: LiveRoom, applied: Applied) -> None:
        """One delta for everybody at the live end, a number for those who read far back."""
        values = [*room_state.changed(applied), *message_state.changed(room, applied)]
        if values:
            await shared.wire().emit(topic.room(room.id), shared.update(*values))
        if applied.rows:
            await shared.wire().emit(topic.room_head(room.id), shared.update(*message_state.head(room)))

    async def evict(self, room_id: UUID, user_ids: Iterable[str]) -> None:
        """Take people out of a room: when this returns, not one more byte of it can reach them."""
        for user_id in user_ids:
            for sid in shared.wire().tabs(topic.room_member(room_id, user_id)):
                await _expel(sid, room_id, user_id)


class RoomLists:
    """Keeps people's room lists equal to the database, read once per person, not per tab."""

    def __init__(self) -> None:
        self._stale: set[UUID] = set()
        self._stale_rooms: set[UUID] = set()
        self._changed = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        """A membership or a room has changed."""
        if hint.what == "member" and hint.user_id:
            self._stale.add(hint.user_id)
        elif hint.what == "room" and hint.room_id:
            self._stale_rooms.add(hint.room_id)
        self._changed.set()

    def gap(self) -> None:
        """Anything may have changed."""
        self._stale.update(_people_here())
        self._changed.set()

    async def keep(self) -> None:
        """Until cancelled: send the lists that changed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._send_stale()
            except ChatError as error:
                log.warning("Room lists could not be read: %s", error.message)
                self._changed.set()
            await asyncio.sleep(LIST_REST)

    async def _send_stale(self) -> None:
        here = _people_here()
        while self._stale_rooms:
            room_id = self._stale_rooms.pop()
            self._stale |= {UUID(str(user)) for user in await message_queries.members_of(room_id)}
        while self._stale:
            user_id = self._stale.pop()
            if user_id in here:
                await room_state.send_list(Actor(user_id, ""), to=topic.user(user_id))


class Live:
    """Everything that runs for as long as the process: feed, hub, room lists."""

    def __init__(self, url: str, key: str) -> None:
        self.hub = Hub(message_queries, Tabs())
        self.lists = RoomLists()
        self.feed = Feed(url, key, self._hint, self._gap)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.feed.run(), name="feed")
                tasks.create_task(self.hub.watch(), name="hub-watch")
                tasks.create_task(self.lists.keep(), name="room-lists")
        finally:
            await self.hub.close()

    def _hint(self, hint: Hint) -> None:
        if hint.what == "session" and hint.session_id:
            sessions.forget(hint.session_id)
            asyncio.get_running_loop().create_task(_end_session(hint.session_id))
            return
        self.hub.hint(hint)
        if hint.what != "message":
            self.lists.hint(hint)

    def _gap(self) -> None:
        self.hub.gap()
        self.lists.gap()


_live: Live | None = None


def use(live: Live) -> None:
    """Make `live` the process's own; done once, by the composition root."""
    global _live  # noqa: PLW0603  # one per process, set once
    _live = live


def _hub() -> Hub:
    if _live is None:
        raise Unavailable("The server is starting. Please try again.")
    return _live.hub


async def _authorised(room_id: str) -> LiveRoom:
    """The room, loaded, if the caller is in it. Raises NotFound."""
    try:
        wanted = UUID(room_id)
    except ValueError:
        raise NotFound from None
    await message_queries.require_membership(actor(), wanted)
    room = await _hub().open(wanted)
    if not room.has_member(actor().user_id):  # joined a moment ago, and the hint is still on its way
        await _hub().catch_up(room)
    if room.gone or not room.has_member(actor().user_id):
        raise NotFound
    return room


async def _window(room: LiveRoom, kept: int) -> tuple[int, Sequence[MessageSnapshot]]:
    """The first seq and the rows to show: the newest page, or more where a reconnecting tab had read back."""
    newest_page = max(1, room.newest - PAGE + 1)
    first = min(newest_page, max(kept, room.floor)) if kept else newest_page
    cached = room.window(first)
    return first, cached if cached is not None else await message_queries.between(room.id, first, room.newest)


def _opened(room: LiveRoom, first: int, rows: Sequence[MessageSnapshot]) -> shared.Update:
    return shared.update(*room_state.opened(room), *message_state.opened(room, first, rows))


def _people_here() -> set[UUID]:
    return {UUID(name.removeprefix("user:")) for name in shared.wire().rooms("user:")}


async def _expel(sid: str, room_id: UUID, user_id: str) -> None:
    for name in (topic.room(room_id), topic.room_head(room_id), topic.room_member(room_id, user_id)):
        await shared.wire().leave(sid, name)
    goodbye = [rx.toast.info("You are no longer in this room."), rx.redirect("/chat", replace=True)]
    await shared.wire().emit(sid, shared.update(events=goodbye))


async def _end_session(session_id: str) -> None:
    for sid in shared.wire().tabs(topic.session(session_id)):
        await shared.wire().leave_all(sid)
        await shared.wire().emit(sid, shared.update(events=[rx.redirect("/sign-in", replace=True)]))
