"""Who follows a thread. What must hold is in `sql/`, where it holds for everybody."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Index, Integer
from sqlmodel import SQLModel

from chatapp import columns


class Follower(SQLModel, table=True):
    """Somebody who has read a thread up to its `read_seq`-th reply: whose message it is, and whoever replied."""

    __tablename__ = "thread_followers"
    __table_args__ = (Index("thread_followers_user_id_idx", "user_id", "parent_id"),)

    parent_id: UUID = columns.reference("chat_messages.id", "CASCADE", primary_key=True)
    user_id: UUID = columns.reference("profiles.id", "CASCADE", primary_key=True)
    read_seq: int = columns.default("0", sa_type=Integer)
