"""The live path's end in this process: hints come in, one delta per room goes out to the tabs that show it.

Subscribe, then load, then apply: opening a room, reloading, reconnecting and healing a gap are one code path,
`Tab.open_room`. A tab is subscribed by being in socket.io rooms, which end with its socket: nothing is left over.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import reflex as rx

from chatapp import opening, shared
from chatapp.accounts import sessions
from chatapp.errors import NotFound, Unavailable
from chatapp.gate import actor, handler
from chatapp.invites import state as invite_state
from chatapp.messages import queries as message_queries
from chatapp.messages import state as message_state
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.messages.state import PAGE_MOST, Window
from chatapp.patience import patiently
from chatapp.presence import state as presence_state
from chatapp.realtime import heads, topic
from chatapp.realtime.hub import Hub
from chatapp.realtime.room import SLOTS, LiveRoom
from chatapp.receipts import state as receipt_state
from chatapp.receipts.markers import markers
from chatapp.rooms import state as room_state
from chatapp.threads import state as thread_state
from chatapp.typing_indicator import state as typing_state

log = logging.getLogger(__name__)

PAGE = 50
"""Messages sent when a room opens, and with each older page."""

OPENING_MOST = 256 * 1024
"""Bytes of messages sent when a room opens: where they are long, there are fewer, and the rest is history."""


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
    _last: int = 0
    _read_back: bool = False

    @handler(page=True)
    async def open_room(self):
        """A room's page opens, reloads or reconnects: at the message in its address, what is unread, or the end."""
        async with self:
            here, asked, kept, far_back = self._here(), self._asked(), self._kept(), self._far_back()
            back = self._room == here.room
        try:
            room = await patiently(lambda: _authorised(here.room))
            place = await patiently(lambda: opening.place(room, asked)) if asked else None
            await markers.open(room.id)
            at = opening.at(place) if place else opening.NEWEST
            if not place and not back:
                at = await patiently(lambda: opening.first_unread(room, markers.of(room.id)))
            if far_back and not place:
                await self._open_far_back(room, here, at, *far_back)
            else:
                await self._open(room, here, at, kept)
        except NotFound:
            await self._show_nothing(here, missing=here.room)
            return None
        return None if place or not asked else rx.toast.info(opening.GONE)

    @handler
    async def jump(self, message_id: UUID):
        """Show a message of the open room among those around it."""
        async with self:
            here, kept = self._here(), self._kept()
        room = await _authorised(here.room)
        place = await opening.place(room, str(message_id))
        if place is None:
            return rx.toast.info(opening.GONE)
        return await self._open(room, here, opening.at(place), kept)

    @handler
    async def show_latest(self):
        """`Jump to latest`"""
        async with self:
            here, kept = self._here(), self._kept()
        await self._open(await _authorised(here.room), here, opening.NEWEST, kept)

    @handler
    async def load_older(self):
        """The page before the oldest message shown. Too far from the live end, the tab stops following it."""
        async with self:
            here, shown = self._here(), (self._room, self._topic, self._first)
        if shown[0] != here.room or shown[2] <= 1 or not _hears(here.sid, shown[1]):
            return
        room = await _hub().open(UUID(here.room))
        oldest = max(shown[2], room.floor) if shown[1] == topic.room(room.id) else shown[2]
        if room.newest - oldest + PAGE >= SLOTS:
            await self._hear_of_changes(room, here)
        rows = await message_queries.before(actor(), room.id, oldest, PAGE)
        async with self:
            unchanged = self._here() == here and (self._room, self._topic, self._first) == shown
            if rows and unchanged and _hears(here.sid, shown[1]) and _admits(room):
                await self._show_older(room, here, rows)

    @handler
    async def load_newer(self):
        """The page after the newest message shown, far back in a room. At the live end, the tab follows again."""
        async with self:
            here, shown = self._here(), (self._room, self._topic, self._last)
        room = await _authorised(here.room)
        if shown[:2] != (here.room, topic.room_head(here.room)) or not _hears(here.sid, shown[1]):
            return
        if room.newest - shown[2] <= PAGE and await self._follow_again(room, here):
            return
        upto = min(shown[2] + PAGE, room.newest)
        rows = room.merge(await message_queries.between(room.id, shown[2] + 1, upto))
        async with self:
            unchanged = self._here() == here and (self._room, self._topic, self._last) == shown
            if rows and unchanged and _hears(here.sid, shown[1]) and _admits(room):
                await self._show_newer(room, here, rows)

    @handler(page=True)
    async def close_room(self):
        """A page without a room opens."""
        async with self:
            here = self._here()
        await self._show_nothing(here)

    def _here(self) -> Here:
        address = str(self.room_id)  # type: ignore[attr-defined]  # Reflex adds it with the route /chat/[room_id]
        return Here(address, self.router.session.session_id)

    def _asked(self) -> str:
        """The message that the address names. The browser takes it out of the address as soon as it is shown."""
        return self.router.url.query_parameters.get("m", "")

    def _kept(self) -> tuple[int, bool]:
        """The first seq that a tab which follows its room has, and whether it has read back to it; 0 for none."""
        follows = self._topic == topic.room(self._here().room)
        return (self._first, self._read_back) if follows else (0, False)

    def _far_back(self) -> tuple[int, int] | None:
        """The first and last seq that a tab far back in its room shows: a reader there stays over a reconnection."""
        return (self._first, self._last) if self._topic == topic.room_head(self._here().room) else None

    async def _open(self, room: LiveRoom, here: Here, at: opening.At, kept: tuple[int, bool]) -> None:
        """Show a room at some place. Raises NotFound for who has been put out of it by now."""
        await markers.open(room.id)
        if at.seq and room.newest - opening.before(at) >= opening.KEPT:
            await self._open_far_back(room, here, at, *opening.far_back(at, 2 * PAGE))
            return
        first = _first(room, *kept)
        if at.seq:
            first = min(first, opening.before(at))
        await patiently(lambda: _cache(room, first))
        async with self:
            # From here on nothing suspends: being in the room and having its rows is one step.
            if not self._may_show(room, here):
                return
            if _reaches(room, first, at):
                self._read_back = kept[1]
                await self._show_end(room, here, max(first, room.floor), at)
                return
        await self._open_far_back(room, here, at, *opening.far_back(at, 2 * PAGE))

    async def _open_far_back(self, room: LiveRoom, here: Here, at: opening.At, first: int, last: int) -> None:
        await self._hear_of_changes(room, here)
        rows = await patiently(lambda: message_queries.between(room.id, first, last))
        async with self:
            if self._may_show(room, here):
                if not rows:  # deleted, and the hub does not know it yet
                    raise NotFound
                shown = message_state.around(room.merge(rows), at.seq or (first + last) // 2, OPENING_MOST)
                self._first, self._last, self._read_back = shown[0].seq, shown[-1].seq, True
                await self._move(here.sid, topic.room_head(room.id), room)
                await self._show(room, here, shown, at)

    async def _hear_of_changes(self, room: LiveRoom, here: Here) -> None:
        """Be told of changes before rows far back are read: one may come between reading them and showing them."""
        async with self:
            if self._may_show(room, here):
                await shared.wire().enter(here.sid, topic.room_head(room.id))

    async def _follow_again(self, room: LiveRoom, here: Here) -> bool:
        """From far back to the live end, which is a page away: it joins what is shown. False where it does not yet."""
        async with self:
            first = max(self._first, room.newest - opening.KEPT + 1)
        await _cache(room, first)
        async with self:
            shows = self._may_show(room, here) and self._topic == topic.room_head(here.room)
            if shows and not _joins(room, self._last):
                return False
            if shows:
                await self._show_end(room, here, max(first, room.floor), opening.NEWEST)
        return True

    async def _show_end(self, room: LiveRoom, here: Here, first: int, at: opening.At) -> None:
        """Follow the room from here on, with its rows from `first` on, or as many as one opening may have."""
        rows = message_state.newest_within(room.window(first), OPENING_MOST)
        self._first, self._last = rows[0].seq if rows else first, 0
        await self._move(here.sid, topic.room(room.id), room)
        await self._show(room, here, rows, at)

    async def _show(self, room: LiveRoom, here: Here, rows: Sequence[MessageSnapshot], at: opening.At) -> None:
        window = Window(here.room, self._first, self._last, *at)
        left = await _send_ahead(room, here, rows)
        await shared.wire().emit(here.sid, _opened(room, window, left))

    def _may_show(self, room: LiveRoom, here: Here) -> bool:
        """Whether a room may be shown, judged last, after all waiting. Raises NotFound where it is not for them."""
        if self._here() != here:  # another page has opened, or another socket has taken over
            return False
        if not _admits(room):
            raise NotFound
        self.missing = ""
        return True

    async def _show_older(self, room: LiveRoom, here: Here, found: Sequence[MessageSnapshot]) -> None:
        rows = message_state.newest_within(room.merge(found), PAGE_MOST)
        self._first, self._read_back = rows[0].seq, True
        follows = self._topic == topic.room(room.id) and room.newest - self._first < SLOTS
        # Also where it goes on following: it may be in the other topic, too, since `_hear_of_changes`.
        await self._move(here.sid, topic.room(room.id) if follows else topic.room_head(room.id), room)
        furthest = self._first + SLOTS - 1
        self._last = 0 if follows else min(self._last or furthest, furthest)
        await self._show_page(room, here, rows)

    async def _show_newer(self, room: LiveRoom, here: Here, found: Sequence[MessageSnapshot]) -> None:
        # Merged once more: what has changed since it was found was told to the rows that were shown then.
        rows = message_state.oldest_within(room.merge(found), PAGE_MOST)
        self._last = rows[-1].seq
        self._first = max(self._first, self._last - SLOTS + 1)
        await self._show_page(room, here, rows)

    async def _show_page(self, room: LiveRoom, here: Here, rows: Sequence[MessageSnapshot]) -> None:
        left = await _send_ahead(room, here, rows)
        page = message_state.page(room, Window(here.room, self._first, self._last), left)
        await shared.wire().emit(here.sid, shared.update(*page, *message_state.head(room)))

    async def _show_nothing(self, here: Here, missing: str = "") -> None:
        async with self:
            if self._here() == here:
                self.missing, self._first, self._last, self._read_back = missing, 0, 0, False
                await self._move(here.sid, "", None)

    async def _move(self, sid: str, to: str, room: LiveRoom | None) -> None:
        """Be in `to` and in no other room's topics, whatever the state remembers. Never suspends."""
        wanted = _topics(room, to) if room else ()
        shown = str(room.id) if room else ""
        for name in shared.wire().rooms_of(sid):
            if name.startswith("room:") and name not in wanted and not _is_thread_of(room, name):
                await shared.wire().leave(sid, name)
                await _list_again(sid, name, but=shown)
        for name in wanted:
            await shared.wire().enter(sid, name)
        await shared.wire().leave(sid, topic.listed(shown))
        self._room, self._topic = shown, to


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


def _hears(sid: str, name: str) -> bool:
    """Whether a tab is in a topic still. One that was put out of its room shows what was so then: a page more would let
    it in again without all that has changed since.
    """
    return name in shared.wire().rooms_of(sid)


def _first(room: LiveRoom, kept: int, read_back: bool) -> int:
    """The first seq to show: of the newest page, or what a reconnecting tab had."""
    newest_page = max(1, room.newest - PAGE + 1)
    keeps = kept and (read_back or room.newest - kept < opening.KEPT)
    return min(newest_page, max(kept, room.floor)) if keeps else newest_page


def _reaches(room: LiveRoom, first: int, at: opening.At) -> bool:
    """Whether a message that was asked for is among the newest rows, as many as one opening may have."""
    rows = message_state.newest_within(room.window(first), OPENING_MOST)
    return not at.asked or not rows or rows[0].seq <= at.seq


def _joins(room: LiveRoom, last: int) -> bool:
    """Whether what comes after `last` leaves half of an opening for what is before it, where the reader is."""
    beyond = room.window(last + 1)
    fits = len(message_state.newest_within(beyond, OPENING_MOST // 2)) == len(beyond)
    return fits and room.newest - last < opening.KEPT - 1


async def _cache(room: LiveRoom, first: int) -> None:
    """Have the rows from `first` on. What comes while we wait is cached by the hub, so together they are whole."""
    if not room.holds(first):
        room.merge(await message_queries.between(room.id, first, room.newest))


async def _send_ahead(room: LiveRoom, here: Here, rows: Sequence[MessageSnapshot]) -> Sequence[MessageSnapshot]:
    """Send what would make one frame too large in frames of its own; answer the rows that are left."""
    ahead, left = message_state.frames(room, rows)
    for values in ahead:
        await shared.wire().emit(here.sid, shared.update(*values))
    return left


def _opened(room: LiveRoom, window: Window, rows: Sequence[MessageSnapshot]) -> shared.Update:
    shares = markers.shares(room.id, actor().user_id)
    return shared.update(
        *room_state.opened(room),
        *message_state.opened(room, window, rows),
        *presence_state.opened(room),
        *typing_state.opened(room),
        *thread_state.closed(),
        *invite_state.opened(),
        *receipt_state.opened(room.id, markers.of(room.id), shares, room.member_ids),
    )


def _topics(room: LiveRoom, to: str) -> tuple[str, ...]:
    """The topics of a tab that shows a room; who hides where they have read to is not told where others have."""
    me = actor().user_id
    receipts = (topic.room_receipts(room.id),) if markers.shares(room.id, me) else ()
    return to, topic.room_member(room.id, me), *receipts


def _is_thread_of(room: LiveRoom | None, name: str) -> bool:
    """Whether it is the topic of a thread in a room: the panel beside the messages stays, wherever those are read."""
    return room is not None and name.startswith(topic.room_thread(room.id, ""))


async def _list_again(sid: str, left: str, but: str) -> None:
    """From now on a room that a tab has shown is one of its list: tell it how far the room is, and go on telling."""
    _, room_id, *part = left.split(":")
    room = _hub().followed(UUID(room_id)) if room_id != but and part in ([], ["head"]) else None
    if room and room.newest and room.has_member(actor().user_id):
        await shared.wire().enter(sid, topic.listed(room_id))
        head = room_state.head_of(room)
        await shared.wire().emit(sid, shared.update(room_state.told_head(room.id, head)))
        heads.joined(room.id, head)
