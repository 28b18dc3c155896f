"""Messages. What must hold is in `sql/`, where it holds for everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from chatapp import columns

CONTENT_LIMIT = 10_000
CLIENT_ID_LIMIT = 64
PINS_LIMIT = 50
"""Pinned messages that a room has at the most; a trigger holds it."""
REPLIES_LIMIT = 1000
"""Replies that a thread has at the most: it can be shown whole. A constraint holds it."""
QUOTES_LIMIT = 100
"""Times that a message can be quoted: each is changed with it. A trigger holds it."""


class Message(SQLModel, table=True):
    """Something said. `seq` is its fixed place in the room, `rev` the room's rev at its last change.

    `client_id` is the sender's own id for it, which makes sending again harmless. A deleted message is a
    tombstone. `user_id` is None when the account is gone. `reactions` is what shows of its reactions, and is kept by a
    trigger: `[{"emoji", "count", "users"}]`, of each the users who reacted first. `mentions` is, too:
    `[{"id", "name"}]`, of those whom the text names with `@`.

    A reply is the `reply_seq`-th one to `parent_id`; `reply_count` and `last_reply_at` are kept on the parent. `quote`
    is what the message that `quote_id` names says now: `{"seq", "user", "said", "deleted"}`.
    """

    __tablename__ = "chat_messages"
    __table_args__ = (
        UniqueConstraint("room_id", "seq"),
        UniqueConstraint("room_id", "user_id", "client_id"),
        Index("chat_messages_rev_idx", "room_id", "rev"),
        Index("chat_messages_user_id_idx", "user_id", "room_id"),
        Index("chat_messages_pinned_idx", "room_id", "pinned_at", postgresql_where=text("pinned_at is not null")),
        Index("chat_messages_pinned_by_idx", "pinned_by", postgresql_where=text("pinned_by is not null")),
        Index(
            "chat_messages_thread_idx",
            "parent_id",
            "reply_seq",
            unique=True,
            postgresql_where=text("parent_id is not null"),
        ),
        Index("chat_messages_created_at_idx", "created_at"),
        Index("chat_messages_quote_id_idx", "quote_id", postgresql_where=text("quote_id is not null")),
    )

    id: UUID = columns.default("gen_random_uuid()", primary_key=True)
    room_id: UUID = columns.reference("chat_rooms.id", "CASCADE")
    user_id: UUID | None = columns.reference("profiles.id", "SET NULL", default=None)
    client_id: str = Field(sa_type=Text)
    seq: int = columns.numbered()
    rev: int = columns.numbered()
    content: str = Field(sa_type=Text)
    created_at: datetime = columns.stamped()
    edited_at: datetime | None = columns.maybe_moment()
    deleted_at: datetime | None = columns.maybe_moment()
    reactions: list[dict[str, Any]] = columns.default("'[]'", sa_type=JSONB(none_as_null=True))
    pinned_at: datetime | None = columns.maybe_moment()
    pinned_by: UUID | None = columns.reference("profiles.id", "SET NULL", default=None)
    mentions: list[dict[str, str]] = columns.default("'[]'", sa_type=JSONB(none_as_null=True))
    parent_id: UUID | None = columns.within("chat_messages.id")
    reply_seq: int | None = Field(default=None, sa_type=Integer)
    reply_count: int = columns.default("0", sa_type=Integer)
    last_reply_at: datetime | None = columns.maybe_moment()
    quote_id: UUID | None = columns.within("chat_messages.id")
    quote: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))


class Mention(SQLModel, table=True):
    """Somebody was mentioned by somebody else, at `seq` of a room. Kept by a trigger, for counting."""

    __tablename__ = "message_mentions"
    __table_args__ = (Index("message_mentions_message_id_idx", "message_id"),)

    user_id: UUID = columns.reference("profiles.id", "CASCADE", primary_key=True)
    room_id: UUID = Field(primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    message_id: UUID = columns.reference("chat_messages.id", "CASCADE")
