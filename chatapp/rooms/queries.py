"""Reads about rooms and members.

A room is looked up through the actor's memberships: not theirs and not there are one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, true
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased, undefer
from sqlmodel import case, col, func, or_, select
from sqlmodel.sql.expression import Select

from chatapp.accounts.model import Profile
from chatapp.accounts.snapshots import colour, initials, iso
from chatapp.actor import SYSTEM, Actor
from chatapp.db import transaction
from chatapp.errors import NotFound
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import Head, Mark, MemberSnapshot, RoomSnapshot

BROWSE_LIMIT = 50
MEMBERS_LIMIT = 1000
ROOMS_LIMIT = 1000
BAD_INVITE = "This invite link is not valid any more."


async def my_rooms(actor: Actor) -> tuple[RoomSnapshot, ...]:
    """Return the rooms the actor is in, the last active first."""
    async with transaction(actor) as session:
        rows = await session.exec(_MY_ROOMS)
        return tuple(map(_mine, rows))


async def heads(room_ids: Iterable[UUID]) -> dict[UUID, Head]:
    """Return how far each room is. Read by the process itself, for lists of people who are in it."""
    wanted = select(col(Room.id), col(Room.last_seq), col(Room.last_message_at))
    async with transaction(SYSTEM) as session:
        rows = await session.exec(wanted.where(col(Room.id).in_(list(room_ids))))
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
    mark = (col(Membership.room_id), col(Membership.user_id), col(Membership.read_seq), col(Membership.read_turn))
    theirs = col(Membership.user_id).in_(list(user_ids))
    async with transaction(SYSTEM) as session:
        rows = await session.exec(select(*mark).where(col(Membership.room_id).in_(list(room_ids)), theirs))
        return tuple(Mark(*row) for row in rows)


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


_ROWS, _FOUND, _MEMBERSHIP = _of_mine()
_LAST_ACTIVE = func.coalesce(_FOUND.c.last_message_at, _FOUND.c.created_at)
_MY_ROOMS = _ROWS.order_by(_LAST_ACTIVE.desc(), _FOUND.c.id).limit(ROOMS_LIMIT)
_MY_ROOM = _ROWS.where(_MEMBERSHIP.c.room_id == bindparam("room"))


def _looks_like(search: str) -> ColumnElement[bool]:
    pattern = search.strip().replace("\0", "").encode(errors="ignore").decode()
    return or_(
        col(Room.name).icontains(pattern, autoescape=True),
        col(Room.description).icontains(pattern, autoescape=True),
    )
