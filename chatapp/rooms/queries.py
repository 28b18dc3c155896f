"""Reads about rooms and members.

A room is looked up through the actor's memberships: not theirs and not there are one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, true
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased, undefer
from sqlmodel import case, col, func, or_, select
from sqlmodel.sql.expression import Select

from chatapp.accounts.model import Profile
from chatapp.accounts.snapshots import colour, initials, iso
from chatapp.actor import SYSTEM, Actor
from chatapp.db import Question, at_once, transaction
from chatapp.errors import NotFound
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import Head, Mark, MemberSnapshot, RoomSnapshot
from chatapp.together import Together

BROWSE_LIMIT = 50
MEMBERS_LIMIT = 1000
ROOMS_LIMIT = 1000
LISTS_AT_ONCE = 50
"""People whose lists one query reads at most."""
BAD_INVITE = "This invite link is not valid any more."


async def my_rooms(actor: Actor) -> tuple[RoomSnapshot, ...]:
    """Return the rooms the actor is in, the last active first."""
    return await _lists.ask(actor.user_id) or ()


async def heads(room_ids: Iterable[UUID]) -> dict[UUID, Head]:
    """Return how far each room is. Read by the process itself, for lists of people who are in it."""
    [rows] = await at_once(SYSTEM, _HEADS(rooms=list(room_ids)))
    return {room_id: Head(last_seq, iso(moment)) for room_id, last_seq, moment in rows}


async def listings(user_ids: Iterable[UUID]) -> dict[UUID, list[RoomSnapshot]]:
    """Return the rooms that each of these people is in, without markers. Read by the process itself, to compare."""
    found: dict[UUID, list[RoomSnapshot]] = {user_id: [] for user_id in user_ids}
    columns = select_columns(col(Membership.user_id), col(Membership.role), *Room.__table__.c)  # type: ignore[attr-defined]
    wanted: Any = columns.join(Room, col(Room.id) == col(Membership.room_id)).where(
        col(Membership.user_id).in_(list(found))
    )
    async with transaction(SYSTEM) as session:
        for row in await session.exec(wanted):
            found[row.user_id].append(room_snapshot(row, row.role))
    return found


async def marks(room_ids: Iterable[UUID], user_ids: Iterable[UUID]) -> tuple[Mark, ...]:
    """Return these people's read markers in these rooms. Read by the process itself, for each person's own tabs."""
    [rows] = await at_once(SYSTEM, _MARKS(rooms=list(room_ids), people=list(user_ids)))
    return tuple(Mark(*row) for row in rows)


async def my_mentions(actor: Actor) -> dict[UUID, tuple[int, ...]]:
    """Return where others have mentioned the actor lately: by room, the seqs of the newest messages that do."""
    async with transaction(actor) as session:
        return {room_id: tuple(seqs) for room_id, seqs in await session.exec(_MY_MENTIONS)}


async def mentions_of(user_id: UUID) -> dict[UUID, tuple[int, ...]]:
    """Return the same of somebody. Read by the process itself, for that person's own tabs."""
    columns = func.private.mentions_of(user_id).table_valued("room_id", "seqs")
    wanted: Any = select_columns(columns.c.room_id, columns.c.seqs)
    async with transaction(SYSTEM) as session:
        rows = await session.exec(wanted)
        return {room_id: tuple(seqs) for room_id, seqs in rows}


async def room(actor: Actor, room_id: UUID) -> RoomSnapshot:
    """Return a room the actor is in. Raises NotFound for any other, there or not."""
    async with transaction(actor) as session:
        found = (await session.exec(_MY_ROOM, params={"room": room_id})).one_or_none()
    if found is None:
        raise NotFound
    return _mine(found)


async def members(actor: Actor, room_id: UUID) -> tuple[MemberSnapshot, ...]:
    """Return who is in a room of the actor's, the owner first. Raises NotFound for any other room."""
    async with transaction(actor) as session:
        if await session.get(Membership, (room_id, actor.user_id)) is None:
            raise NotFound
    async with transaction(SYSTEM) as session:  # people may not read when somebody was last here; a room shows it
        rows = (await session.exec(members_of(room_id))).all()
    return tuple(member_snapshot(member, person) for member, person in rows)


async def browse(actor: Actor, search: str = "", limit: int = BROWSE_LIMIT) -> tuple[RoomSnapshot, ...]:
    """Return public rooms the actor isn't in, those with most members first; `search` is a part of name or
    description.
    """
    mine = select(col(Membership.room_id)).where(col(Membership.user_id) == actor.user_id)
    wanted = select(Room).where(
        ~col(Room.is_private), col(Room.archived_at).is_(None), col(Room.id).not_in(mine), _looks_like(search)
    )
    async with transaction(actor) as session:
        rows = await session.exec(wanted.order_by(col(Room.member_count).desc(), col(Room.id)).limit(limit))
        return tuple(room_snapshot(found) for found in rows)


async def invite(actor: Actor, token: str) -> RoomSnapshot:
    """Return the room an invite leads to, before anybody joins.

    Raises NotFound when the invite is not good.
    """
    # The function reads past the policies: an invite shows a room to somebody who isn't in it yet.
    columns = func.private.invited_room(token_hash(token)).table_valued(*Room.model_fields)
    wanted = select(aliased(Room, columns, adapt_on_names=True))
    async with transaction(actor) as session:
        found = (await session.exec(wanted)).one_or_none()
        if found is None:
            raise NotFound(BAD_INVITE)
        mine = (await session.exec(_MY_ROOM, params={"room": found.id})).one_or_none()
        return _mine(mine) if mine else room_snapshot(found)


