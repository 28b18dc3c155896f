"""Reads about threads: as the person who asks, but for those that are read once for many people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, bindparam, func, true
from sqlalchemy import select as select_columns
from sqlmodel import col

from chatapp.actor import SYSTEM, Actor
from chatapp.db import Question, at_once, transaction
from chatapp.errors import NotFound
from chatapp.messages import markdown
from chatapp.messages.model import REPLIES_LIMIT, Message
from chatapp.messages.queries import page, snapshot
from chatapp.rooms.model import Membership
from chatapp.threads.model import Follower
from chatapp.threads.snapshots import Followed, Page, Theirs

PAGE = 50
"""Replies that are read at once."""

FOLLOWED_MOST = 200
"""Threads of a room that somebody is told of: those with the latest replies."""

_FIRST = page(col(Message.seq), col(Message.id) == bindparam("parent"), col(Message.parent_id).is_(None))
_REPLIES = page(
    col(Message.reply_seq).desc(),
    col(Message.parent_id) == bindparam("parent"),
    col(Message.reply_seq) < bindparam("below"),
)


async def thread(actor: Actor, room_id: UUID, parent_id: UUID, below: int = REPLIES_LIMIT + 1) -> Page:
    """Return a thread with its last replies before the one numbered `below`.

    Raises NotFound unless there is such a message in the room, the actor is, and it is no reply itself.
    """
    values = {"room_id": room_id, "parent": parent_id}
    async with transaction(actor) as session:
        first = (await session.exec(_FIRST, params={**values, "limit": 1})).one_or_none()
        if first is None:
            raise NotFound
        rows = await session.exec(_REPLIES, params={**values, "below": below, "limit": PAGE})
        found = Page(snapshot(first), tuple(sorted(map(snapshot, rows), key=lambda reply: reply.reply_seq)))
    await markdown.prepare([found.parent, *found.replies])
    return found


async def followed_by(asked: Collection[tuple[UUID, UUID]]) -> list[Theirs]:
    """Return, of each thread and person asked for, how far they have read it.

    A thread that is not there, or whose room the person is not in, is not among them: who has left still follows.
    """
    threads, people = zip(*asked, strict=True) if asked else ((), ())
    [rows] = await at_once(SYSTEM, _BY_THREAD(threads=list(threads), people=list(people)))
    return [_theirs(row) for row in rows]


async def followed_in(asked: Collection[tuple[UUID, UUID]]) -> list[Theirs]:
    """Return the threads that people follow in rooms that they are in, for each room and person asked for."""
    rooms, people = zip(*asked, strict=True) if asked else ((), ())
    [rows] = await at_once(SYSTEM, _BY_ROOM(rooms=list(rooms), people=list(people)))
    return [_theirs(row) for row in rows]


def _theirs(row: Any) -> Theirs:
    return Theirs(row.person, row.room_id, Followed(str(row.thread), row.reply_count, row.read_seq))


def _pairs(what: str) -> Any:
    asked = func.unnest(bindparam(f"{what}s", type_=ARRAY(Uuid)), bindparam("people", type_=ARRAY(Uuid)))
    return asked.table_valued(what, "person").render_derived()


def _by_thread() -> Any:
    pair = _pairs("thread")
    member = and_(col(Membership.room_id) == col(Message.room_id), col(Membership.user_id) == pair.c.person)
    follows = and_(col(Follower.parent_id) == pair.c.thread, col(Follower.user_id) == pair.c.person)
    read = func.coalesce(col(Follower.read_seq), 0).label("read_seq")
    wanted = select_columns(pair.c.thread, pair.c.person, col(Message.reply_count), col(Message.room_id), read)
    found = wanted.join(Message, col(Message.id) == pair.c.thread).join(Membership, member)
    return found.outerjoin(Follower, follows)  # the hint of a first reply may be heard before who follows can be read


def _by_room() -> Any:
    pair = _pairs("room")
    latest = (
        select_columns(col(Follower.parent_id).label("thread"), col(Message.reply_count), col(Follower.read_seq))
        .join(Message, col(Message.id) == col(Follower.parent_id))
        .where(col(Message.room_id) == pair.c.room, col(Follower.user_id) == pair.c.person)
        .order_by(col(Message.last_reply_at).desc())
        .limit(FOLLOWED_MOST)
        .lateral("latest")
    )
    member = and_(col(Membership.room_id) == pair.c.room, col(Membership.user_id) == pair.c.person)
    found = select_columns(pair.c.person, pair.c.room.label("room_id"), latest)
    return found.join(Membership, member).join(latest, true())


_BY_THREAD, _BY_ROOM = Question(_by_thread()), Question(_by_room())
