"""What a tab holds of presence: who of the open room is there. Everybody in the room shares it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import reflex as rx

from chatapp import shared
from chatapp.accounts.snapshots import iso
from chatapp.gate import handler
from chatapp.presence.roster import Roster
from chatapp.realtime.room import Applied, LiveRoom

BUCKETS = 32
"""Parts that a room's presence is sent in, by the last byte of the person's id: a change in a room of a thousand is
the news about some thirty of them."""

HERE = Roster()
"""Who is there, as this process knows it."""


class Presence(rx.State):
    """Who of the open room is there: `online`, `away`, or the time since when not. Those missing are long gone."""

    people: dict[str, str] = {}
    socket: str = ""
    """The connection this tab's absence was last told to; a new one has to be told again."""

    @handler
    async def leave_alone(self, away: bool):
        """Nobody has used this tab for minutes, or somebody does again."""
        HERE.set_away(self.router.session.session_id, away)


PEOPLE = shared.Shared(Presence.people, BUCKETS)


def opened(room: LiveRoom) -> list[Any]:
    """What a tab that opens a room is sent."""
    return _buckets(room, range(BUCKETS))


def changed(room: LiveRoom, applied: Applied) -> list[Any]:
    """What a room is sent when people have come or gone: about those, and about nobody who is not in it."""
    return opened(room) if applied.members is not None else []


def news(room: LiveRoom, people: Iterable[str]) -> list[Any]:
    """What a room is sent when the status of these people has changed; nothing where none of them is in it."""
    return _buckets(room, {_bucket(user_id) for user_id in people if room.has_member(user_id)})


def _buckets(room: LiveRoom, numbers: Iterable[int]) -> list[Any]:
    parts: dict[int, dict[str, str]] = {number: {} for number in numbers}
    for user_id in room.member_ids if parts else ():
        part = parts.get(_bucket(user_id))
        if part is not None and (shown := HERE.status(user_id) or iso(HERE.seen(user_id))):
            part[user_id] = shown
    return [PEOPLE.at(number, part) for number, part in sorted(parts.items())]


def _bucket(user_id: str) -> int:
    return int(user_id[-2:], 16) % BUCKETS
