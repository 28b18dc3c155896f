"""What runs for as long as the process does: the feed, the hub, room lists, sessions, who is there and who types.

This is the background task that is subscribed to Realtime and pushes to every connected browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import UUID

import reflex as rx

from chatapp import live, shared
from chatapp.accounts import sessions
from chatapp.actor import Actor
from chatapp.errors import ChatError
from chatapp.messages import queries as message_queries
from chatapp.presence import state as presence_state
from chatapp.presence.announcer import Announcer as PresenceAnnouncer
from chatapp.realtime import topic
from chatapp.realtime.feed import Feed
from chatapp.realtime.hint import Hint
from chatapp.realtime.hub import Hub
from chatapp.realtime.line import Line
from chatapp.realtime.peers import Peers
from chatapp.rooms import state as room_state
from chatapp.typing_indicator import state as typing_state
from chatapp.typing_indicator.announcer import Announcer as TypingAnnouncer

log = logging.getLogger(__name__)

LIST_REST = 0.05
"""Seconds between two readings of one person's room list, so that a burst of changes costs one."""

SESSIONS_EVERY = 60.0
"""Seconds between two looks at whether the sessions of open tabs are still there: an expiry has no hint."""


class Service:
    """Everything that runs for as long as the process: feed, hub, room lists, sessions, presence, typing."""

    def __init__(self, url: str, key: str) -> None:
        self.hub = Hub(message_queries, live.Tabs())
        live.use(self.hub)
        self.lists = RoomLists()
        self.sessions = Sessions()
        peers = Peers()
        self.presence = PresenceAnnouncer(presence_state.HERE, peers, self.hub.opened)
        self.typing = TypingAnnouncer(typing_state.HERE, peers, self.hub.followed)
        typing_state.use(self.hub.followed)
        shared.wire().on_leave(_left)
        line = Line(peers)
        peers.speak_through(line.say)
        self.feed = Feed(url, key, self._hint, self._gap, line)

    async def run(self) -> None:
        """Until cancelled. A defect in one part is logged, and all of them start anew with a gap."""
        try:
            while True:
                try:
                    await self._run_once()
                except* Exception:
                    log.exception("The live path broke and starts anew.")
                await asyncio.sleep(1)
        finally:
            await self.hub.close()
            await self.presence.close()

    async def _run_once(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.feed.run(), name="feed")
            tasks.create_task(self.hub.watch(), name="hub-watch")
            tasks.create_task(self.lists.keep(), name="room-lists")
            tasks.create_task(self.sessions.keep(), name="sessions")
            tasks.create_task(self.presence.keep(), name="presence")
            tasks.create_task(self.presence.keep_seen(), name="presence-seen")
            tasks.create_task(self.typing.keep(), name="typing")

    def _hint(self, hint: Hint) -> None:
        if hint.what == "session" and hint.session_id:
            self.sessions.end(hint.session_id)
            return
        self.hub.hint(hint)
        if hint.what != "message":
            self.lists.hint(hint)

    def _gap(self) -> None:
        self.hub.gap()
        self.lists.gap()
        self.sessions.gap()


class RoomLists:
    """Keeps people's room lists equal to the database, read once per person, not per tab."""

    def __init__(self) -> None:
        self._people: set[UUID] = set()
        self._rooms: set[UUID] = set()
        self._changed = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        """A membership or a room has changed."""
        if hint.gone:  # nobody is its member any more: whose list it was on is not to be known
            self.gap()
        elif hint.what == "member" and hint.user_id:
            self._people.add(hint.user_id)
        elif hint.what == "room" and hint.room_id:
            self._rooms.add(hint.room_id)
        self._changed.set()

    def gap(self) -> None:
        """Anything may have changed."""
        self._people.update(UUID(name.removeprefix("user:")) for name in shared.wire().rooms("user:"))
        self._changed.set()

    async def keep(self) -> None:
        """Until cancelled: send the lists that changed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._send()
            except ChatError as error:
                log.warning("Room lists could not be read: %s", error.message)
                self._changed.set()
            await asyncio.sleep(LIST_REST)

    async def _send(self) -> None:
        for room_id in list(self._rooms):
            self._people |= await message_queries.members_of(room_id)
            self._rooms.discard(room_id)
        for user_id in list(self._people):
            self._people.discard(user_id)  # before it is read: what changes meanwhile is read again
            if shared.wire().tabs(topic.user(user_id)):
                await self._send_to(user_id)

    async def _send_to(self, user_id: UUID) -> None:
        try:
            await room_state.send_list(Actor(user_id, ""), to=topic.user(user_id))
        except ChatError:
            self._people.add(user_id)
            raise


class Sessions:
    """Ends the tabs of sessions that have ended: at once by their hint, by asking where a hint may have been lost."""

    def __init__(self) -> None:
        self._suspect = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()

    def end(self, session_id: str) -> None:
        """A session is over."""
        sessions.forget(session_id)
        task = asyncio.create_task(_end_session(session_id), name="end-session")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def gap(self) -> None:
        """Any session may be over."""
        self._suspect.set()

    async def keep(self) -> None:
        """Until cancelled: ask once a minute, and after a gap."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SESSIONS_EVERY):  # wait_for may lose a cancellation, see pulse
                    await self._suspect.wait()
            self._suspect.clear()
            try:
                await self._compare()
            except ChatError as error:
                log.warning("Sessions could not be read: %s", error.message)

    async def _compare(self) -> None:
        here = {name.removeprefix("session:") for name in shared.wire().rooms("session:")}
        for session_id in here - await sessions.open_ids(here) if here else ():
            self.end(session_id)


def _left(sid: str) -> None:
    """A tab is nobody's any more."""
    presence_state.HERE.left(sid)
    typing_state.HERE.left(sid)


async def _end_session(session_id: str) -> None:
    for sid in shared.wire().tabs(topic.session(session_id)):
        await shared.wire().leave_all(sid)
        _left(sid)
        await shared.wire().emit(sid, shared.update(events=[rx.redirect("/sign-in", replace=True)]))
