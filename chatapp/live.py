"""The live path's end in this process: hints come in, one delta per room goes out to the tabs that show it.

Subscribe, then load, then apply: opening a room, reloading, reconnecting and healing a gap are one code path,
`Tab.open_room`. A tab is subscribed by being in socket.io rooms, which end with its socket: nothing is left over.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import reflex as rx

from chatapp import shared
from chatapp.accounts import sessions
from chatapp.errors import NotFound, Unavailable
from chatapp.gate import actor, handler
from chatapp.messages import queries as message_queries
from chatapp.messages import state as message_state
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.patience import patiently
from chatapp.presence import state as presence_state
from chatapp.realtime import heads, topic
from chatapp.realtime.hub import Hub
from chatapp.realtime.room import SLOTS, Applied, LiveRoom
from chatapp.receipts import state as receipt_state
from chatapp.receipts.markers import markers
from chatapp.rooms import state as room_state
from chatapp.typing_indicator import state as typing_state

log = logging.getLogger(__name__)

PAGE = 50
"""Messages sent when a room opens, and with each older page."""

OPENING_MOST = 256 * 1024
"""Bytes of messages sent when a room opens: where they are long, there are fewer, and the rest is history."""

PAGE_MOST = 128 * 1024
"""The same for an older page."""

KEPT = 4 * PAGE
"""Messages that a tab keeps over a reconnection which it has followed live; what it has read back it keeps whole."""


class Here(NamedTuple):
    """What a handler was called for: it must still be so when the handler comes to act, after all its waiting."""

    room: str
    sid: str


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
            here = self._here()
            follows = self._topic == topic.room(here.room)
            kept, read_back = (self._first, self._read_back) if follows else (0, False)
        try:
            room = await patiently(lambda: _authorised(here.room))
            first = _first(room, kept, read_back)
            await patiently(lambda: _cache(room, first))
            await markers.open(room.id)
            async with self:
                # From here on nothing suspends: being in the room and having its rows is one step.
                await self._show_newest(room, here, first, read_back)
        except NotFound:
            await self._show_nothing(here, missing=here.room)

    @handler
    async def load_older(self):
        """The page before the oldest message shown. Too far from the live end, the tab stops following it."""
        async with self:
            here, shown = self._here(), (self._room, self._topic, self._first)
        if shown[0] != here.room or shown[2] <= 1:
            return
        room = await _hub().open(UUID(here.room))
        oldest = max(shown[2], room.floor) if shown[1] == topic.room(room.id) else shown[2]
        rows = await message_queries.before(actor(), room.id, oldest, PAGE)
        async with self:
            unchanged = self._here() == here and (self._room, self._topic, self._first) == shown
            if rows and unchanged and _admits(room):
                await self._show_older(room, here, rows)

    @handler(page=True)
    async def close_room(self):
        """A page without a room opens."""
        async with self:
            here = self._here()
        await self._show_nothing(here)

    def _here(self) -> Here:
        address = str(self.room_id)  # type: ignore[attr-defined]  # Reflex adds it with the route /chat/[room_id]
        return Here(address, self.router.session.session_id)

    async def _show_newest(self, room: LiveRoom, here: Here, first: int, read_back: bool) -> None:
        if self._here() != here:  # another page has opened, or another socket has taken over
            return
        if not _admits(room):  # judged last, after all waiting
            raise NotFound
        rows = message_state.newest_within(room.window(max(first, room.floor)), OPENING_MOST)
        self.missing, self._first, self._read_back = "", rows[0].seq if rows else first, read_back
        await self._move(here.sid, topic.room(room.id), room)
        ahead, rows = message_state.frames(room, rows)
        for values in ahead:
            await shared.wire().emit(here.sid, shared.update(*values))
        await shared.wire().emit(here.sid, _opened(room, self._first, rows))

    async def _show_older(self, room: LiveRoom, here: Here, found: Sequence[MessageSnapshot]) -> None:
        rows = message_state.newest_within(room.merge(found), PAGE_MOST)
        self._first, self._read_back = rows[0].seq, True
        follows = self._topic == topic.room(room.id) and room.newest - self._first < SLOTS
        if not follows:
            await self._move(here.sid, topic.room_head(room.id), room)
        last = 0 if follows else self._first + SLOTS - 1
        ahead, rows = message_state.frames(room, rows)
        for values in ahead:
            await shared.wire().emit(here.sid, shared.update(*values))
        page = message_state.page(room, self._first, last, rows)
        await shared.wire().emit(here.sid, shared.update(*page, *message_state.head(room)))

    async def _show_nothing(self, here: Here, missing: str = "") -> None:
        async with self:
            if self._here() == here:
                self.missing, self._first, self._read_back = missing, 0, False
                await self._move(here.sid, "", None)

    async def _move(self, sid: str, to: str, room: LiveRoom | None) -> None:
        """Be in `to` and in no other room's topics, whatever the state remembers. Never suspends."""
        wanted = _topics(room, to) if room else ()
        shown = str(room.id) if room else ""
        for name in shared.wire().rooms_of(sid):
            if name.startswith("room:") and name not in wanted:
                await shared.wire().leave(sid, name)
                await _list_again(sid, name, but=shown)
        for name in wanted:
            await shared.wire().enter(sid, name)
        await shared.wire().leave(sid, topic.listed(shown))
        self._room, self._topic = shown, to


