"""What runs for as long as the process does: the feed, the hub, room lists, sessions, who is there and who types.

This is the background task that is subscribed to Realtime and pushes to every connected browser.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from uuid import UUID

import reflex as rx

from chatapp import audience, live, shared
from chatapp.accounts import sessions
from chatapp.actor import Actor
from chatapp.errors import ChatError
from chatapp.invites import state as invite_state
from chatapp.invites.watchers import watchers
from chatapp.messages import queries as message_queries
from chatapp.presence import state as presence_state
from chatapp.presence.announcer import Announcer as PresenceAnnouncer
from chatapp.realtime import heads, topic
from chatapp.realtime.feed import Feed
from chatapp.realtime.heads import LOOKS, Heads
from chatapp.realtime.hint import Hint, Step
from chatapp.realtime.hub import Hub
from chatapp.realtime.line import Line
from chatapp.realtime.peers import Peers
from chatapp.realtime.pulse import Every, never, pulse
from chatapp.receipts.actions import advances
from chatapp.receipts.markers import markers
from chatapp.rooms import queries as room_queries
from chatapp.rooms import state as room_state
from chatapp.rooms.snapshots import Mark
from chatapp.threads import state as thread_state
from chatapp.threads.marks import FollowedThreads
from chatapp.typing_indicator import state as typing_state
from chatapp.typing_indicator.announcer import Announcer as TypingAnnouncer

log = logging.getLogger(__name__)

MARKS_REST = 0.25
"""Seconds between two tellings of own read markers: all tabs of a person count alike within a second."""

NO_STEP: Step = (0, 0)

SETTLE_SECONDS = 2.0
"""How long a process that ends waits for read markers to be stored."""

LIST_REST = 0.05
"""Seconds between two readings of one person's room list, so that a burst of changes costs one."""

LISTS_WATCHDOG = 30.0
"""Seconds between two comparisons of the lists of everybody here with the database: the bound on a lost hint."""

SESSIONS_EVERY = 60.0
"""Seconds between two looks at whether the sessions of open tabs are still there: an expiry has no hint."""


class Service:
    """Everything that runs for as long as the process: feed, hub, room lists, sessions, presence, typing."""

    def __init__(self, url: str, key: str) -> None:
        self.hub = Hub(message_queries, audience.Tabs())
        live.use(self.hub)
        self.lists = RoomLists()
        self.heads = Heads(room_queries.heads, room_state.tell_head, room_state.listed)
        heads.use(self.heads)
        self.marks = OwnMarks()
        self.threads = FollowedThreads()
        self.mentions = OwnMentions()
        self.sessions = Sessions()
        peers = Peers()
        self.presence = PresenceAnnouncer(presence_state.HERE, peers, self.hub.opened)
        self.typing = TypingAnnouncer(typing_state.HERE, peers, self.hub.followed)
        room_state.use(presence_state.HERE.status)
        typing_state.use(self.hub.followed)
        thread_state.use(self.hub.followed)
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
            await advances.settle(SETTLE_SECONDS)

    async def _run_once(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.feed.run(), name="feed")
            tasks.create_task(self.hub.watch(self._gap), name="hub-watch")
            tasks.create_task(self.lists.keep(), name="room-lists")
            tasks.create_task(self.heads.keep(), name="room-heads")
            tasks.create_task(self.marks.keep(), name="own-marks")
            tasks.create_task(self.threads.keep(), name="followed-threads")
            tasks.create_task(self.mentions.keep(), name="own-mentions")
            tasks.create_task(markers.keep(), name="read-markers")
            tasks.create_task(watchers.keep(invite_state.read, invite_state.send), name="invites")
            tasks.create_task(advances.keep(), name="advances")
            tasks.create_task(self.sessions.keep(), name="sessions")
            tasks.create_task(self.presence.keep(), name="presence")
            tasks.create_task(self.presence.keep_seen(), name="presence-seen")
            tasks.create_task(self.typing.keep(), name="typing")

    def _hint(self, hint: Hint) -> None:
        if hint.what == "session" and hint.session_id:
            self.sessions.end(hint.session_id)
            return
        if hint.what == "thread":
            self.threads.hint(hint)
            return
        self.hub.hint(hint)
        self.marks.hint(hint)
        self.mentions.hint(hint)
        if hint.what in ("member", "room"):
            self.lists.hint(hint)
        if hint.what in ("member", "read"):
            markers.hint(hint)
        if hint.what in ("member", "invite"):
            watchers.hint(hint)
        if hint.what == "message" and hint.room_id:
            self.heads.hint(hint.room_id, hint.seq)

    def _gap(self) -> None:
        self.hub.gap()
        self.heads.gap()
        self.threads.gap()
        markers.gap()
        watchers.gap()
        self.lists.gap()
        self.sessions.gap()


