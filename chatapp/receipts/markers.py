"""What this process knows of read markers in its open rooms. Their tabs are told only what has changed, once a room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from chatapp import shared
from chatapp.errors import ChatError
from chatapp.patience import patiently
from chatapp.realtime import topic
from chatapp.realtime.heads import LOOKS
from chatapp.realtime.hint import Hint, Step
from chatapp.realtime.pulse import never, pulse
from chatapp.receipts import queries
from chatapp.receipts.state import CHANGES_MOST, opened, told
from chatapp.rooms.snapshots import Mark

REST = 0.5
"""Seconds between two deltas of a room: two a second at most, whatever is read there."""

IDLE = 60.0
"""Seconds that a room nobody looks at stays cached."""

Marks = dict[str, Mark]


@dataclass(frozen=True)
class Due:
    """What a hint says of a marker: where it is, None for shown no longer. It is looked for `looks` times more."""

    step: Step | None
    switched: bool
    looks: int = LOOKS

    def differs(self, mark: Mark | None) -> bool:
        """Whether the database does not show it yet. Somebody's who shares none is not to be waited for."""
        if mark is None:
            return self.switched and self.step is not None
        return self.step is None or (mark.turn, mark.seq) < self.step

    def once_less(self) -> Due:
        return replace(self, looks=self.looks - 1)


class Markers:
    """Keeps the shown markers of the open rooms equal to the database. Whoever shares none sees none."""

    def __init__(self) -> None:
        self._rooms: dict[UUID, Marks] = {}
        self._touched: dict[UUID, float] = {}
        self._changed: set[UUID] = set()
        self._due: dict[UUID, dict[str, Due]] = {}
        self._news = asyncio.Event()

    async def open(self, room_id: UUID) -> None:
        """Follow a room from here on, before a tab shows it. Raises Unavailable."""
        self._touched[room_id] = time.monotonic()
        if room_id not in self._rooms:
            # What is read meanwhile is looked at once more: its hint finds the room touched.
            found = _by_room(await patiently(lambda: queries.shown([room_id])), [room_id])
            self._rooms.setdefault(room_id, found[room_id])

    def shares(self, room_id: UUID, user_id: UUID) -> bool:
        """Whether somebody shows where they have read to in a room, and so sees where others have."""
        return str(user_id) in self._rooms.get(room_id, {})

    def of(self, room_id: UUID) -> Marks:
        """The markers that are shown in a room, by person."""
        return self._rooms.get(room_id, {})

    def hint(self, hint: Hint) -> None:
        """A marker has moved, somebody has switched theirs on or off, or has come."""
        if hint.room_id is None or hint.room_id not in self._touched:
            return
        self._changed.add(hint.room_id)
        due = self._due.setdefault(hint.room_id, {})
        due.update({str(who): Due(step, hint.switched) for who, step in hint.readers.items()})
        self._news.set()

    def gap(self) -> None:
        """Anything may have been read."""
        self._changed.update(self._touched)
        self._news.set()

    async def keep(self) -> None:
        """Until cancelled: tell what has changed."""
        await pulse(self._news, never, self._act, REST, "Read markers could not be read")

    async def _act(self) -> None:
        self._forget_idle()
        changed, self._changed = self._changed & self._rooms.keys(), self._changed - self._rooms.keys()
        try:
            await self._tell(changed)
        except ChatError:
            self._changed |= changed
            raise
        if self._changed:
            self._news.set()

    async def _tell(self, room_ids: set[UUID]) -> None:
        if not room_ids:
            return
        for room_id, now in _by_room(await queries.shown(room_ids), room_ids).items():
            before = self._rooms[room_id]
            self._look_again_unless(room_id, now)
            moved = [user_id for user_id in {**before, **now} if before.get(user_id) != now.get(user_id)]
            # The rest waits for the next delta: none is large, however many read at once.
            for user_id in moved[:CHANGES_MOST]:
                _take_over(before, user_id, now.get(user_id))
            if len(moved) > CHANGES_MOST:
                self._changed.add(room_id)
            await self._publish(room_id, moved[:CHANGES_MOST])

    def _look_again_unless(self, room_id: UUID, now: Marks) -> None:
        """A hint may be heard before what it tells of can be read."""
        due = self._due.pop(room_id, {})
        if again := {who: it.once_less() for who, it in due.items() if it.looks and it.differs(now.get(who))}:
            self._due[room_id] = again
            self._changed.add(room_id)

    async def _publish(self, room_id: UUID, moved: list[str]) -> None:
        """Let in who shares theirs now, take out who does not, tell the others. Nothing suspends in between."""
        marks = self._rooms[room_id]
        if moved:
            values = told(room_id, marks, moved)
            await shared.wire().emit(topic.room_receipts(room_id), shared.update(*values))
        for user_id in moved:  # few: those who have come, or pressed the switch, are among them
            for sid in shared.wire().tabs(topic.room_member(room_id, user_id)):
                await _let_in_or_out(sid, room_id, marks, user_id in marks)

    def _forget_idle(self) -> None:
        now = time.monotonic()
        busy = {UUID(name.split(":")[1]) for name in shared.wire().rooms("room:")}
        for room_id, touched in list(self._touched.items()):
            if room_id in busy:
                self._touched[room_id] = now
            elif now - touched > IDLE:
                del self._touched[room_id]
                self._rooms.pop(room_id, None)
                self._due.pop(room_id, None)
        self._changed &= self._touched.keys()


markers = Markers()
"""The process's own."""


async def _let_in_or_out(sid: str, room_id: UUID, marks: Marks, shares: bool) -> None:
    name = topic.room_receipts(room_id)
    inside = name in shared.wire().rooms_of(sid)
    if inside == shares:
        return
    await (shared.wire().enter(sid, name) if shares else shared.wire().leave(sid, name))
    await shared.wire().emit(sid, shared.update(*opened(room_id, marks, shares)))


def _by_room(marks: Iterable[Mark], room_ids: Iterable[UUID]) -> dict[UUID, Marks]:
    found: dict[UUID, Marks] = {room_id: {} for room_id in room_ids}
    for mark in marks:
        found[mark.room_id][str(mark.user_id)] = mark
    return found


def _take_over(marks: Marks, user_id: str, mark: Mark | None) -> None:
    if mark is None:
        marks.pop(user_id, None)
    else:
        marks[user_id] = mark
