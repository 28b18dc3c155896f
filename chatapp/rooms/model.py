"""Rooms and memberships. What must hold is in `sql/`, where it holds for everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import declared_attr, deferred
from sqlmodel import Field, SQLModel

from chatapp import columns

NAME_LIMIT = 80
DESCRIPTION_LIMIT = 300


class Room(SQLModel, table=True):
    """A place to talk. One of kind `direct` has no name and no roles: it is its members, who are always the same.

    `direct_key` is the same for the same people. `last_seq` counts the messages, `rev` every change, `members_rev` is
    that of its members' last.
    """

    __tablename__ = "chat_rooms"
    __table_args__ = (
        Index("chat_rooms_created_by_idx", "created_by"),
        Index(
            "chat_rooms_public_idx",
            text("member_count DESC"),
            "id",
            postgresql_where=text("not is_private and archived_at is null"),
        ),
    )

    id: UUID = columns.default("gen_random_uuid()", primary_key=True)
    name: str = Field(sa_type=Text)
    description: str = columns.default("''", sa_type=Text)
    is_private: bool = columns.default("false")
    created_by: UUID | None = columns.reference("profiles.id", "SET NULL", default=None)
    created_at: datetime = columns.stamped()
    archived_at: datetime | None = columns.maybe_moment()
    last_seq: int = columns.counter()
    rev: int = columns.counter()
    members_rev: int = columns.counter()
    member_count: int = columns.default("0")
    last_message_at: datetime | None = columns.maybe_moment()
    past_turn: int = columns.default("0")
    kind: str = columns.default("'room'", sa_type=Text)
    direct_key: bytes | None = Field(default=None, unique=True)


class Membership(SQLModel, table=True):
    """A person in a room. `read_seq` is their read marker: everything up to that seq has been read.

    Marking as unread begins a new `read_turn`, so the greater of (read_turn, read_seq) is always the newer marker. Both
    are the person's own: a query names them where it may read them, else they are not loaded.
    """

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  # SQLAlchemy gives it the class
        private = (cls.__table__.c[name] for name in ("read_seq", "read_turn"))  # type: ignore[attr-defined]  # every model has it
        return {"properties": {column.name: deferred(column, raiseload=True) for column in private}}

    __tablename__ = "room_members"
    __table_args__ = (
        Index("room_members_user_id_idx", "user_id", "room_id"),
        Index("room_members_owner_idx", "room_id", postgresql_where=text("role = 'owner'")),
    )

    room_id: UUID = columns.reference("chat_rooms.id", "CASCADE", primary_key=True)
    user_id: UUID = columns.reference("profiles.id", "CASCADE", primary_key=True)
    role: str = columns.default("'member'", sa_type=Text)
    level: str = columns.default("'all'", sa_type=Text)
    read_seq: int = columns.counter()
    read_turn: int = columns.default("0")
    joined_at: datetime = columns.stamped()
    rev: int = columns.counter()