@dataclass(frozen=True)
class Due:
    """What hints say of a room: it is at `rev`, or `gone`, so these people's lists are to be read; None: its members'.

    A hint may be heard before what it tells of can be read: it is looked for `looks` times more.
    """

    rev: int = 0
    gone: bool = False
    people: frozenset[UUID] | None = frozenset()
    looks: int = LOOKS

    def and_also(self, later: Due) -> Due:
        everybody = self.people is None or later.people is None
        people = None if everybody else (self.people or frozenset()) | (later.people or frozenset())
        return Due(max(self.rev, later.rev), self.gone or later.gone, people, max(self.looks, later.looks))

    def once_less(self) -> Due:
        return replace(self, looks=self.looks - 1)

    def can_be_read(self, rev: int | None) -> bool:
        """Whether it shows in the database, where the room is at `rev`, None for nowhere."""
        return rev is None if self.gone else rev is not None and rev >= self.rev


class RoomLists:
    """Keeps people's room lists equal to the database, read once per person, not per tab."""

    def __init__(self) -> None:
        self._people: set[UUID] = set()
        self._due: dict[UUID, Due] = {}
        self._changed = asyncio.Event()
        self._watchdog = Every(LISTS_WATCHDOG)

    def hint(self, hint: Hint) -> None:
        """A membership or a room has changed."""
        if hint.room_id is None:
            return
        people = frozenset({hint.user_id}) if hint.what == "member" and hint.user_id else None
        self._put([(hint.room_id, Due(hint.rev, hint.gone, people))])

    def gap(self) -> None:
        """Anything may have changed."""
        self._people.update(_people_here())
        self._changed.set()

    async def keep(self) -> None:
        """Until cancelled: send the lists that changed, and now and then look for what no hint told of."""
        await pulse(self._changed, self._watchdog.due, self._act, LIST_REST, "Room lists could not be read")

    async def _act(self) -> None:
        if self._watchdog.passed():
            self._people |= await room_state.outdated(_people_here())
        await self._take_due()
        for user_id in list(self._people):
            self._people.discard(user_id)  # before it is read: what changes meanwhile is read again
            if shared.wire().tabs(topic.user(user_id)):
                await self._send_to(user_id)

    async def _take_due(self) -> None:
        """Whose lists have changed, as far as it can be read yet."""
        due, self._due = self._due, {}
        try:
            revs = await message_queries.revs(due) if due else {}
            early = [(room_id, it) for room_id, it in due.items() if it.looks and not it.can_be_read(revs.get(room_id))]
            for room_id in due.keys() - dict(early).keys():
                self._people |= await self._whose(room_id, due[room_id])
        except ChatError:
            self._put(due.items())
            raise
        self._put((room_id, it.once_less()) for room_id, it in early)

    async def _whose(self, room_id: UUID, due: Due) -> AbstractSet[UUID]:
        if due.gone:  # nobody is its member any more: whose list it was on is not to be known
            return _people_here()
        return due.people if due.people is not None else await message_queries.members_of(room_id)

    def _put(self, news: Iterable[tuple[UUID, Due]]) -> None:
        for room_id, due in news:
            self._due[room_id] = due.and_also(self._due[room_id]) if room_id in self._due else due
            self._changed.set()

    async def _send_to(self, user_id: UUID) -> None:
        try:
            await room_state.send_list(Actor(user_id, ""), to=topic.user(user_id))
        except ChatError:
            self._people.add(user_id)
            raise


def _people_here() -> set[UUID]:
    return {UUID(name.removeprefix("user:")) for name in shared.wire().rooms("user:")}


