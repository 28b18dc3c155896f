"""Frozen copies of rooms and members, as states hold them and the wire carries them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RoomSnapshot:
    """A room, in part as one person sees it: `role` and `read_seq` are theirs, "" and 0 for somebody who isn't in it.

    `members` is their number, times are ISO 8601, "" for never.
    """

    id: str
    name: str
    description: str
    is_private: bool
    role: str
    last_seq: int
    read_seq: int
    last_message_at: str
    members: int
    archived: bool = False


@dataclass(frozen=True)
class MemberSnapshot:
    """A person in a room. `last_seen_at` is ISO 8601, "" for never; it doesn't matter while they are there."""

    id: str
    name: str
    avatar_url: str
    initials: str
    colour: int
    role: str
    joined_at: str
    last_seen_at: str = ""
