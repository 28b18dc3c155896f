"""Reads about messages: pages by keyset, and what the hub needs, which is read once for everybody in a room.

`newest` and `before` are a person's reads; the rest are the process's own, which authorises before it hands
anything on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, cast, func, literal_column, true
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from chatapp.accounts.model import Profile
from chatapp.accounts.snapshots import iso
from chatapp.actor import SYSTEM, Actor
from chatapp.db import Question, at_once, transaction
from chatapp.errors import Invalid, NotFound
from chatapp.messages import markdown
from chatapp.messages.model import PINS_LIMIT, Message
from chatapp.messages.snapshots import CatchUp, MessageSnapshot, QuoteSnapshot, ReactionSnapshot
from chatapp.rooms import queries as rooms
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import MemberSnapshot
from chatapp.together import Together

PAGE = 50
PAGE_MOST = 1000
AT_ONCE = 500
"""Memberships that one query asks about at most."""
GONE_ACCOUNT = "Deleted account"
ARCHIVED = "This room is archived."
DELETED = "This message was deleted."
END = 2**62
"""Above every seq."""

SHOWN = tuple(
    col(getattr(Message, name))
    for name in (
        "id", "seq", "rev", "user_id", "client_id", "content", "created_at", "edited_at", "deleted_at",
        "reactions", "pinned_at", "parent_id", "reply_seq", "reply_count", "last_reply_at", "quote_id", "quote",
        "mentions",
    )
)  # fmt: skip
"""The columns a snapshot is made of, read as plain rows: entities cost twice the time."""


@dataclass(frozen=True)
class Standing:
    """How a message stands that somebody wants to change, for telling them why they can't."""

    by_me: bool
    deleted: bool
    archived: bool
    reactions: int

    def require_changeable(self) -> None:
        """Raise Invalid when nobody can change it."""
        self.require_unarchived()
        if self.deleted:
            raise Invalid(DELETED)

    def require_unarchived(self) -> None:
        """Raise Invalid in an archived room."""
        if self.archived:
            raise Invalid(ARCHIVED)


@dataclass(frozen=True)
class Place:
    """Where a message is: at `seq` of its room; if it is a reply, the `reply`-th in the thread of `parent`, which is at
    `parent_seq`.
    """

    seq: int
    parent: str = ""
    parent_seq: int = 0
    reply: int = 0


Messages = tuple[MessageSnapshot, ...]
Members = tuple[tuple[MemberSnapshot, ...], frozenset[str]]
Page = Any  # a statement of more columns than SQLModel's `exec` knows a type for


def page(order: SQLCoreOperations[Any], *where: ColumnElement[bool]) -> Page:
    """Return the statement that reads messages of `:room_id`, at most `:limit`, each with its author's name.

    The page is cut before names are looked up: a name's policy costs more than the message itself.
    """
    wanted = select_columns(*SHOWN).where(col(Message.room_id) == bindparam("room_id"), *where)
    cut = wanted.order_by(order).limit(bindparam("limit")).subquery("page")
    author = _name_of(cut.c.user_id, "by")
    quoted = _name_of(cast(cut.c.quote["user"].astext, Uuid), "of")
    names: tuple[Any, ...] = (author.c.name.label("author"), quoted.c.name.label("quoted"))
    return select_columns(cut, *names).select_from(cut).outerjoin(author, true()).outerjoin(quoted, true())


def _name_of(user_id: ColumnElement[UUID], name: str) -> Any:
    """A person's name, always looked up by their id: joined, Postgres may ask the policy of everybody there is."""
    return select_columns(col(Profile.name)).where(col(Profile.id) == user_id).limit(literal_column("1")).lateral(name)


# Made once: building a statement takes longer than running it.
_BELOW = page(col(Message.seq).desc(), col(Message.seq) < bindparam("seq"))
_BETWEEN = page(col(Message.seq), col(Message.seq).between(bindparam("first"), bindparam("last")))
_CHANGED = page(col(Message.rev), col(Message.rev).between(bindparam("first"), bindparam("last")))
_CHANGES = Question(_CHANGED)
_SPAN = Question(_BETWEEN)
_ROOM = Question(select_columns(Room.__table__).where(col(Room.id) == bindparam("room_id")))  # type: ignore[attr-defined]  # every model has it
_REVS = Question(
    select_columns(col(Room.id), col(Room.rev)).where(col(Room.id) == any_(bindparam("rooms", type_=ARRAY(Uuid))))
)
_WHO = Question(select_columns(col(Membership.user_id)).where(col(Membership.room_id) == bindparam("room_id")))
_PINNED = page(col(Message.pinned_at).desc(), col(Message.pinned_at).is_not(None))