class OwnMarks:
    """Tells people's tabs where their read markers are, so that all of them count alike."""

    def __init__(self) -> None:
        self._moved: dict[tuple[UUID, UUID], tuple[Step, int]] = {}
        self._news = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        """Somebody has read, or written. A tab that shows the room sees what its person writes there."""
        if hint.room_id is None or hint.what not in ("message", "read"):
            return
        for user_id, step in _readers(hint).items():
            tabs = set(shared.wire().tabs(topic.user(user_id)))
            if hint.what == "message":
                tabs -= set(shared.wire().tabs(topic.room_member(hint.room_id, user_id)))
            if tabs:
                known, _ = self._moved.get((hint.room_id, user_id), (NO_STEP, 0))
                self._moved[hint.room_id, user_id] = (max(step or NO_STEP, known), LOOKS)
                self._news.set()

    async def keep(self) -> None:
        """Until cancelled: tell."""
        await pulse(self._news, never, self._act, MARKS_REST, "Read markers could not be read")

    async def _act(self) -> None:
        moved, self._moved = self._moved, {}
        try:
            await self._tell(moved)
        except ChatError:
            self._moved = {**moved, **self._moved}
            raise

    async def _tell(self, moved: dict[tuple[UUID, UUID], tuple[Step, int]]) -> None:
        found = await room_queries.marks({room for room, _ in moved}, {user for _, user in moved})
        theirs: dict[tuple[UUID, str], list[Mark]] = {}
        for mark in found:
            step, looks = moved.get((mark.room_id, mark.user_id), (NO_STEP, -1))
            now = (mark.turn, mark.seq)
            if looks and now < step:  # told of before it can be read
                self._moved.setdefault((mark.room_id, mark.user_id), (step, looks - 1))
                self._news.set()
            elif looks >= 0:
                taker = advances.taker(mark.room_id, mark.user_id, now)
                theirs.setdefault((mark.user_id, taker), []).append(mark)
        for (user_id, taker), marks in theirs.items():
            await room_state.tell_marks(user_id, marks, but=taker)


class OwnMentions:
    """Tells people's tabs where they are mentioned. A gap reads their lists anew, and with them their mentions."""

    def __init__(self) -> None:
        self._due: dict[UUID, dict[UUID, tuple[int, int]]] = {}
        self._news = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        """Somebody is mentioned, or is so no longer."""
        for user_id in hint.people if hint.what == "mention" and hint.room_id else ():
            if hint.room_id and shared.wire().tabs(topic.user(user_id)):
                self._put(user_id, {hint.room_id: (hint.seq, LOOKS)})

    async def keep(self) -> None:
        """Until cancelled: tell."""
        await pulse(self._news, never, self._act, MARKS_REST, "Mentions could not be read")

    async def _act(self) -> None:
        for user_id in list(self._due):
            rooms = self._due.pop(user_id)  # before they are read: what comes meanwhile is told, too
            try:
                early = await room_state.tell_mentions(user_id, {room: seq for room, (seq, _) in rooms.items()})
            except ChatError:
                self._put(user_id, rooms)
                raise
            # Told of before it can be read: looked for again.
            self._put(user_id, {room: (rooms[room][0], rooms[room][1] - 1) for room in early if rooms[room][1]})

    def _put(self, user_id: UUID, news: Mapping[UUID, tuple[int, int]]) -> None:
        if news:
            known = self._due.setdefault(user_id, {})
            known.update({room: max(due, known.get(room, (0, 0))) for room, due in news.items()})
            self._news.set()


def _readers(hint: Hint) -> Mapping[UUID, Step | None]:
    """Whose markers have moved: those the hint names; where they are too many to be named, anybody's here."""
    if hint.readers or hint.what == "message":
        return hint.readers
    return dict.fromkeys(_people_here())


class Sessions:
    """Ends the tabs of sessions that have ended: at once by their hint, by asking where a hint may have been lost."""

    def __init__(self) -> None:
        self._suspect = asyncio.Event()
        self._watchdog = Every(SESSIONS_EVERY)
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
        await pulse(self._suspect, self._watchdog.due, self._compare, LIST_REST, "Sessions could not be read")

    async def _compare(self) -> None:
        self._watchdog.passed()
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
