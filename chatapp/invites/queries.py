"""Reads about invites.

A token is derived from its invite's id and the project's secret key: the database holds a hash alone, and those who may
look after an invite can have its link shown again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from chatapp import settings
from chatapp.accounts.model import Profile
from chatapp.accounts.snapshots import iso
from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import NotAMember, NotFound
from chatapp.invites.model import Invite
from chatapp.invites.snapshots import InviteSnapshot
from chatapp.rooms import queries as rooms
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import RoomSnapshot

BAD_INVITE = "This invite link is not valid any more."
SHOWN_MOST = 100
NEWEST = (col(Invite.created_at).desc(), col(Invite.id))


async def room(actor: Actor, token: str) -> RoomSnapshot:
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
    try:
        return await rooms.room(actor, found.id)
    except NotFound:
        return rooms.room_snapshot(found)


async def inviter(actor: Actor, token: str) -> str:
    """Return the name of who invites, "" where the invite is not good or nobody's any more."""
    async with transaction(actor) as session:
        return (await session.exec(select(func.private.invited_by(token_hash(token))))).one() or ""


async def invites(actor: Actor, room_id: UUID) -> tuple[InviteSnapshot, ...]:
    """Return the invites to a room that still work, the newest first: one's own, or all for those who run the room.

    Raises NotAMember.
    """
    wanted = select(Invite, Profile.name).outerjoin(Profile, col(Profile.id) == col(Invite.created_by))
    async with transaction(actor) as session:
        if await session.get(Membership, (room_id, actor.user_id)) is None:
            raise NotAMember
        rows = await session.exec(wanted.where(*_good(room_id)).order_by(*NEWEST).limit(SHOWN_MOST))
        return tuple(_snapshot(actor, invite, name) for invite, name in rows)


async def current(session: AsyncSession, actor: Actor, room_id: UUID) -> UUID | None:
    """Return the id of the actor's newest invite without a limit of uses whose link can be shown."""
    mine = (col(Invite.created_by) == actor.user_id, col(Invite.max_uses).is_(None))
    found = await session.exec(select(Invite).where(*_good(room_id), *mine).order_by(*NEWEST))
    return next((invite.id for invite in found if token_hash(token_of(invite.id)) == invite.token_hash), None)


def token_of(invite_id: UUID) -> str:
    """Return the token of an invite made under the present secret key: 192 bits that only the key and the id make."""
    key = settings.current().supabase_secret_key.get_secret_value().encode()
    return base64.urlsafe_b64encode(hmac.digest(key, b"invite " + invite_id.bytes, "sha256")[:24]).decode()


def token_hash(token: str) -> bytes:
    """Return what the database keeps of an invite's token."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _good(room_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """What holds for a room's invites that still work."""
    return (
        col(Invite.room_id) == room_id,
        col(Invite.revoked_at).is_(None),
        col(Invite.expires_at) > func.now(),
        or_(col(Invite.max_uses).is_(None), col(Invite.uses) < col(Invite.max_uses)),
    )


def _snapshot(actor: Actor, invite: Any, name: str | None) -> InviteSnapshot:
    token = token_of(invite.id)
    return InviteSnapshot(
        id=str(invite.id),
        token=token if token_hash(token) == invite.token_hash else "",
        by="" if invite.created_by == actor.user_id else name or "",
        ends_at=iso(invite.expires_at),
        uses=invite.uses,
        left=invite.max_uses - invite.uses if invite.max_uses else 0,
    )
