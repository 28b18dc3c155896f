"""Fan-out inside one backend process: one catch-up query per room and change, whatever the number of viewers.

A hint only says "this room is at rev n". The hub reads what is above its cursor, once, and hands it to the
audience. Hints that never come are made up for by a gap (after every reconnection of the feed) and by a watchdog.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

from chatapp.realtime.hint import Hint
from chatapp.realtime.room import Applied, Changes, LiveRoom

log = logging.getLogger(__name__)

WATCHDOG = 0.75
"""Seconds between two comparisons of the open rooms' revs with the database: the bound on a lost hint.

Hints are lost where nobody is told: what is committed right after the database has restarted, before Realtime reads its
changes again. One look-up by primary key for all open rooms is cheap enough to make that whole within a second, and to
close a removed member's tab by then.
"""

SETTLED = 8
"""Looks after the database was away until Realtime surely reads its changes again: of those before, nobody was told."""

COALESCE = 0.02
"""Seconds a room rests after a delivery, so that a burst becomes one delta; the first change is never delayed."""

COALESCE_MOST = 0.2
"""Seconds it rests at most. In between it rests twice as long as it took: what is slow becomes seldom, not late."""

EARLY = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds before the n-th look for a rev that was announced but is not to be seen yet; the watchdog has the last one.

Postgres streams a commit a moment before other transactions see it, and on a busy machine a moment can last.
"""

BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before the n-th repetition of a failed catch-up; the last one repeats for ever."""

IDLE = 60.0
"""Seconds that a room nobody looks at stays cached, so that a reload finds it warm."""


class Source(Protocol):
    """The database, as the hub reads it (as the process itself, not as a person)."""

    async def load(self, room_id: UUID) -> Changes: ...
    async def catch_up(self, room_id: UUID, cursor: int) -> Changes: ...
    async def revs(self, room_ids: Iterable[UUID]) -> dict[UUID, int]: ...


class Audience(Protocol):
    """The tabs of this process. `evict` returns only when nothing more can reach the people named."""

    def rooms(self) -> set[UUID]: ...
    async def publish(self, room: LiveRoom, applied: Applied) -> None: ...
    async def evict(self, room_id: UUID, user_ids: Iterable[str]) -> None: ...


class Hub:
    """Keeps every open room of this process equal to the database."""

    def __init__(self, source: Source, audience: Audience) -> None:
        self._source, self._audience = source, audience
        self._rooms: dict[UUID, LiveRoom] = {}
        self._locks: dict[UUID, asyncio.Lock] = {}
        self._behind: set[UUID] = set()
        self._pumps: dict[UUID, asyncio.Task[None]] = {}

    async def open(self, room_id: UUID) -> LiveRoom:
        """The room, loaded and followed from here on. The caller has authorised; it enters its tab afterwards."""
        # Registered before it is loaded: a change that happens meanwhile leaves the room marked as behind.
        room = self._rooms.setdefault(room_id, LiveRoom(room_id))
        room.touched = time.monotonic()
        async with self._lock(room_id):
            if not room.loaded:
                room.apply(await self._source.load(room_id))
        self._pump_if_behind(room_id)
        return room

    def opened(self) -> list[LiveRoom]:
        """The rooms that are followed."""
        return [room for room in self._rooms.values() if room.loaded]

    def followed(self, room_id: UUID) -> LiveRoom | None:
        """A room that is followed, None for any other."""
        room = self._rooms.get(room_id)
        return room if room is not None and room.loaded else None

    def hint(self, hint: Hint) -> None:
        """Something happened in a room, perhaps one that nobody here looks at."""
        room = self._rooms.get(hint.room_id) if hint.room_id else None
        if room is not None and (hint.gone or hint.rev > room.cursor):
            room.announced = max(room.announced, hint.rev)
            self._wake(room.id)

    def gap(self) -> None:
        """Any number of hints may have been lost: look at every open room."""
        for room_id in self._rooms:
            self._wake(room_id)

    async def watch(self, missed: Callable[[], None]) -> None:
        """Until cancelled: heal lost hints and forget rooms that nobody looks at.

        `missed` is called where hints of any kind may have been lost: when the database was away and is back.
        """
        unsettled = 0
        while True:
            await asyncio.sleep(WATCHDOG)
            if not await self._compare_or_not():
                unsettled = SETTLED
            elif unsettled:
                if unsettled in (SETTLED, 1):
                    missed()
                unsettled -= 1

    async def close(self) -> None:
        """Stop all work."""
        pumps = list(self._pumps.values())
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _compare_or_not(self) -> bool:
        try:
            self._forget_idle()
            await self._compare()
        except Exception:  # noqa: BLE001  # whatever the source raises, the watch goes on
            log.warning("The watchdog could not reach the database.")
            return False
        return True

    async def _compare(self) -> None:
        followed = [room for room in self._rooms.values() if room.loaded]
        if not followed:
            return
        revs = await self._source.revs(room.id for room in followed)
        for room in followed:
            if revs.get(room.id, room.cursor + 1) > room.cursor:
                self._wake(room.id)

    def _forget_idle(self) -> None:
        busy, now = self._audience.rooms(), time.monotonic()
        for room in list(self._rooms.values()):
            if room.id in busy:
                room.touched = now
            elif now - room.touched > IDLE and room.id not in self._pumps:
                self._forget(room.id)

    def _forget(self, room_id: UUID) -> None:
        self._rooms.pop(room_id, None)
        self._locks.pop(room_id, None)
        self._behind.discard(room_id)

    def _wake(self, room_id: UUID) -> None:
        self._behind.add(room_id)
        self._pump_if_behind(room_id)

    def _pump_if_behind(self, room_id: UUID) -> None:
        room = self._rooms.get(room_id)
        if room is not None and room.loaded and room_id in self._behind and room_id not in self._pumps:
            pump = asyncio.create_task(self._pump(room), name=f"hub-pump-{room_id}")
            self._pumps[room_id] = pump

    async def _pump(self, room: LiveRoom) -> None:
        failures = early = 0
        try:
            while room.id in self._behind:
                self._behind.discard(room.id)
                began = time.monotonic()
                failures = 0 if await self._catch_up_or_not(room) else failures + 1
                early = early + 1 if self._was_early(room, early) else 0
                await asyncio.sleep(_rest(failures, early, time.monotonic() - began))
        finally:
            # In the same step as the loop's last look at `_behind`: a hint after it starts a new pump.
            self._pumps.pop(room.id, None)

    async def _catch_up_or_not(self, room: LiveRoom) -> bool:
        try:
            await self.catch_up(room)
        except Exception as error:  # noqa: BLE001  # whatever the source raises, the room is asked for again
            log.warning("Catch-up of room %s failed (%s), trying again.", room.id, type(error).__name__)
            self._behind.add(room.id)
            return False
        return True

    def _was_early(self, room: LiveRoom, looks: int) -> bool:
        """Whether the room has to be looked at again for what was announced; not for ever."""
        if room.cursor >= room.announced or looks >= len(EARLY):
            room.announced = 0
            return False
        self._behind.add(room.id)
        return True

    async def catch_up(self, room: LiveRoom) -> None:
        """Make a loaded room equal to the database now. Raises what the source raises."""
        async with self._lock(room.id):  # an older answer must not be applied after a newer one
            changes = await self._source.catch_up(room.id, room.cursor)
            if changes.more:
                self._behind.add(room.id)
            await self._tell(room, room.apply(changes))
        if room.gone:
            self._forget(room.id)

    async def _tell(self, room: LiveRoom, applied: Applied) -> None:
        # First nobody who was removed is listening any more, then the news go out.
        if applied.removed:
            await self._audience.evict(room.id, applied.removed)
        if applied:
            await self._audience.publish(room, applied)

    def _lock(self, room_id: UUID) -> asyncio.Lock:
        return self._locks.setdefault(room_id, asyncio.Lock())


def _rest(failures: int, early: int, took: float) -> float:
    """Seconds until a room's next catch-up."""
    if failures:
        return BACKOFF[min(failures, len(BACKOFF)) - 1]
    if early:
        return EARLY[early - 1]
    return min(COALESCE_MOST, max(COALESCE, 2 * took))
