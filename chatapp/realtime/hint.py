"""A hint: content-free news that something is at a new rev. It may be lost, doubled or late without harm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Step = tuple[int, int]
"""A read marker as (turn, seq): of two of one member, the greater is the newer."""


@dataclass(frozen=True)
class Hint:
    """What a trigger announced.

    `what` is `message`, `member`, `room`, `invite`, `read`, `mention`, `thread` or `session`. `rev` is the room's
    change counter after the change, 0 for `session`, `invite`, `read`, `mention` and `thread`, which are no change of
    the room. `user_id` is set for `member`, `session_id` for `session`. `readers` are the markers that moved, for
    `read` and for a `message` that was posted: the database may show them a moment later. They are empty when they are
    many, and None stands for one that is shown no longer, where somebody has `switched` receipts off. `seq` is that of
    a message that was posted, or that mentions `people`; with 0, they are mentioned no longer somewhere. For `thread`,
    `thread` is its first message and `readers` are followers' own markers, in which the turn is 0.
    """

    what: str
    room_id: UUID | None = None
    rev: int = 0
    user_id: UUID | None = None
    session_id: str | None = None
    gone: bool = False
    readers: Mapping[UUID, Step | None] = field(default_factory=dict)
    switched: bool = False
    seq: int = 0
    thread: UUID | None = None
    people: frozenset[UUID] = frozenset()


def parse(payload: dict[str, Any]) -> Hint | None:
    """Read a hint's payload; None for anything that is not one, since the topic's writers may be newer than we are."""
    try:
        return Hint(
            what=str(payload["what"]),
            room_id=_uuid(payload.get("room")),
            rev=int(payload.get("rev") or 0),
            user_id=_uuid(payload.get("user")),
            session_id=payload.get("session"),
            gone=bool(payload.get("gone")),
            readers={UUID(who): _step(step) for who, step in dict(payload.get("readers") or {}).items()},
            switched=bool(payload.get("switched")),
            seq=int(payload.get("seq") or 0),
            thread=_uuid(payload.get("thread")),
            people=frozenset(UUID(who) for who in payload.get("people") or ()),
        )
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _step(value: Any) -> Step | None:
    return (int(value[0]), int(value[1])) if value else None


def _uuid(value: object) -> UUID | None:
    return UUID(str(value)) if value else None
