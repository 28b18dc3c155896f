"""Verbs about messages."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import bindparam
from sqlmodel import col, insert, select

from chatapp.accounts.model import Profile
from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import Forbidden, Invalid, NotAMember
from chatapp.messages.model import CLIENT_ID_LIMIT, CONTENT_LIMIT, Message
from chatapp.messages.queries import SHOWN, page, snapshot
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.rooms.model import Membership
from chatapp.texts import clean

_VALUES = {"room_id": "room", "user_id": "author", "client_id": "client", "content": "said"}
_NAME = select(col(Profile.name)).where(col(Profile.id) == bindparam("author")).scalar_subquery()
_INSERT = (
    insert(Message)
    .values({name: bindparam(value) for name, value in _VALUES.items()})
    .returning(*SHOWN, _NAME.label("author"))
)
_MINE = page(
    col(Message.seq),
    col(Message.user_id) == bindparam("user_id"),
    col(Message.client_id) == bindparam("client_id"),
)


async def post(actor: Actor, room_id: UUID, client_id: str, content: str) -> MessageSnapshot:
    """Say something in a room; the text is stored trimmed.

    `client_id` is the sender's own id for the message: posting it again returns the one that is there.
    Raises Invalid for a text that cannot be stored and NotAMember.
    """
    content = clean(content, "Message", CONTENT_LIMIT)
    client_id = clean(client_id, "client_id", CLIENT_ID_LIMIT)
    try:
        return await _post(actor, room_id, client_id, content)
    except Forbidden as refused:
        raise await _reason(actor, room_id) from refused


async def _post(actor: Actor, room_id: UUID, client_id: str, content: str) -> MessageSnapshot:
    """Insert and commit, nothing in between: the room is locked from the one to the other."""
    values = {"room": room_id, "author": actor.user_id, "client": client_id, "said": content}
    async with transaction(actor) as session:
        made = (await session.exec(_INSERT, params=values)).one_or_none()
    return snapshot(made) if made else await _there(actor, room_id, client_id)


async def _there(actor: Actor, room_id: UUID, client_id: str) -> MessageSnapshot:
    """Return the message that an earlier attempt has stored.

    Raises NotAMember when the actor has left since.
    """
    values = {"room_id": room_id, "user_id": actor.user_id, "client_id": client_id, "limit": 1}
    async with transaction(actor) as session:
        found = (await session.exec(_MINE, params=values)).one_or_none()
    if found is None:
        raise NotAMember
    return snapshot(found)


async def _reason(actor: Actor, room_id: UUID) -> NotAMember | Invalid:
    """Return why the policies refuse: the actor isn't in the room, or it is archived."""
    async with transaction(actor) as session:
        member = await session.get(Membership, (room_id, actor.user_id))
    return Invalid("This room is archived.") if member else NotAMember()
