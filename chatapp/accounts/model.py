"""Profiles and sessions. What must hold is in `sql/`, where it holds for everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text
from sqlalchemy.orm import declared_attr, deferred
from sqlmodel import Field, SQLModel

from chatapp import columns

NAME_LIMIT = 80
STATUS_LIMIT = 100
PASSWORD_LEAST = 8


class Profile(SQLModel, table=True):
    """An account of Supabase Auth as others see it.

    `id` is the account's; a trigger makes the one with the other. `receipts`: read markers are shown, mine to
    others and theirs to me. It and `last_seen_at` are the person's own: a query names them where it may read them, else
    they are not loaded. A status counts until `status_until`; nothing runs when it ends.
    """

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  # SQLAlchemy gives it the class
        private = (cls.__table__.c[name] for name in ("receipts", "last_seen_at"))  # type: ignore[attr-defined]  # every model has it
        return {"properties": {column.name: deferred(column, raiseload=True) for column in private}}

    __tablename__ = "profiles"

    id: UUID = Field(primary_key=True)
    name: str = Field(sa_type=Text)
    avatar_url: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = columns.stamped()
    updated_at: datetime = columns.stamped()
    receipts: bool = columns.default("true")
    last_seen_at: datetime | None = columns.maybe_moment()
    status_emoji: str = columns.default("''", sa_type=Text)
    status_text: str = columns.default("''", sa_type=Text)
    status_until: datetime | None = columns.maybe_moment()


class Session(SQLModel, table=True):
    """A signed-in browser.

    `id_hash` is the sha-256 of its cookie's value; Supabase's tokens never leave the server.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("sessions_user_id_idx", "user_id"),
        Index("sessions_expires_at_idx", "expires_at"),
    )

    id_hash: bytes = Field(primary_key=True)
    user_id: UUID = columns.reference("profiles.id", "CASCADE")
    access_token: str = Field(sa_type=Text)
    refresh_token: str = Field(sa_type=Text)
    access_expires_at: datetime = columns.moment()
    created_at: datetime = columns.stamped()
    seen_at: datetime = columns.stamped()
    expires_at: datetime = columns.moment()
