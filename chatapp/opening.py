"""Where a room is opened: at a message that was asked for, at what is unread, or at the newest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from chatapp.gate import actor
from chatapp.messages import queries as message_queries
from chatapp.messages.queries import Place
from chatapp.realtime.room import LiveRoom
from chatapp.rooms import queries as room_queries
from chatapp.rooms.snapshots import Mark

KEPT = 200
"""Messages that a room is opened with at the most.

So many a tab keeps over a reconnection which it has followed live; what it has read back it keeps whole.
"""

AROUND = 20
"""Messages shown before the one that a room is opened at."""

GONE = "That message is not here."


class At(NamedTuple):
    """Where a room is opened: at a seq, which was asked for or is what is unread; 0 for the newest.

    With a `thread` beside it, at its `reply`-th reply.
    """

    seq: int = 0
    asked: bool = False
    thread: str = ""
    reply: int = 0


NEWEST = At()


def before(at: At) -> int:
    """The first seq to show of a room that is opened at some place."""
    return max(1, at.seq - AROUND)


def far_back(at: At, messages: int) -> tuple[int, int]:
    """The first and last seq to show of so many messages around a place."""
    return before(at), before(at) + messages - 1


async def place(room: LiveRoom, asked: str) -> Place | None:
    """Where a message of the room is, None for one that is not in it."""
    try:
        wanted = UUID(asked)
    except ValueError:
        return None
    return await message_queries.place(actor(), room.id, wanted)


def at(place: Place) -> At:
    """Where to open a room for a message: there, or at the beginning of the thread that it is a reply in."""
    return At(place.parent_seq or place.seq, True, place.parent, place.reply)


async def first_unread(room: LiveRoom, marks: Mapping[str, Mark]) -> At:
    """The first message that is unread; of very many, the newest is the better place to begin."""
    me = actor().user_id
    mark = marks.get(str(me))
    if mark is None:  # who hides their marker is not among those that are shown
        mark = next(iter(await room_queries.marks({room.id}, {me})), None)
    unread = room.newest - mark.seq if mark else 0
    return At(room.newest - unread + 1) if 0 < unread < KEPT - AROUND else NEWEST