async def newest(actor: Actor, room_id: UUID, limit: int = PAGE) -> Messages:
    """Return the last messages of a room, oldest first. Raises NotFound unless the actor is in it."""
    return await before(actor, room_id, END, limit)


async def before(actor: Actor, room_id: UUID, seq: int, limit: int = PAGE) -> Messages:
    """Return the messages right before `seq`, oldest first.

    Raises NotFound unless the actor is in the room.
    """
    async with transaction(actor) as session:
        messages = await _read(session, _BELOW, room_id, limit, seq=seq)
        if not messages:  # of an empty room, or of one that the policies hide
            await _require(session, actor, room_id)
        return messages


async def standing(actor: Actor, message_id: UUID) -> Standing:
    """Return how a message stands. Raises NotFound for one that isn't there or isn't in a room of the actor's."""
    wanted = (
        select(Message.user_id, Message.deleted_at, Room.archived_at, func.jsonb_array_length(col(Message.reactions)))
        .join(Room, col(Room.id) == col(Message.room_id))
        .where(col(Message.id) == message_id)
    )
    async with transaction(actor) as session:
        found = (await session.exec(wanted)).one_or_none()
    if found is None:
        raise NotFound
    author, deleted_at, archived_at, reactions = found
    return Standing(author == actor.user_id, deleted_at is not None, archived_at is not None, reactions)


async def place(actor: Actor, room_id: UUID, message_id: UUID) -> Place | None:
    """Return where a message is in a room, None unless it is in that room and the actor, too."""
    parent = aliased(Message)
    wanted = (
        select(col(Message.seq), col(Message.parent_id), col(parent.seq), col(Message.reply_seq))
        .outerjoin(parent, col(parent.id) == col(Message.parent_id))
        .where(col(Message.id) == message_id, col(Message.room_id) == room_id)
    )
    async with transaction(actor) as session:
        found = (await session.exec(wanted)).one_or_none()
    return Place(found[0], str(found[1] or ""), found[2] or 0, found[3] or 0) if found else None


async def my_room_ids(actor: Actor) -> frozenset[UUID]:
    """Return the rooms the actor is in."""
    mine = select(col(Membership.room_id)).where(col(Membership.user_id) == actor.user_id)
    async with transaction(actor) as session:
        return frozenset(await session.exec(mine))


async def require_membership(actor: Actor, room_id: UUID) -> None:
    """Raise NotFound unless the actor is in the room."""
    if not await _memberships.ask((room_id, actor.user_id)):
        raise NotFound


async def load(room_id: UUID, limit: int = 2 * PAGE) -> CatchUp:
    """Return a room with its members and newest messages, as a catch-up from nothing to its present rev."""
    async with transaction(SYSTEM) as session:
        room = await session.get(Room, room_id)
        if room is None:
            return _gone(room_id)
        messages = await _read(session, _BELOW, room_id, limit, seq=room.last_seq + 1)
        pinned = await _read(session, _PINNED, room_id, PINS_LIMIT)
        return _catch_up(room, room.rev, await _members(session, room_id), messages, pinned)


async def catch_up(room_id: UUID, cursor: int, limit: int = 500) -> CatchUp:
    """Return everything of a room above `cursor`, in steps of `limit` messages by rev.

    Revs become visible in order, so reading up to the rev that the room had first can miss nothing in
    between.
    """
    asked = {"room_id": room_id, "first": cursor + 1, "last": END, "limit": min(limit, PAGE_MOST)}
    [rooms_found, rows] = await at_once(SYSTEM, _ROOM(room_id=room_id), _CHANGES(**asked), snapshot=True)
    if not rooms_found:
        return _gone(room_id)
    [room], messages = rooms_found, await _in_order(rows)
    members = await _members_now(room_id) if room.members_rev > cursor else None
    reached = max(message.rev for message in messages) if len(messages) == limit else room.rev
    return _catch_up(room, reached, members, messages)


async def between(room_id: UUID, first_seq: int, last_seq: int) -> Messages:
    """Return the messages from `first_seq` to `last_seq`, both included, oldest first; PAGE_MOST at the
    most.
    """
    asked = {"room_id": room_id, "first": first_seq, "last": last_seq, "limit": PAGE_MOST}
    [rows] = await at_once(SYSTEM, _SPAN(**asked))
    return await _in_order(rows)


