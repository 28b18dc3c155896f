"""Frozen copies of messages, as states hold them and the wire carries them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from chatapp.rooms.snapshots import MemberSnapshot, RoomSnapshot


@dataclass(frozen=True)
class ReactionSnapshot:
    """An emoji at a message: how many people gave it, and the ids of those who did so first (40 at the most)."""

    emoji: str
    count: int
    users: tuple[str, ...]


@dataclass(frozen=True)
class QuoteSnapshot:
    """What a message quotes: the beginning of another one, as that is now; nothing of a deleted one."""

    id: str
    seq: int
    user_id: str
    author: str
    content: str
    deleted: bool = False


@dataclass(frozen=True)
class MessageSnapshot:
    """A message at `rev`.

    `edited_at` and `pinned_at` are "" for never; a deleted one has no content; `user_id` is "" for a gone account.
    `mentions` are (id, name as written) of those it names. A reply has the id of its thread's first message as
    `parent_id` and is the `reply_seq`-th in it; that message has `replies` of them.
    """

    id: str
    seq: int
    rev: int
    user_id: str
    client_id: str
    author: str
    content: str
    created_at: str
    edited_at: str
    deleted: bool
    reactions: tuple[ReactionSnapshot, ...] = ()
    pinned_at: str = ""
    parent_id: str = ""
    reply_seq: int = 0
    replies: int = 0
    last_reply_at: str = ""
    quote: QuoteSnapshot | None = None
    mentions: tuple[tuple[str, str], ...] = ()

    @property
    def pinned(self) -> bool:
        return self.pinned_at != ""


@dataclass(frozen=True)
class CatchUp:
    """Everything above a cursor. `rev` is the cursor after applying it; `more` says that it stopped short of that.

    `room` holds what is the same for every viewer (`role` "" and `read_seq` 0) and is None when the room is
    gone; `members` is None when nobody came, went or changed, and cut short in a very large room: `member_ids`
    are all of them. `pinned` are all pinned messages where everything was read, and empty where only changes were.
    """

    room_id: UUID
    rev: int
    last_seq: int
    room: RoomSnapshot | None = None
    members: tuple[MemberSnapshot, ...] | None = None
    member_ids: frozenset[str] | None = None
    messages: tuple[MessageSnapshot, ...] = ()
    pinned: tuple[MessageSnapshot, ...] = ()
    gone: bool = False
    more: bool = False
