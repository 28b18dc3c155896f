"""Tells rooms and the other backends who came and went, and the database when somebody was last here."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from uuid import UUID

from chatapp import shared
from chatapp.errors import ChatError
from chatapp.presence import actions, state
from chatapp.presence.roster import OFFLINE, Roster
from chatapp.realtime import topic
from chatapp.realtime.peers import Peers
from chatapp.realtime.pulse import Moment, earliest, never, pulse
from chatapp.realtime.room import LiveRoom
from chatapp.rooms import state as rooms

REST = 0.2
"""Seconds in which comings and goings become one delta a room and one message to the other backends."""

CHUNK = 1_000
"""People in one message to the other backends: some 45 KB, which every plan of the hosted service carries."""

EVERY = 60.0
"""Seconds between two times that everybody here is told to the others again and written down as seen.

It bounds what a lost broadcast or a killed backend costs.
"""

CHANGED, EVERYBODY = "people", "everybody"
"""What the other backends are told: some people's statuses, or all of them in parts."""


class Announcer:
    """Keeps rooms and backends told of the roster. `rooms` answers the rooms that tabs of this process show."""

    def __init__(self, roster: Roster, peers: Peers, rooms: Callable[[], Iterable[LiveRoom]]) -> None:
        self._roster, self._peers, self._rooms = roster, peers, rooms
        self._unwritten: set[str] = set()
        self._write = asyncio.Event()
        self._refresh = time.monotonic() + EVERY
        self._arriving: dict[str, dict[str, str]] = {}
        peers.on(CHANGED, self._heard_changes)
        peers.on(EVERYBODY, self._heard_everybody)
        peers.on_meeting(self._introduce)
        peers.on_parting(self._parted)

    async def keep(self) -> None:
        """Until cancelled: tell what has changed."""
        await pulse(self._roster.woken, self._due, self._act, REST)

    async def keep_seen(self) -> None:
        """Until cancelled: write down who was here. Apart from telling, which must not wait for the database."""
        await pulse(self._write, never, self.write_seen, 1.0, "It could not be written down who was here")

    async def write_seen(self) -> None:
        """Write down who was here. Raises ChatError, and who could not be written is kept for the next time."""
        people, self._unwritten = self._unwritten, set()
        try:
            if people:
                await actions.note_seen(map(UUID, people))
        except ChatError:
            self._unwritten |= people
            raise

    async def close(self) -> None:
        """The process ends, and so does everybody's stay at it."""
        self._unwritten.update(self._roster.here())
        with contextlib.suppress(TimeoutError, ChatError):  # what is lost is a minute at most: it is written all along
            async with asyncio.timeout(2):
                await self.write_seen()

    def _due(self) -> Moment:
        return earliest(self._roster.due(), self._peers.due(), self._refresh)

    async def _act(self) -> None:
        self._peers.expire()
        self._roster.expire()
        if time.monotonic() >= self._refresh:
            self._refresh = time.monotonic() + EVERY
            self._introduce()
            self._note(self._roster.here())
        changes = self._roster.take()
        if changes.own:
            for chunk in _chunks(changes.own):
                self._peers.say(CHANGED, {"people": chunk})
            self._note(user_id for user_id, status in changes.own.items() if status == OFFLINE)
        if changes.all:
            await self._tell_rooms(changes.all)
            await rooms.tell_people(changes.all)

    async def _tell_rooms(self, people: Mapping[str, str]) -> None:
        for room in self._rooms():
            if values := state.news(room, people):
                for to in (topic.room(room.id), topic.room_head(room.id)):
                    await shared.wire().emit(to, shared.update(*values))

    def _introduce(self) -> None:
        """Say everybody who is here: to a backend that is new, or has been away, or may have missed something."""
        chunks = _chunks(self._roster.here()) or [{}]
        for part, chunk in enumerate(chunks, 1):
            self._peers.say(EVERYBODY, {"people": chunk, "part": part, "of": len(chunks)})

    def _heard_changes(self, backend: str, content: Mapping[str, Any]) -> None:
        self._roster.told(backend, _people(content))

    def _heard_everybody(self, backend: str, content: Mapping[str, Any]) -> None:
        """Taken over when the last part is here: until then those in it would seem to be gone."""
        if content["part"] == 1:
            self._arriving[backend] = {}
        self._arriving.setdefault(backend, {}).update(_people(content))
        if content["part"] == content["of"]:
            self._roster.told_all(backend, self._arriving.pop(backend))

    def _parted(self, backend: str) -> None:
        """It had no time to write down who was there: whoever is left does."""
        self._arriving.pop(backend, None)
        self._note(self._roster.forget(backend))

    def _note(self, people: Iterable[str]) -> None:
        self._unwritten.update(people)
        if self._unwritten:
            self._write.set()


def _people(content: Mapping[str, Any]) -> dict[str, str]:
    return {str(UUID(user_id)): str(status) for user_id, status in content["people"].items()}


def _chunks(people: Mapping[str, str]) -> list[dict[str, str]]:
    return list(_cut(iter(people.items())))


def _cut(pairs: Iterator[tuple[str, str]]) -> Iterator[dict[str, str]]:
    while chunk := dict(islice(pairs, CHUNK)):
        yield chunk
