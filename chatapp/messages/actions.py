"""Verbs about messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, null, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col, func, insert, select, update

from chatapp.accounts.model import Profile
from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import Forbidden, Invalid, NotAMember, NotFound
from chatapp.messages.emoji import without_shortcodes
from chatapp.messages.model import CLIENT_ID_LIMIT, CONTENT_LIMIT, PINS_LIMIT, QUOTES_LIMIT, REPLIES_LIMIT, Message
from chatapp.messages.queries import ARCHIVED, DELETED, SHOWN, page, snapshot, standing
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.rooms.model import Membership
from chatapp.texts import clean

_VALUES = {
    "room_id": "room",
    "user_id": "author",
    "client_id": "client",
    "content": "said",
    "parent_id": "parent",
    "quote_id": "quoted",
}
_NAME = select(col(Profile.name)).where(col(Profile.id) == bindparam("author")).scalar_subquery()
_INSERT = (
    insert(Message)
    .values({name: bindparam(value) for name, value in _VALUES.items()})
    .returning(*SHOWN, _NAME.label("author"), null().label("quoted"))
)
_MINE = page(
    col(Message.seq),
    col(Message.user_id) == bindparam("user_id"),
    col(Message.client_id) == bindparam("client_id"),
)


@dataclass(frozen=True)
class Answer:
    """What a message answers: it is a reply in the thread of `parent_id`, or quotes `quote_id`; not both."""

    parent_id: UUID | None = None
    quote_id: UUID | None = None


NOTHING = Answer()


async def post(actor: Actor, room_id: UUID, client_id: str, content: str, answer: Answer = NOTHING) -> MessageSnapshot:
    """Say something in a room; the text is stored trimmed, with emoji in place of shortcodes.

    `client_id` is the sender's own id for the message: posting it again returns the one that is there.
    Raises Invalid for a text that cannot be stored or answers what cannot be answered, and NotAMember.
    """
    content = _text(content)
    client_id = clean(client_id, "client_id", CLIENT_ID_LIMIT)
    try:
        return await _post(actor, room_id, client_id, content, answer)
    except Forbidden as refused:
        raise await _reason(actor, room_id) from refused
    except Invalid as refused:
        raise Invalid(await _unanswerable(actor, room_id, answer) or refused.message) from refused


async def edit(actor: Actor, message_id: UUID, content: str) -> bool:
    """Change what a message of the actor's own says; of two edits the last one stays.

    Answers whether it says anything else now: `:tada:` and 🎉 are stored alike.

    Raises Invalid for a text that cannot be stored, a deleted message and an archived room, Forbidden for
    somebody else's message and NotFound for one in a room the actor isn't in.
    """
    content = _text(content)
    mine = (col(Message.id) == message_id, col(Message.user_id) == actor.user_id)
    before = aliased(Message)  # the statement sees what there was when it began
    said = select(before.content).where(before.id == message_id).scalar_subquery()
    edited = update(Message).where(*mine).values(content=content)
    return await _change(actor, message_id, edited.returning(said != content))


async def delete(actor: Actor, message_id: UUID) -> None:
    """Leave a tombstone of a message: of one's own, or as the owner or an admin of anybody's.

    Deleting twice is deleting once. Raises Forbidden and NotFound.
    """
    wanted = update(Message).where(col(Message.id) == message_id).values(content="", deleted_at=func.now())
    await _change(actor, message_id, wanted.returning(true()))


async def pin(actor: Actor, message_id: UUID, pinned: bool = True) -> None:
    """Pin a message or take its pin away; any member may. Doing it twice is doing it once.

    Raises Invalid for a deleted message, an archived room and one pin too many, and NotFound.
    """
    async with transaction(actor) as session:
        outcome = await session.scalar(select(func.private.pin_message(message_id, pinned)))
    if outcome == "missing":
        raise NotFound
    if outcome != "done":
        raise Invalid(_PIN_REFUSALS[outcome])


_PIN_REFUSALS = {
    "deleted": DELETED,
    "archived": ARCHIVED,
    "full": f"A room has {PINS_LIMIT} pinned messages at the most.",
}


def _text(content: str) -> str:
    """Return a text as it is stored. Its length is that of what was written, as the browser counts it."""
    return without_shortcodes(clean(content, "Message", CONTENT_LIMIT))


async def _change(actor: Actor, message_id: UUID, change: ReturningUpdate[Any]) -> bool:
    """Make a change to one message and answer what it returns.

    Raises NotFound, Forbidden and Invalid, whichever tells why it wasn't made.
    """
    try:
        async with transaction(actor) as session:
            done = await session.scalar(change)
    except (Forbidden, Invalid):
        done = None
    if done is None:
        (await standing(actor, message_id)).require_changeable()
        raise Forbidden
    return bool(done)


async def _post(actor: Actor, room_id: UUID, client_id: str, content: str, answer: Answer) -> MessageSnapshot:
    """Insert and commit, nothing in between: the room is locked from the one to the other."""
    values = {
        "room": room_id,
        "author": actor.user_id,
        "client": client_id,
        "said": content,
        "parent": answer.parent_id,
        "quoted": answer.quote_id,
    }
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
    return Invalid(ARCHIVED) if member else NotAMember()


async def _unanswerable(actor: Actor, room_id: UUID, answer: Answer) -> str:
    """Return why nothing can be said to a message, "" where it is not for that."""
    answered = answer.parent_id or answer.quote_id
    if answered is None:
        return ""
    async with transaction(actor) as session:
        said = await session.get(Message, answered)
    if answer.parent_id and answer.quote_id:
        return "A reply cannot quote."
    if said is None or said.room_id != room_id or said.parent_id:
        return "The message that this answers is not here."
    if answer.quote_id:
        return DELETED if said.deleted_at else f"A message can be quoted {QUOTES_LIMIT} times at the most."
    return f"A thread has {REPLIES_LIMIT:,} replies at the most."
