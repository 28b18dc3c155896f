"""Verbs about presence. Only its end is ever written: when somebody was last here."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import func, select

from chatapp.actor import SYSTEM
from chatapp.db import transaction


async def note_seen(people: Iterable[UUID]) -> None:
    """Write down that these people were here just now, in one statement. It is no change of any room."""
    async with transaction(SYSTEM) as session:
        await session.exec(select(func.private.note_seen(list(people))))