def token_hash(token: str) -> bytes:
    """Return what the database keeps of an invite's token."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def members_of(room_id: UUID) -> Select[Membership, Profile]:
    """Return the statement that reads a room's members with their profiles, the owner first: for the process itself."""
    rank = case({"owner": 0, "admin": 1}, value=col(Membership.role), else_=2)
    joined = select(Membership, Profile).join(Profile, col(Profile.id) == col(Membership.user_id))
    in_room = joined.where(col(Membership.room_id) == room_id)
    ranked = in_room.order_by(rank, func.lower(col(Profile.name)), col(Profile.id)).limit(MEMBERS_LIMIT)
    return ranked.options(undefer(Profile.last_seen_at))  # type: ignore[arg-type]  # SQLModel shows columns as their values


def room_snapshot(room: Any, role: str = "", read_seq: int = 0, read_turn: int = 0) -> RoomSnapshot:
    """Return a room, or a row of its columns, as a member sees it, or as anybody does."""
    return RoomSnapshot(
        id=str(room.id),
        name=room.name,
        description=room.description,
        is_private=room.is_private,
        role=role,
        last_seq=room.last_seq,
        read_seq=read_seq,
        last_message_at=iso(room.last_message_at),
        members=room.member_count,
        read_turn=read_turn,
        created_at=iso(room.created_at),
        archived=room.archived_at is not None,
    )


def member_snapshot(member: Membership, person: Profile) -> MemberSnapshot:
    """Return a member with what their profile shows."""
    return MemberSnapshot(
        id=str(person.id),
        name=person.name,
        avatar_url=person.avatar_url or "",
        initials=initials(person.name),
        colour=colour(person.id),
        role=member.role,
        joined_at=iso(member.joined_at),
        last_seen_at=iso(person.last_seen_at),
    )


def _of_mine() -> Any:
    """The statement that reads my rooms with role and marker, and its parts. Rows: entities cost twice the time."""
    # The tables show markers to nobody; the function shows me mine, and what is unread is a subtraction away.
    mine = func.private.my_memberships().table_valued("room_id", "role", "read_seq", "read_turn")
    # Each looked up by its key: left to itself, the planner reads all rooms there are once there are a few of mine.
    found = select_columns(Room.__table__).where(col(Room.id) == mine.c.room_id).limit(1).lateral("room")  # type: ignore[attr-defined]
    wanted = select_columns(*found.c, mine.c.role, mine.c.read_seq, mine.c.read_turn)
    return wanted.select_from(mine).join(found, true()), found, mine


def _mine(row: Any) -> RoomSnapshot:
    return room_snapshot(row, row.role, row.read_seq, row.read_turn)


_MENTIONED = func.private.my_mentions().table_valued("room_id", "seqs")
_MY_MENTIONS: Any = select_columns(_MENTIONED.c.room_id, _MENTIONED.c.seqs)
_ROWS, _FOUND, _MEMBERSHIP = _of_mine()
_MY_ROOM = _ROWS.where(_MEMBERSHIP.c.room_id == bindparam("room"))


def _of_people() -> Any:
    """The statement that reads many people's lists, each the last active first and ROOMS_LIMIT long at most."""
    person = func.unnest(bindparam("people", type_=_IDS)).table_valued("id").render_derived("person")
    member: Any = Membership.__table__  # type: ignore[attr-defined]
    # As in `_of_mine`; the offset keeps the planner from turning the look-ups into a join with all rooms.
    found = select_columns(Room.__table__).where(col(Room.id) == member.c.room_id).offset(0).lateral("room")  # type: ignore[attr-defined]
    last_active = func.coalesce(found.c.last_message_at, found.c.created_at)
    theirs = (
        select_columns(*found.c, member.c.role, member.c.read_seq, member.c.read_turn)
        .select_from(member.join(found, true()))
        .where(member.c.user_id == person.c.id)
        .order_by(last_active.desc(), found.c.id)
        .limit(ROOMS_LIMIT)
        .lateral("list")
    )
    return select_columns(person.c.id.label("person"), *theirs.c).select_from(person).join(theirs, true())


_IDS = ARRAY(Uuid)
_LISTS = Question(_of_people())
_HEADS = Question(
    select_columns(Room.id, Room.last_seq, Room.last_message_at).where(  # type: ignore[call-overload]
        col(Room.id) == any_(bindparam("rooms", type_=_IDS))
    )
)
_MARKS = Question(
    select_columns(Membership.room_id, Membership.user_id, Membership.read_seq, Membership.read_turn).where(  # type: ignore[call-overload]
        col(Membership.room_id) == any_(bindparam("rooms", type_=_IDS)),
        col(Membership.user_id) == any_(bindparam("people", type_=_IDS)),
    )
)


async def _lists_of(user_ids: Sequence[UUID]) -> dict[UUID, tuple[RoomSnapshot, ...]]:
    """The process reads them, each for the person it belongs to: many may ask at once, and policies know one."""
    [rows] = await at_once(SYSTEM, _LISTS(people=list(user_ids)))
    lists: dict[UUID, list[RoomSnapshot]] = {}
    for row in rows:
        lists.setdefault(row.person, []).append(_mine(row))
    return {person: tuple(rooms) for person, rooms in lists.items()}


_lists: Together[UUID, tuple[RoomSnapshot, ...]] = Together(_lists_of, LISTS_AT_ONCE)


def _looks_like(search: str) -> ColumnElement[bool]:
    pattern = search.strip().replace("\0", "").encode(errors="ignore").decode()
    return or_(
        col(Room.name).icontains(pattern, autoescape=True),
        col(Room.description).icontains(pattern, autoescape=True),
    )
