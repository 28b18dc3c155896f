"""What a tab holds of threads: the one in its panel, and what is unread in those its person follows.

The replies of a thread are sent to the tabs that show it; what the room's conversation shows of it, their number, comes
with the message it began with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import reflex as rx
from pydantic import Field

from chatapp import shared
from chatapp.errors import NotAMember
from chatapp.gate import actor, handler
from chatapp.messages.model import REPLIES_LIMIT
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.messages.state import PAGE_MOST, Row, newest_within, parts, row
from chatapp.realtime import topic
from chatapp.realtime.room import Applied, LiveRoom
from chatapp.threads import actions, queries
from chatapp.threads.snapshots import Followed, Page, Theirs

SLOTS = REPLIES_LIMIT + 1
"""A thread is short enough for each reply to have a slot of its own; in the first is what it began with."""

ReplySeq = Annotated[int, Field(ge=1, le=REPLIES_LIMIT)]


@dataclass(frozen=True)
class Shown:
    """Which thread the panel shows, and from which of its replies on."""

    parent: str
    first: int


class Threads(rx.State):
    """The thread in the panel, by number of the reply, and the followed ones, by the id of their first message."""

    replies: list[Row] = []
    news: list[Row] = []
    """What has come, or changed, since the panel was opened; the higher rev counts."""
    shown: Shown = Shown("", 1)
    counts: dict[str, int] = {}
    """How many replies there are to messages that the tab was not sent as they are now."""
    marks: dict[str, list[int | str]] = {}
    """Of those I follow: how many replies I have read, how many there were then, and the room's short id."""

    @handler
    async def open(self, room_id: UUID, parent_id: UUID):
        """Show a thread of the room that this tab shows, and be told of it until another one is shown."""
        async with self:
            sid = self.router.session.session_id
        await _enter(sid, room_id, parent_id)
        page = await queries.thread(actor(), room_id, parent_id)
        await _send(sid, room_id, page)

    @handler
    async def older(self, room_id: UUID, parent_id: UUID, below: ReplySeq):
        """Show the replies before one."""
        async with self:
            sid = self.router.session.session_id
        page = await queries.thread(actor(), room_id, parent_id, below)
        await _send(sid, room_id, page)

    @handler
    async def read(self, parent_id: UUID, reply_seq: ReplySeq):
        """I have seen a thread up to a reply."""
        await actions.read(actor(), parent_id, reply_seq)

    @handler
    async def learn(self, room_id: UUID):
        """A room was opened: which of its threads do I follow, and how far have I read them?"""
        async with self:
            sid = self.router.session.session_id
        if followed := await queries.followed_in([(room_id, actor().user_id)]):
            await shared.wire().emit(sid, _marks(followed))


REPLIES = shared.Shared(Threads.replies, SLOTS)
NEWS = shared.Shared(Threads.news, SLOTS)
SHOWN = shared.Shared(Threads.shown)
COUNTS = shared.Shared(Threads.counts)
MARKS = shared.Shared(Threads.marks)


def counted(applied: Applied, floor: int) -> list[Any]:
    """How many replies threads have whose first message is below `floor`: with the others it comes with the message."""
    return [COUNTS.keyed(each.id, each.replies) for each in applied.rows if each.replies and each.seq < floor]


def changed(room: LiveRoom, applied: Applied) -> Iterator[tuple[str, list[Any]]]:
    """What the tabs that show a thread are sent, by their topic: once a thread, whatever their number."""
    threads: dict[str, list[Any]] = {}
    for each in applied.rows:
        to = topic.room_thread(room.id, each.parent_id or each.id)
        if to in threads or shared.wire().tabs(to):
            threads.setdefault(to, []).append(NEWS.at(each.reply_seq, row(room, each)))
    yield from threads.items()


def closed() -> list[Any]:
    """What a tab is sent that opens a room anew: it may be told of no thread, and asks again for the one it shows."""
    return [SHOWN.at(0, Shown("", 1))]


async def tell(user_id: UUID, marks: Iterable[Theirs]) -> None:
    """Tell all tabs of a person how far they have read threads."""
    await shared.wire().emit(topic.user(user_id), _marks(marks))


_followed: Callable[[UUID], LiveRoom | None] = lambda _: None  # noqa: E731  # until the process serves


def use(followed: Callable[[UUID], LiveRoom | None]) -> None:
    """Say where the rooms are that are followed here; done once, when the process starts to serve."""
    global _followed  # noqa: PLW0603  # one per process, set once
    _followed = followed


def _marks(found: Iterable[Theirs]) -> shared.Update:
    return shared.update(*(_mark(each.followed, each.room_id) for each in found))


def _mark(followed: Followed, room_id: UUID) -> Any:
    return MARKS.keyed(followed.parent_id, [followed.read, followed.replies, str(room_id)[:8]])


async def _enter(sid: str, room_id: UUID, parent_id: UUID) -> None:
    """Have a tab told of a thread from here on; only of one in the room it shows. Raises NotAMember. Never suspends."""
    wire = shared.wire()
    if topic.room_member(room_id, actor().user_id) not in wire.rooms_of(sid):
        raise NotAMember
    wanted = topic.room_thread(room_id, parent_id)
    for name in wire.rooms_of(sid):
        if topic.is_thread(name) and name != wanted:
            await wire.leave(sid, name)
    await wire.enter(sid, wanted)


async def _send(sid: str, room_id: UUID, page: Page) -> None:
    """Send a part of a thread to a tab that is told of it: who was put out of the room meanwhile is not."""
    room = _followed(room_id)
    if room is None or topic.room_thread(room_id, page.parent.id) not in shared.wire().rooms_of(sid):
        return
    replies = newest_within(page.replies, PAGE_MOST)
    shown = Shown(page.parent.id, replies[0].reply_seq if replies else 1)
    *ahead, left = parts((page.parent, *replies))
    for part in ahead:
        await shared.wire().emit(sid, shared.update(*_slots(room, part)))
    await shared.wire().emit(sid, shared.update(*_slots(room, left), SHOWN.at(0, shown)))


def _slots(room: LiveRoom, rows: Iterable[MessageSnapshot]) -> list[Any]:
    return [REPLIES.at(each.reply_seq, row(room, each)) for each in rows]
