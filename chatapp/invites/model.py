"""Invites. What must hold is in `sql/`, where it holds for everybody."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from chatapp import columns

MOST = 20
"""Invites that still work, of one person to one room; a trigger holds it."""


class Invite(SQLModel, table=True):
    """A link into a room. Its token is a secret: `token_hash` is what is stored of it."""

    __tablename__ = "room_invites"
    __table_args__ = (
        Index("room_invites_room_id_idx", "room_id"),
        Index("room_invites_created_by_idx", "created_by"),
    )

    id: UUID = columns.default("gen_random_uuid()", primary_key=True)
    room_id: UUID = columns.reference("chat_rooms.id", "CASCADE")
    token_hash: bytes = Field(unique=True)
    created_by: UUID | None = columns.reference("profiles.id", "CASCADE", default=None)
    created_at: datetime = columns.stamped()
    expires_at: datetime = columns.moment()
    max_uses: int | None = None
    uses: int = columns.default("0")
    revoked_at: datetime | None = columns.maybe_moment()