class Tabs:
    """The tabs of this process, as the hub's audience."""

    def rooms(self) -> set[UUID]:
        """Rooms that some tab here shows."""
        return {UUID(name.split(":")[1]) for name in shared.wire().rooms("room:")}

    async def publish(self, room: LiveRoom, applied: Applied) -> None:
        """One delta for everybody at the live end; for those who read far back what changed, and a number."""
        everybody = [
            *room_state.changed(applied),
            *presence_state.changed(room, applied),
            *typing_state.changed(room, applied),
        ]
        here = [*message_state.changed(room, applied), *everybody]
        behind = [*(message_state.changed_behind(room, applied) if applied.rows else ()), *everybody]
        for to, values in ((topic.room(room.id), here), (topic.room_head(room.id), behind)):
            if values:
                await shared.wire().emit(to, shared.update(*values))

    async def evict(self, room_id: UUID, user_ids: Iterable[str]) -> None:
        """Take people out of a room: when this returns, not one more byte of it can reach them."""
        for user_id in user_ids:
            for sid in shared.wire().tabs(topic.room_member(room_id, user_id)):
                await _expel(sid, room_id, user_id)
            for sid in shared.wire().tabs(topic.user(user_id)):  # those that only list it
                await shared.wire().leave(sid, topic.listed(room_id))


_following: Hub | None = None


def use(hub: Hub) -> None:
    """Make `hub` the process's own; done once, when the process starts to serve."""
    global _following  # noqa: PLW0603  # one per process, set once
    _following = hub


def _hub() -> Hub:
    if _following is None:
        raise Unavailable("The server is starting. Please try again.")
    return _following


async def _authorised(address: str) -> LiveRoom:
    """The room of an address, loaded, if the caller is in it. Raises NotFound and Unavailable."""
    wanted = _room_id(address)
    known = _hub().followed(wanted)
    if known is None or not known.has_member(actor().user_id):
        await message_queries.require_membership(actor(), wanted)
    # Else it costs no query: what the hub has of the room is as old as what it knows of who is in it.
    room = await _hub().open(wanted)
    if not room.has_member(actor().user_id):  # joined a moment ago, and the hint is still on its way
        await _hub().catch_up(room)
    return room


def _room_id(address: str) -> UUID:
    try:
        wanted = UUID(address)
    except ValueError:
        raise NotFound from None
    if str(wanted) != address:  # one room has one address
        raise NotFound
    return wanted


def _admits(room: LiveRoom) -> bool:
    """Whether the caller may be in the room now. To be asked after the last await before they are let in."""
    return room.has_member(actor().user_id) and not sessions.ended(actor().session_id)


def _first(room: LiveRoom, kept: int, read_back: bool) -> int:
    """The first seq to show: of the newest page, or what a reconnecting tab had."""
    newest_page = max(1, room.newest - PAGE + 1)
    keeps = kept and (read_back or room.newest - kept < KEPT)
    return min(newest_page, max(kept, room.floor)) if keeps else newest_page


async def _cache(room: LiveRoom, first: int) -> None:
    """Have the rows from `first` on. What comes while we wait is cached by the hub, so together they are whole."""
    if not room.holds(first):
        room.merge(await message_queries.between(room.id, first, room.newest))


def _opened(room: LiveRoom, first: int, rows: Sequence[MessageSnapshot]) -> shared.Update:
    shares = markers.shares(room.id, actor().user_id)
    return shared.update(
        *room_state.opened(room),
        *message_state.opened(room, first, rows),
        *presence_state.opened(room),
        *typing_state.opened(room),
        *receipt_state.opened(room.id, markers.of(room.id), shares, room.member_ids),
    )


def _topics(room: LiveRoom, to: str) -> tuple[str, ...]:
    """The topics of a tab that shows a room; who hides where they have read to is not told where others have."""
    me = actor().user_id
    receipts = (topic.room_receipts(room.id),) if markers.shares(room.id, me) else ()
    return to, topic.room_member(room.id, me), *receipts


async def _list_again(sid: str, left: str, but: str) -> None:
    """From now on a room that a tab has shown is one of its list: tell it how far the room is, and go on telling."""
    _, room_id, *part = left.split(":")
    room = _hub().followed(UUID(room_id)) if room_id != but and part in ([], ["head"]) else None
    if room and room.newest and room.has_member(actor().user_id):
        await shared.wire().enter(sid, topic.listed(room_id))
        head = room_state.head_of(room)
        await shared.wire().emit(sid, shared.update(room_state.told_head(room.id, head)))
        heads.joined(room.id, head)


async def _expel(sid: str, room_id: UUID, user_id: str) -> None:
    topics = (topic.room(room_id), topic.room_head(room_id), topic.room_receipts(room_id), topic.listed(room_id))
    for name in (*topics, topic.room_member(room_id, user_id)):
        await shared.wire().leave(sid, name)
    goodbye = [rx.toast.info("You are no longer in this room."), rx.redirect("/chat", replace=True)]
    await shared.wire().emit(sid, shared.update(events=goodbye))
