"""What a tab holds of read markers: how far the others in the open room have read. Mine are with the room list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

import reflex as rx
from pydantic import Field

from chatapp import shared
from chatapp.errors import ChatError
from chatapp.gate import actor, caller, handler
from chatapp.realtime import topic
from chatapp.receipts import actions
from chatapp.receipts.queries import MEMBERS_MOST
from chatapp.rooms.snapshots import Mark

CHANGES_MOST = 8
"""Markers in one delta: it stays below 600 bytes."""

TAKE_BACK = rx.call_script("window.dispatchEvent(new Event('chatapp:unread-refused'))")
"""For a browser whose marker was not set back; see assets/unread.js."""

Seq = Annotated[int, Field(ge=1, lt=2**53)]
Turn = Annotated[int, Field(ge=0, lt=2**31)]


class ReadMarkers(rx.State):
    """Who has read how far in the open room. Everybody in it who shares theirs shares these."""

    markers: dict[str, list[str | int] | None] = {}
    """By a member's short id: the room's short id and the seq read up to; None for who shares none."""

    @handler
    async def advance(self, room_id: UUID, seq: Seq, turn: Turn):
        """I have seen everything up to `seq`, in a tab that shows the room. `turn` is that of the marker it knows."""
        if shared.wire().tabs(topic.room_member(room_id, actor().user_id)):
            actions.advances.step(actor(), room_id, seq, turn, caller())

    @handler(refused=TAKE_BACK)
    async def mark_unread(self, room_id: UUID, seq: Seq):
        """Count the message at `seq` and all after it as unread again, in all my tabs. This one has done it ahead."""
        try:
            await actions.mark_unread(actor(), room_id, seq)
        except ChatError as refusal:
            return [rx.toast.error(refusal.message), TAKE_BACK]
        return None


MARKERS = shared.Shared(ReadMarkers.markers)


def opened(room_id: UUID, marks: Mapping[str, Mark], shares: bool, members: Iterable[str] = ()) -> list[Any]:
    """What a tab is sent that opens a room, or whose person has switched receipts on or off there.

    Also of those who share none: the tab may know markers of theirs from before.
    """
    people = {*marks, *members}
    return _values(room_id, marks if shares else {}, people) if len(people) <= MEMBERS_MOST else []


def told(room_id: UUID, marks: Mapping[str, Mark], moved: Iterable[str]) -> list[Any]:
    """What all tabs that are shown receipts of a room are sent when these people's markers have moved."""
    return _values(room_id, marks, moved)


def _values(room_id: UUID, marks: Mapping[str, Mark], people: Iterable[str]) -> list[Any]:
    return [MARKERS.keyed(_short(user_id), _value(room_id, marks.get(user_id))) for user_id in people]


def _value(room_id: UUID, mark: Mark | None) -> list[str | int] | None:
    return [str(room_id)[:8], mark.seq] if mark else None


def _short(user_id: str) -> str:
    """Enough of an id to tell the members of a room from each other."""
    return user_id[:13].replace("-", "")
