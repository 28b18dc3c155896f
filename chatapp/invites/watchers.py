"""Who has a list of invites open: read again when one is made, used or revoked, once per person and not per tab."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from chatapp import shared
from chatapp.errors import ChatError
from chatapp.invites.snapshots import InviteSnapshot
from chatapp.realtime import topic
from chatapp.realtime.hint import Hint
from chatapp.realtime.pulse import Every, pulse

REST = 0.25
"""Seconds between two readings of the lists that have changed."""

LOOKS = 2
"""Times that a list is read after a hint, which may be heard a moment before what it tells of can be read."""

WATCHDOG = 5.0
"""Seconds between two readings of all lists that are open: the bound on a lost hint."""

Read = Callable[[UUID, UUID], Awaitable[Sequence[InviteSnapshot] | None]]
"""Reads a person's list of a room's invites; None for somebody who is not in it. Raises ChatError."""

Send = Callable[[UUID, UUID, Sequence[InviteSnapshot]], Awaitable[None]]
"""Sends it to all tabs of theirs there."""


class Watchers:
    """People who have asked for a room's invites, as long as a tab of theirs shows the room."""

    def __init__(self) -> None:
        self._people: dict[UUID, set[UUID]] = {}
        self._due: dict[UUID, int] = {}
        self._told: dict[tuple[UUID, UUID], Sequence[InviteSnapshot]] = {}
        self._news = asyncio.Event()
        self._watchdog = Every(WATCHDOG)

    def add(self, room_id: UUID, user_id: UUID) -> None:
        """Somebody is about to read a room's invites: what changes from now on is told."""
        self._forget_gone()
        self._people.setdefault(room_id, set()).add(user_id)

    def hint(self, hint: Hint) -> None:
        """An invite was made, used or revoked; or somebody's role has changed, and with it what they may see."""
        if hint.room_id in self._people:
            self._due[hint.room_id] = LOOKS
            self._news.set()

    def gap(self) -> None:
        """Anything may have changed."""
        self._suspect_all()
        self._news.set()

    def told(self, room_id: UUID, user_id: UUID, invites: Sequence[InviteSnapshot]) -> None:
        """A person's tabs have this list."""
        self._told[room_id, user_id] = invites

    async def keep(self, read: Read, send: Send) -> None:
        """Until cancelled: tell, and from time to time compare."""

        async def act() -> None:
            await self._act(read, send)

        await pulse(self._news, self._watchdog.due, act, REST, "Invites could not be read")

    async def _act(self, read: Read, send: Send) -> None:
        if self._watchdog.passed():
            self._suspect_all()
        due, self._due = self._due, {}
        self._forget_gone()
        try:
            await self._tell(due, read, send)
        except ChatError:
            self._due = {**due, **self._due}
            raise

    async def _tell(self, due: dict[UUID, int], read: Read, send: Send) -> None:
        for room_id, looks in due.items():
            for user_id in list(self._people.get(room_id, ())):
                invites = await read(room_id, user_id)
                if invites is not None and self._told.get((room_id, user_id)) != invites:
                    await send(room_id, user_id, invites)
            if looks > 1:
                self._due.setdefault(room_id, looks - 1)
                self._news.set()

    def _suspect_all(self) -> None:
        self._due = {**dict.fromkeys(self._people, 1), **self._due}

    def _forget_gone(self) -> None:
        for room_id, people in list(self._people.items()):
            here = {who for who in people if shared.wire().tabs(topic.room_member(room_id, who))}
            if here:
                self._people[room_id] = here
            else:
                del self._people[room_id]
        self._told = {key: told for key, told in self._told.items() if key[1] in self._people.get(key[0], ())}


watchers = Watchers()
"""The process's own."""