async def revs(room_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the rev of each room; one that is gone is not among them."""
    [rows] = await at_once(SYSTEM, _REVS(rooms=list(room_ids)))
    return {row.id: row.rev for row in rows}


async def members_of(room_id: UUID) -> frozenset[UUID]:
    """Return who is in a room."""
    [rows] = await at_once(SYSTEM, _WHO(room_id=room_id))
    return frozenset(row.user_id for row in rows)


def snapshot(row: Any) -> MessageSnapshot:
    """Return a row of `SHOWN` columns and `author` as a snapshot."""
    return MessageSnapshot(
        id=str(row.id),
        seq=row.seq,
        rev=row.rev,
        user_id=str(row.user_id or ""),
        client_id=row.client_id,
        author=row.author or GONE_ACCOUNT,
        content=row.content,
        created_at=iso(row.created_at),
        edited_at=iso(row.edited_at),
        deleted=row.deleted_at is not None,
        reactions=tuple(ReactionSnapshot(one["emoji"], one["count"], tuple(one["users"])) for one in row.reactions),
        pinned_at=iso(row.pinned_at),
        parent_id=str(row.parent_id or ""),
        reply_seq=row.reply_seq or 0,
        replies=row.reply_count,
        last_reply_at=iso(row.last_reply_at),
        quote=_quote(row) if row.quote else None,
        mentions=tuple((one["id"], one["name"]) for one in row.mentions),
    )


def _quote(row: Any) -> QuoteSnapshot:
    said = row.quote
    author = row.quoted or GONE_ACCOUNT
    return QuoteSnapshot(str(row.quote_id), said["seq"], said["user"] or "", author, said["said"], said["deleted"])


async def _read(session: AsyncSession, statement: Page, room_id: UUID, limit: int, **values: int) -> Messages:
    """Return the messages a statement of `page` finds, oldest first."""
    values = {"limit": max(1, min(limit, PAGE_MOST)), **values}
    return await _in_order(await session.exec(statement, params={"room_id": room_id, **values}))


async def _in_order(rows: Iterable[Any]) -> Messages:
    messages = tuple(sorted(map(snapshot, rows), key=lambda message: message.seq))
    await markdown.prepare(messages)
    return messages


async def _require(session: AsyncSession, actor: Actor, room_id: UUID) -> None:
    if await session.get(Membership, (room_id, actor.user_id)) is None:
        raise NotFound


async def _members_now(room_id: UUID) -> Members:
    async with transaction(SYSTEM) as session:
        return await _members(session, room_id)


async def _members(session: AsyncSession, room_id: UUID) -> Members:
    """Return who is in a room: as many as are shown, and the ids of all."""
    rows = (await session.exec(rooms.members_of(room_id))).all()
    ids = await session.exec(select(col(Membership.user_id)).where(col(Membership.room_id) == room_id))
    return tuple(rooms.member_snapshot(member, person) for member, person in rows), frozenset(map(str, ids))


def _catch_up(room: Any, rev: int, members: Members | None, messages: Messages, pinned: Messages = ()) -> CatchUp:
    # Without what each message would change: the room is news only when it is.
    lasting = replace(rooms.room_snapshot(room), last_seq=0, last_message_at="")
    return CatchUp(
        room_id=room.id,
        rev=rev,
        last_seq=room.last_seq,
        room=lasting,
        members=members[0] if members else None,
        member_ids=members[1] if members else None,
        messages=messages,
        pinned=pinned,
        more=rev < room.rev,
    )


async def _members_among(asked: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], bool]:
    """Which of these, each a room and a person, are memberships. The process reads them for many at once."""
    room_ids, user_ids = zip(*asked, strict=True)
    [rows] = await at_once(SYSTEM, _MEMBERSHIPS(rooms=list(room_ids), people=list(user_ids)))
    return {(row.room_id, row.user_id): True for row in rows}


def _pairs() -> Any:
    asked = func.unnest(bindparam("rooms", type_=ARRAY(Uuid)), bindparam("people", type_=ARRAY(Uuid)))
    pair = asked.table_valued("room_id", "user_id").render_derived()
    same = (col(Membership.room_id) == pair.c.room_id, col(Membership.user_id) == pair.c.user_id)
    return select_columns(col(Membership.room_id), col(Membership.user_id)).join(pair, and_(*same))


_MEMBERSHIPS = Question(_pairs())
_memberships: Together[tuple[UUID, UUID], bool] = Together(_members_among, AT_ONCE)


def _gone(room_id: UUID) -> CatchUp:
    return CatchUp(room_id, rev=0, last_seq=0, gone=True)
