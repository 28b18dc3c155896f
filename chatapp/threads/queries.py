"""Reads about threads: as the person who asks, but for `counts`, which is read once for many."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from chatapp.actor import SYSTEM, Actor
from chatapp.db import Question, at_once, transaction
from chatapp.errors import NotFound
from chatapp.messages import markdown
from chatapp.messages.model import REPLIES_LIMIT, Message
from chatapp.messages.queries import page, snapshot
from chatapp.rooms.model import Membership
from chatapp.threads.model import Follower
from chatapp.threads.snapshots import Followed, Page

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


async def followed(actor: Actor, room_id: UUID) -> tuple[Followed, ...]:
    """Return the threads of a room that the actor follows."""
    wanted = (
        select(col(Follower.parent_id), col(Message.reply_count), col(Follower.read_seq))
        .join(Message, col(Message.id) == col(Follower.parent_id))
        .where(col(Message.room_id) == room_id, col(Follower.user_id) == actor.user_id)
        .order_by(col(Message.last_reply_at).desc())
        .limit(FOLLOWED_MOST)
    )
    async with transaction(actor) as session:
        return tuple(Followed(str(parent), replies, read) for parent, replies, read in await session.exec(wanted))


async def counts(asked: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], tuple[int, UUID]]:
    """Return how many replies a thread has, and its room, for each thread and person asked for.

    A thread that is not there, or whose room the person is not in, is not among them: who has left still follows.
    """
    threads, people = zip(*asked, strict=True) if asked else ((), ())
    [rows] = await at_once(SYSTEM, _COUNTS(threads=list(threads), people=list(people)))
    return {(row.thread, row.person): (row.reply_count, row.room_id) for row in rows}


def _counted() -> Any:
    asked = func.unnest(bindparam("threads", type_=ARRAY(Uuid)), bindparam("people", type_=ARRAY(Uuid)))
    pair = asked.table_valued("thread", "person").render_derived()
    member = and_(col(Membership.room_id) == col(Message.room_id), col(Membership.user_id) == pair.c.person)
    wanted = select_columns(pair.c.thread, pair.c.person, Message.reply_count, Message.room_id)  # type: ignore[call-overload]
    return wanted.join(Message, col(Message.id) == pair.c.thread).join(Membership, member)


_COUNTS = Question(_counted())
