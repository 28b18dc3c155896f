"""Verbs about rooms.

Each is one transaction as the actor; policies and triggers decide, and the database announces.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from sqlalchemy import Delete, Update
from sqlmodel import col, delete, func, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import Forbidden, Invalid, NotAMember, NotFound
from chatapp.rooms import queries
from chatapp.rooms.model import DESCRIPTION_LIMIT, NAME_LIMIT, Membership, Room
from chatapp.rooms.snapshots import RoomSnapshot
from chatapp.texts import clean


async def create_room(actor: Actor, name: str, description: str = "", is_private: bool = False) -> RoomSnapshot:
    """Make a room with the actor as its owner. Raises Invalid."""
    room_id = uuid4()
    values = {
        "id": room_id,
        "name": clean(name, "Room name", NAME_LIMIT),
        "description": clean(description, "Description", DESCRIPTION_LIMIT, least=0),
        "is_private": is_private,
        "created_by": actor.user_id,
    }
    async with transaction(actor) as session:
        await session.exec(insert(Room).values(values))  # a trigger makes the creator its owner
    return await queries.room(actor, room_id)


async def describe(actor: Actor, room_id: UUID, name: str, description: str) -> None:
    """Give a room another name and description. Raises Invalid, NotAMember, and Forbidden unless the actor runs it."""
    values = {
        "name": clean(name, "Room name", NAME_LIMIT),
        "description": clean(description, "Description", DESCRIPTION_LIMIT, least=0),
    }
    await _change(actor, room_id, update(Room).values(values))


async def archive(actor: Actor, room_id: UUID, archived: bool = True) -> None:
    """Make a room stand still, or move again: nobody posts, edits, reacts or joins meanwhile.

    Raises NotAMember, and Forbidden unless the actor runs the room.
    """
    # Archiving twice is archiving once: the first time stays.
    since = func.coalesce(col(Room.archived_at), func.now()) if archived else None
    await _change(actor, room_id, update(Room).values(archived_at=since))


async def delete_room(actor: Actor, room_id: UUID) -> None:
    """Delete a room and all that was said in it, for good.

    Raises NotAMember, and Forbidden unless the actor owns it.
    """
    await _change(actor, room_id, delete(Room))


async def join(actor: Actor, room_id: UUID) -> None:
    """Become a member of a public room; joining twice is joining once. Raises NotFound for any other room."""
    membership = insert(Membership).values(room_id=room_id, user_id=actor.user_id)
    try:
        async with transaction(actor) as session:
            await session.exec(membership)
    except (Forbidden, Invalid) as refused:  # private or archived; or not there at all
        raise NotFound from refused


async def leave(actor: Actor, room_id: UUID) -> None:
    """Stop being a member; leaving twice is leaving once. When the owner leaves, another becomes it.

    Raises Forbidden for a direct message: it is its people.
    """
    async with transaction(actor) as session:
        await session.exec(_membership(room_id, actor.user_id))
        if await _is_member(session, room_id, actor.user_id):
            raise Forbidden("A direct message cannot be left.")


async def remove_member(actor: Actor, room_id: UUID, user_id: UUID) -> None:
    """Take somebody out of a room.

    Raises NotAMember when the actor isn't in it, Forbidden unless they run it.
    """
    async with transaction(actor) as session:
        await _require_member(session, actor, room_id)
        removed = await session.exec(_membership(room_id, user_id).returning(col(Membership.user_id)))
        if removed.one_or_none() is None and await _is_member(session, room_id, user_id):
            raise Forbidden


async def transfer(actor: Actor, room_id: UUID, user_id: UUID) -> None:
    """Hand a room over to one of its members; its owner is an admin from then on.

    Raises NotAMember, and Forbidden unless the actor owns it.
    """
    await change_role(actor, room_id, user_id, "owner")


async def change_role(actor: Actor, room_id: UUID, user_id: UUID, role: str) -> None:
    """Make a member `admin` or `member`, or, as the owner, hand the room over with `owner`.

    Raises Forbidden.
    """
    if role not in ("owner", "admin", "member"):
        raise Invalid("There is no such role.")
    async with transaction(actor) as session:
        await _require_member(session, actor, room_id)
        if not await session.scalar(select(func.private.change_role(room_id, user_id, role))):
            raise Forbidden


async def _change(actor: Actor, room_id: UUID, change: Update | Delete) -> None:
    """Change or delete a room. Where the policies let nothing be changed, the reason is told."""
    wanted = change.where(col(Room.id) == room_id).returning(col(Room.id))
    async with transaction(actor) as session:
        await _require_member(session, actor, room_id)
        if (await session.exec(wanted)).one_or_none() is None:
            raise Forbidden


def _membership(room_id: UUID, user_id: UUID) -> Delete:
    return delete(Membership).where(col(Membership.room_id) == room_id, col(Membership.user_id) == user_id)


async def _require_member(session: AsyncSession, actor: Actor, room_id: UUID) -> None:
    if not await _is_member(session, room_id, actor.user_id):
        raise NotAMember


async def _is_member(session: AsyncSession, room_id: UUID, user_id: UUID) -> bool:
    wanted = select(col(Membership.room_id)).where(
        col(Membership.room_id) == room_id, col(Membership.user_id) == user_id
    )
    return await session.scalar(wanted) is not None
