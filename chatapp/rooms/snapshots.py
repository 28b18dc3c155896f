"""Frozen copies of rooms and members, as states hold them and the wire carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from chatapp.accounts.snapshots import Status, colour, initials

DIRECT = "direct"
"""The kind of a room that is a direct message."""


@dataclass(frozen=True)
class PersonSnapshot:
    """Somebody as others see them."""

    id: str
    name: str
    avatar_url: str
    initials: str
    colour: int

    @classmethod
    def of(cls, user_id: UUID, name: str, avatar_url: str | None) -> Self:
        return cls(str(user_id), name, avatar_url or "", initials(name), colour(user_id))


@dataclass(frozen=True)
class RoomSnapshot:
    """A room, in part as one person sees it: `role` and `read_seq` are theirs, "" and 0 for somebody who isn't in it.

    (`read_turn`, `read_seq`) is their marker: of two, the greater is the newer. `members` is the members' number, times
    are ISO 8601, "" for never. `others` are the other people in a direct message, and `name` is theirs; without a
    viewer there are no others, and no name.
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
    read_turn: int = 0
    created_at: str = ""
    kind: str = "room"
    others: tuple[PersonSnapshot, ...] = ()


@dataclass(frozen=True)
class MemberSnapshot:
    """A person in a room. `last_seen_at` is ISO 8601, "" for never; it doesn't matter while they are there. `status` is
    None for those who say nothing of themselves, which costs the wire least; the browser knows when one has ended.
    """

    id: str
    name: str
    avatar_url: str
    initials: str
    colour: int
    role: str
    joined_at: str
    last_seen_at: str = ""
    status: Status | None = None


@dataclass(frozen=True)
class Head:
    """How far a room is: its newest message's seq, and when that was said (ISO 8601, "" for never)."""

    last_seq: int
    at: str


@dataclass(frozen=True)
class Mark:
    """A read marker: up to `seq` has been read. Of two of one member, the greater (`turn`, `seq`) is the newer."""

    room_id: UUID
    user_id: UUID
    seq: int
    turn: int
