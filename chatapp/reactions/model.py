"""Reactions. What must hold is in `sql/`, where it holds for everybody."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from chatapp import columns

DISTINCT_LIMIT = 20
"""Different emoji that a message takes; a trigger holds it."""


class Reaction(SQLModel, table=True):
    """Somebody's emoji at a message: one row per person, message and emoji, there or not there."""

    __tablename__ = "message_reactions"
    __table_args__ = (Index("message_reactions_user_id_idx", "user_id"),)

    message_id: UUID = columns.reference("chat_messages.id", "CASCADE", primary_key=True)
    user_id: UUID = columns.reference("profiles.id", "CASCADE", primary_key=True)
    emoji: str = Field(sa_type=Text, primary_key=True)
    created_at: datetime = columns.stamped()
