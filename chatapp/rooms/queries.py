"""Reads about rooms and members.

A room is looked up through the actor's memberships: not theirs and not there are one.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import case, col, func, or_, select
from sqlmodel.sql.expression import Select

from chatapp.accounts.model import Profile
from chatapp.accounts.snapshots import colour, initials, iso
from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import NotFound
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import MemberSnapshot, RoomSnapshot

BROWSE_LIMIT = 50
MEMBERS_LIMIT = 1000
ROOMS_LIMIT = 1000
BAD_INVITE = "This invite link is not valid any more."


async def my_rooms(actor: Actor) -> tuple[RoomSnapshot, ...]:
    """Return the rooms the actor is in, the last active first."""
    last_active = func.coalesce(col(Room.last_message_at), col(Room.created_at))
    async with transaction(actor) as session:
        rows = await session.exec(_of(actor).order_by(last_active.desc(), col(Room.id)).limit(ROOMS_LIMIT))
        return tuple(room_snapshot(room, member) for room, member in rows)


async def room(actor: Actor, room_id: UUID) -> RoomSnapshot:
    """Return a room the actor is in. Raises NotFound for any other, there or not."""
    async with transaction(actor) as session:
        found = (await session.exec(_of(actor).where(col(Room.id) == room_id))).one_or_none()
    if found is None:
        raise NotFound
    return room_snapshot(*found)


async def members(actor: Actor, room_id: UUID) -> tuple[MemberSnapshot, ...]:
    """Return who is in a room of the actor's, the owner first. Raises NotFound for any other room."""
    async with transaction(actor) as session:
        rows = (await session.exec(members_of(room_id))).all()
    if not rows:
        raise NotFound
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
        return room_snapshot(found, await session.get(Membership, (found.id, actor.user_id)))


def token_hash(token: str) -> bytes:
    """Return what the database keeps of an invite's token."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def members_of(room_id: UUID) -> Select[Membership, Profile]:
    """Return the statement that reads a room's members with their profiles, the owner first."""
    rank = case({"owner": 0, "admin": 1}, value=col(Membership.role), else_=2)
    joined = select(Membership, Profile).join(Profile, col(Profile.id) == col(Membership.user_id))
    in_room = joined.where(col(Membership.room_id) == room_id)
    return in_room.order_by(rank, func.lower(col(Profile.name)), col(Profile.id)).limit(MEMBERS_LIMIT)


def room_snapshot(room: Room, member: Membership | None = None) -> RoomSnapshot:
    """Return a room as `member` sees it, or as anybody does."""
    return RoomSnapshot(
        id=str(room.id),
        name=room.name,
        description=room.description,
        is_private=room.is_private,
        role=member.role if member else "",
        last_seq=room.last_seq,
        read_seq=member.read_seq if member else 0,
        last_message_at=iso(room.last_message_at),
        members=room.member_count,
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


def _of(actor: Actor) -> Select[Room, Membership]:
    mine = select(Room, Membership).join(Membership, col(Membership.room_id) == col(Room.id))
    return mine.where(col(Membership.user_id) == actor.user_id)


def _looks_like(search: str) -> ColumnElement[bool]:
    pattern = search.strip().replace("\0", "").encode(errors="ignore").decode()
    return or_(
        col(Room.name).icontains(pattern, autoescape=True),
        col(Room.description).icontains(pattern, autoescape=True),
    )
