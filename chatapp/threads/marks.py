"""Tells people's tabs how far they have read the threads they follow, so that all of them count alike."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from chatapp import shared
from chatapp.errors import ChatError
from chatapp.realtime import topic
from chatapp.realtime.hint import Hint
from chatapp.realtime.pulse import never, pulse
from chatapp.threads import queries
from chatapp.threads.snapshots import Theirs
from chatapp.threads.state import tell

REST = 0.25
"""Seconds between two tellings: all tabs of a person count alike within a second."""

AT_ONCE = 50
"""People in rooms whose threads one query reads after a gap."""

LIMIT = 10_000
"""Markers that may wait; what does not fit is told when the room is opened again."""


class FollowedThreads:
    """Markers that have moved, until the tabs of their people have been told."""

    def __init__(self) -> None:
        self._moved: dict[tuple[UUID, UUID], int] = {}
        self._missed = False
        self._news = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        """Somebody has read a thread, or follows it from now on."""
        for user_id, step in hint.readers.items():
            if hint.thread and step and len(self._moved) < LIMIT and shared.wire().tabs(topic.user(user_id)):
                key = (hint.thread, user_id)
                # As the hint has it: the database may show it a moment later.
                self._moved[key] = max(step[1], self._moved.get(key, 0))
                self._news.set()

    def gap(self) -> None:
        """Any marker may have moved: those in the rooms that are shown here are told again."""
        self._missed = True
        self._news.set()

    async def keep(self) -> None:
        """Until cancelled: tell."""
        await pulse(self._news, never, self.tell, REST, "Followed threads could not be read")

    async def tell(self) -> None:
        """Tell what has moved. Raises ChatError, and what could not be told goes on waiting."""
        if self._moved:
            await self._tell_moved()
        if self._missed:
            await self._tell_missed()

    async def _tell_moved(self) -> None:
        moved, self._moved = self._moved, {}
        try:
            found = await queries.followed_by(moved)
        except ChatError:
            self._moved = {key: max(read, self._moved.get(key, 0)) for key, read in {**self._moved, **moved}.items()}
            raise
        await _tell_each(_at_least(each, moved) for each in found)

    async def _tell_missed(self) -> None:
        self._missed = False
        shown = _shown()
        try:
            for start in range(0, len(shown), AT_ONCE):
                await _tell_each(await queries.followed_in(shown[start : start + AT_ONCE]))
        except ChatError:
            self._missed = True
            raise


async def _tell_each(found: Iterable[Theirs]) -> None:
    theirs: dict[UUID, list[Theirs]] = {}
    for each in found:
        theirs.setdefault(each.person, []).append(each)
    for person, marks in theirs.items():
        await tell(person, marks)


def _at_least(each: Theirs, moved: Mapping[tuple[UUID, UUID], int]) -> Theirs:
    """As far as its hint said, or as far as is stored by now: hints may be late, and so may what can be read."""
    read = max(each.followed.read, moved.get((UUID(each.followed.parent_id), each.person), 0))
    return replace(each, followed=replace(each.followed, read=read))


def _shown() -> list[tuple[UUID, UUID]]:
    """The rooms that are shown here, each with the people who do."""
    found = (name.split(":") for name in shared.wire().rooms("room:"))
    return [(UUID(parts[1]), UUID(parts[3])) for parts in found if parts[2:3] == ["member"]]
