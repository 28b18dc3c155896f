"""Verbs about threads. Replying is posting: `chatapp.messages.actions.post`."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import func, select

from chatapp.actor import Actor
from chatapp.db import transaction


async def read(actor: Actor, parent_id: UUID, reply_seq: int) -> None:
    """Note that the actor has read a thread up to a reply; nothing happens unless they follow it."""
    async with transaction(actor) as session:
        await session.scalar(select(func.private.read_thread(parent_id, reply_seq)))
