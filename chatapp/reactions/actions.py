"""Verbs about reactions: adding twice is adding once, taking back what is not there is nothing."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import col, delete, insert

from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import ChatError, Forbidden, Invalid
from chatapp.messages.queries import Standing, standing
from chatapp.reactions import queries
from chatapp.reactions.model import DISTINCT_LIMIT, Reaction
from chatapp.texts import one_emoji

TOO_MANY = f"A message takes {DISTINCT_LIMIT} different reactions at the most."


async def add(actor: Actor, message_id: UUID, emoji: str) -> None:
    """React to a message. Raises Invalid for what is no emoji or cannot take one more, and NotFound."""
    values = {"message_id": message_id, "user_id": actor.user_id, "emoji": one_emoji(emoji)}
    try:
        async with transaction(actor) as session:
            await session.exec(insert(Reaction).values(values))
    except (Forbidden, Invalid) as refused:
        raise await _reason(actor, message_id) from refused


async def remove(actor: Actor, message_id: UUID, emoji: str) -> None:
    """Take a reaction back. Raises Invalid in an archived room, and NotFound."""
    mine = (col(Reaction.message_id) == message_id, col(Reaction.user_id) == actor.user_id)
    wanted = delete(Reaction).where(*mine, col(Reaction.emoji) == one_emoji(emoji)).returning(col(Reaction.emoji))
    async with transaction(actor) as session:
        there = (await session.exec(wanted)).one_or_none()
    if there is None:
        (await standing(actor, message_id)).require_unarchived()


async def flip(actor: Actor, message_id: UUID, emoji: str) -> None:
    """Take a reaction back if it is there, else add it: for a browser that cannot know which. Raises as `add` does."""
    if one_emoji(emoji) in await queries.mine(actor, message_id):
        await remove(actor, message_id, emoji)
    else:
        await add(actor, message_id, emoji)


async def _reason(actor: Actor, message_id: UUID) -> ChatError:
    found: Standing = await standing(actor, message_id)
    found.require_changeable()
    return Invalid(TOO_MANY) if found.reactions >= DISTINCT_LIMIT else Forbidden()
