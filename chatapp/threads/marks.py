"""Tells people's tabs how far they have read the threads they follow, so that all of them count alike."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from chatapp import shared
from chatapp.errors import ChatError
from chatapp.realtime import topic
from chatapp.realtime.hint import Hint
from chatapp.threads import queries
from chatapp.threads.snapshots import Followed
from chatapp.threads.state import tell

log = logging.getLogger(__name__)

REST = 0.25
"""Seconds between two tellings: all tabs of a person count alike within a second."""

LIMIT = 10_000
"""Markers that may wait; what does not fit is told when the room is opened again."""


class FollowedThreads:
    """Markers that have moved, until the tabs of their people have been told."""

    def __init__(self) -> None:
        self._moved: dict[tuple[UUID, UUID], int] = {}
        self._news = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        """Somebody has read a thread, or follows it from now on."""
        for user_id, step in hint.readers.items():
            if hint.thread and step and len(self._moved) < LIMIT and shared.wire().tabs(topic.user(user_id)):
                key = (hint.thread, user_id)
                # As the hint has it: the database may show it a moment later.
                self._moved[key] = max(step[1], self._moved.get(key, 0))
                self._news.set()

    async def keep(self) -> None:
        """Until cancelled: tell."""
        while True:
            await self._news.wait()
            self._news.clear()
            moved, self._moved = self._moved, {}
            try:
                await self._tell(moved)
            except ChatError as error:
                log.warning("Followed threads could not be read: %s", error.message)
                self._moved = {**moved, **self._moved}
                self._news.set()
            await asyncio.sleep(REST)

    async def _tell(self, moved: dict[tuple[UUID, UUID], int]) -> None:
        counts = await queries.counts({parent_id for parent_id, _ in moved})
        theirs: dict[UUID, list[tuple[Followed, UUID]]] = {}
        for (parent_id, user_id), read in moved.items():
            if parent_id in counts:
                replies, room_id = counts[parent_id]
                theirs.setdefault(user_id, []).append((Followed(str(parent_id), replies, read), room_id))
        for user_id, marks in theirs.items():
            await tell(user_id, marks)
