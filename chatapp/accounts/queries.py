"""Reads about people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, any_, literal
from sqlalchemy import select as select_columns
from sqlmodel import col, func, select

from chatapp.accounts.model import Session
from chatapp.accounts.snapshots import ProfileSnapshot
from chatapp.actor import SYSTEM, Actor
from chatapp.db import transaction
from chatapp.errors import Unauthorized


async def profile(actor: Actor) -> ProfileSnapshot:
    """Return the actor as others see them. Raises Unauthorized when the account is gone."""
    mine = func.private.my_profile().table_valued("id", "name", "avatar_url", "receipts")
    wanted: Any = select_columns(mine)
    async with transaction(actor) as session:
        found = (await session.exec(wanted)).one_or_none()
    if found is None:
        raise Unauthorized
    return ProfileSnapshot.of(found.id, found.name, found.avatar_url, found.receipts)


async def actor_of(session_id_hash: bytes) -> Actor | None:
    """Return who a session belongs to, None when there is no such session or it has expired."""
    wanted = select(Session.user_id).where(Session.id_hash == session_id_hash, col(Session.expires_at) > func.now())
    async with transaction(SYSTEM) as session:
        user_id: UUID | None = (await session.exec(wanted)).first()
    return Actor(user_id, session_id_hash.hex()) if user_id else None


async def open_sessions(session_id_hashes: Sequence[bytes]) -> set[bytes]:
    """Return which of these sessions are there and have not expired."""
    asked = literal(session_id_hashes, ARRAY(LargeBinary))  # one parameter, however many there are
    wanted = select(Session.id_hash).where(col(Session.id_hash) == any_(asked), col(Session.expires_at) > func.now())
    async with transaction(SYSTEM) as session:
        return set((await session.exec(wanted)).all())
