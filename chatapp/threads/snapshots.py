"""Frozen copies of what is known of threads."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chatapp.messages.snapshots import MessageSnapshot


@dataclass(frozen=True)
class Page:
    """A part of a thread: the message it began with, and replies in their order."""

    parent: MessageSnapshot
    replies: tuple[MessageSnapshot, ...]


@dataclass(frozen=True)
class Followed:
    """A thread that somebody follows: its first message, how many replies it has, and how many they have read."""

    parent_id: str
    replies: int
    read: int


@dataclass(frozen=True)
class Theirs:
    """A thread that a person follows in a room."""

    person: UUID
    room_id: UUID
    followed: Followed
