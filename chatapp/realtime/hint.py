"""A hint: content-free news that something is at a new rev. It may be lost, doubled or late without harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Hint:
    """What a trigger announced.

    `what` is `message`, `member`, `room` or `session`. `rev` is the room's change counter after the
    change, 0 for a session. `user_id` is set for `member`, `session_id` for `session`.
    """

    what: str
    room_id: UUID | None = None
    rev: int = 0
    user_id: UUID | None = None
    session_id: str | None = None
    gone: bool = False


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
        )
    except (KeyError, TypeError, ValueError):
        return None


def _uuid(value: object) -> UUID | None:
    return UUID(str(value)) if value else None
