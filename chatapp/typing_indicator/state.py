"""What a tab holds of typing: who is at it in the open room. Everybody in the room shares it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from chatapp import shared
from chatapp.errors import NotAMember
from chatapp.gate import actor, handler
from chatapp.realtime.room import Applied, LiveRoom
from chatapp.typing_indicator.typists import Typists

SHOWN = 20
"""Typists that a room is told of at most."""

HERE = Typists()
"""Who is typing, as this process knows it."""


@dataclass(frozen=True)
class Typist:
    """Somebody who is typing; the name is the server's."""

    id: str
    name: str


class Typing(rx.State):
    """Who is typing in the open room."""

    typists: list[Typist] = []

    @handler
    async def press(self, room_id: UUID):
        """I am typing in a room of mine. Costs no query: whoever types shows the room, so it is known here."""
        if room := _mine(room_id):
            HERE.pressed(room.id, str(actor().user_id), room.newest, self.router.session.session_id)

    @handler
    async def stop(self, room_id: UUID):
        """I stopped, or sent what I was typing."""
        if room := _mine(room_id):
            HERE.stopped(room.id, str(actor().user_id))


TYPISTS = shared.Shared(Typing.typists)

_room: Callable[[UUID], LiveRoom | None] = lambda _: None  # noqa: E731  # until the process serves


def use(room: Callable[[UUID], LiveRoom | None]) -> None:
    """Have open rooms looked up by `room`; done once, when the process starts to serve."""
    global _room  # noqa: PLW0603  # one per process, set once
    _room = room


def opened(room: LiveRoom) -> list[Any]:
    """What a tab that opens a room is sent, and a room in which somebody has begun or stopped."""
    return [TYPISTS.at(0, _shown(room))]


def changed(room: LiveRoom, applied: Applied) -> list[Any]:
    """What is sent together with a message: its author has stopped typing."""
    for row in applied.rows:
        HERE.said(room.id, row.user_id, row.seq)
    for user_id in applied.removed:
        HERE.stopped(room.id, user_id, own=False)
    return opened(room) if HERE.take_changed(room.id) else []


def _mine(room_id: UUID) -> LiveRoom | None:
    """An open room that the caller is in, None for one that is not open here. Raises NotAMember."""
    room = _room(room_id)
    if room is not None and not room.has_member(actor().user_id):
        raise NotAMember
    return room


def _shown(room: LiveRoom) -> list[Typist]:
    typing = [user_id for user_id in HERE.of(room.id) if room.has_member(user_id)]
    names = {member.id: member.name for member in room.members} if typing else {}
    return [Typist(user_id, names[user_id]) for user_id in typing if user_id in names][:SHOWN]
