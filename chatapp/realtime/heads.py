"""How far the rooms of lists are: rooms in which something has been said, and nothing of what was said.

A list holds many rooms that nobody here has open, so the hub doesn't follow them. Whatever their number, one query in a
window of time reads how far they are, and each goes out once to all the tabs that list it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from chatapp.errors import ChatError
from chatapp.realtime.pulse import Every, pulse

REST = 0.5
"""Seconds between two deliveries: a busy room costs a list two small deltas a second. The first is not delayed."""

WATCHDOG = 5.0
"""Seconds between two comparisons of all listed rooms with the database: the bound on a lost hint."""

LOOKS = 8
"""Times that a room is looked at again where it is not yet as far as its hint says; then it is left to the watchdog."""

AT_ONCE = 1000
"""Rooms that one query asks for at most."""


class Heads:
    """Tells lists how far their rooms are.

    `read` answers it from the database, `tell` sends one room's to every list here that holds it, `listed` names the
    rooms that some list here holds.
    """

    def __init__(
        self,
        read: Callable[[Iterable[UUID]], Awaitable[dict[UUID, Any]]],
        tell: Callable[[UUID, Any], Awaitable[None]],
        listed: Callable[[], set[UUID]],
    ) -> None:
        self._read, self._tell, self._listed = read, tell, listed
        self._said: set[UUID] = set()
        self._told: dict[UUID, Any] = {}
        self._due: dict[UUID, tuple[int, int]] = {}
        self._hearing: list[set[UUID]] = []
        self._news = asyncio.Event()
        self._watchdog = Every(WATCHDOG)

    def hint(self, room_id: UUID, seq: int = 0) -> None:
        """Something was said in a room, which is at `seq` now: the database may show it a moment later."""
        self._hear({room_id})
        self._said.add(room_id)
        self._due[room_id] = (max(seq, self._due.get(room_id, (0, 0))[0]), LOOKS)
        self._news.set()

    def gap(self) -> None:
        """Anything may have been said: the lists are read anew, and those being read look again."""
        self._hear(self._listed())

    def joined(self, room_id: UUID, head: Any) -> None:
        """A list holds a room anew, and was told that it is at `head`, which may be behind what others were told."""
        if self._told.setdefault(room_id, head).last_seq > head.last_seq:
            del self._told[room_id]
        self._said.add(room_id)
        self._news.set()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """While somebody reads a list and then subscribes to its rooms, for only the list tells which they are.

        What was said in between is told once more afterwards.
        """
        meanwhile: set[UUID] = set()
        self._hearing.append(meanwhile)
        try:
            yield
        finally:
            self._hearing = [found for found in self._hearing if found is not meanwhile]
            self._tell_again(meanwhile)

    async def keep(self) -> None:
        """Until cancelled: deliver what was said, and from time to time compare."""
        await pulse(self._news, self._watchdog.due, self._deliver_or_keep, REST, "How far rooms are could not be read")

    async def _deliver_or_keep(self) -> None:
        if self._watchdog.passed():
            self._said |= self._listed()
        said, self._said = self._said, set()
        try:
            await self._deliver(said)
        except ChatError:
            self._tell_again(said)
            raise

    async def _deliver(self, said: set[UUID]) -> None:
        listed = self._listed()
        self._due = {room_id: due for room_id, due in self._due.items() if room_id in listed}
        self._told = {room_id: head for room_id, head in self._told.items() if room_id in listed}
        wanted = sorted(said & listed)
        for start in range(0, len(wanted), AT_ONCE):
            found = await self._read(wanted[start : start + AT_ONCE])
            for room_id, head in found.items():
                self._look_again_unless(room_id, head.last_seq)
                if self._told.get(room_id) != head:
                    self._told[room_id] = head
                    self._hear({room_id})
                    await self._tell(room_id, head)

    def _look_again_unless(self, room_id: UUID, last_seq: int) -> None:
        seq, looks = self._due.pop(room_id, (0, 0))
        if last_seq < seq and looks:
            self._due[room_id] = (seq, looks - 1)
            self._said.add(room_id)
            self._news.set()

    def _hear(self, rooms: set[UUID]) -> None:
        for meanwhile in self._hearing:
            meanwhile.update(rooms)

    def _tell_again(self, rooms: set[UUID]) -> None:
        for room_id in rooms:
            self._told.pop(room_id, None)
        self._said |= rooms
        if rooms:
            self._news.set()


_current: Heads | None = None


def use(heads: Heads) -> None:
    """Make `heads` the process's own; done once, when the process starts to serve."""
    global _current  # noqa: PLW0603  # one per process, set once
    _current = heads


def heard() -> contextlib.AbstractContextManager[None]:
    """`Heads.heard` of the process."""
    return _current.heard() if _current else contextlib.nullcontext()


def joined(room_id: UUID, head: Any) -> None:
    """`Heads.joined` of the process."""
    if _current:
        _current.joined(room_id, head)
