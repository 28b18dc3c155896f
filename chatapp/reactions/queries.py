"""Reads about reactions. What everybody sees of them comes with the message: `chatapp.messages.snapshots`."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import col, select

from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.reactions.model import Reaction


async def mine(actor: Actor, message_id: UUID) -> frozenset[str]:
    """Return the emoji that the actor has given a message; none for one they can't see."""
    wanted = select(col(Reaction.emoji)).where(
        col(Reaction.message_id) == message_id, col(Reaction.user_id) == actor.user_id
    )
    async with transaction(actor) as session:
        return frozenset(await session.exec(wanted))
