"""Names of the streams: Realtime topics between backends, socket.io rooms inside one backend."""

from __future__ import annotations

from uuid import UUID

CHANGES = "changes"
"""Private Realtime topic on which the database's triggers announce every change."""

HINT_EVENT = "hint"
"""Broadcast event of a hint on `CHANGES`."""

BACKENDS = "backends"
"""Private Realtime topic on which the backend processes of a project know of each other."""

PEER_EVENT = "peer"
"""Broadcast event of what one backend tells the others on `BACKENDS`."""


def room(room_id: UUID | str) -> str:
    """Tabs at the live end of a room."""
    return f"room:{room_id}"


def room_head(room_id: UUID | str) -> str:
    """Tabs that read far back in a room: they are told its newest seq and nothing else."""
    return f"room:{room_id}:head"


def room_member(room_id: UUID | str, user_id: UUID | str) -> str:
    """One person's tabs in a room, so that a removed member's tabs are found at once."""
    return f"room:{room_id}:member:{user_id}"


def room_thread(room_id: UUID | str, parent_id: UUID | str) -> str:
    """Tabs in a room that show a thread."""
    return f"room:{room_id}:thread:{parent_id}"


def is_thread(name: str) -> bool:
    """Whether a topic is a `room_thread`."""
    return name.startswith("room:") and ":thread:" in name


def room_receipts(room_id: UUID | str) -> str:
    """Tabs in a room that are told how far its members have read."""
    return f"room:{room_id}:receipts"


LISTED = "list:"
"""What the names of `listed` begin with."""


def listed(room_id: UUID | str) -> str:
    """Tabs that have a room on their list and do not show it."""
    return f"{LISTED}{room_id}"


PERSON = "person:"
"""What the names of `person` begin with."""


def person(user_id: UUID | str) -> str:
    """Tabs that have a direct message with somebody on their list, and so show whether they are there."""
    return f"{PERSON}{user_id}"


def user(user_id: UUID | str) -> str:
    """All tabs of one person."""
    return f"user:{user_id}"


def session(session_id: str) -> str:
    """All tabs of one sign-in."""
    return f"session:{session_id}"
