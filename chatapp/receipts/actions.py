"""Verbs about read markers. Moving one forward happens all the time, so it is gathered: one write for many readers."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, BindParameter, Integer, TableValuedAlias, Uuid, literal
from sqlmodel import col, func, select, update

from chatapp.actor import SYSTEM, Actor
from chatapp.db import transaction
from chatapp.errors import ChatError
from chatapp.realtime.pulse import never, pulse
from chatapp.rooms.model import Membership

log = logging.getLogger(__name__)

REST = 0.5
"""Seconds between two writes; the first step after a pause is written at once."""

AT_ONCE = 100
"""Markers that one statement moves at most: each of them holds up its own member's messages until it is committed."""

LIMIT = 20_000
"""Markers that may wait, and last steps that are remembered."""

Key = tuple[UUID, UUID]
Step = tuple[int, int]


class Advances:
    """Steps forward of read markers, by room and person: only the last of each is written, several at once.

    A step is (turn, seq). One taken before the marker was set back belongs to an older turn and counts for nothing.
    """

    def __init__(self) -> None:
        self._waiting: dict[Key, Step] = {}
        self._last: dict[Key, Step] = {}
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()

    def step(self, actor: Actor, room_id: UUID, seq: int, turn: int) -> None:
        """Note that the actor has read a room up to `seq`; nothing happens unless they are in it."""
        key, step = (room_id, actor.user_id), (turn, seq)
        last_turn, last_seq = self._last.get(key, (turn, 0))
        # The turn is the browser's word until the database has taken it: one that it never took stops no other.
        if (turn == last_turn and seq <= last_seq) or len(self._waiting) >= LIMIT:
            return
        self._last.pop(key, None)
        self._waiting[key] = self._last[key] = step
        if len(self._last) > LIMIT:
            del self._last[next(iter(self._last))]
        self._news.set()

    def last(self, room_id: UUID, user_id: UUID) -> Step | None:
        """The last step that was taken here, None for none: what the tab that took it knows already."""
        return self._last.get((room_id, user_id))

    async def keep(self) -> None:
        """Until cancelled: write."""
        await pulse(self._news, never, self.flush, REST, "Read markers could not be stored")

    async def flush(self) -> None:
        """Write what waits. Raises ChatError, and what could not be written goes on waiting."""
        async with self._writing:
            self._news.clear()
            while self._waiting:
                some = dict(sorted(self._waiting.items())[:AT_ONCE])
                await _write(some)
                # What moved on meanwhile is written next.
                self._waiting = {key: step for key, step in self._waiting.items() if some.get(key) != step}

    async def settle(self, seconds: float) -> None:
        """Write what waits before the process ends, within this time."""
        try:
            async with asyncio.timeout(seconds):
                await self.flush()
        except (ChatError, TimeoutError):
            log.warning("Some read markers could not be stored; they move on with the next message seen.")


advances = Advances()
"""The process's own."""


async def mark_unread(actor: Actor, room_id: UUID, seq: int) -> None:
    """Set the actor's read marker back to before a message. Nothing happens in a room that they are not in."""
    await advances.flush()
    async with transaction(actor) as session:
        await session.scalar(select(func.private.mark_unread(room_id, seq)))


async def _write(steps: dict[Key, Step]) -> None:
    """Move markers forward, each only within its turn. Who is not a member has no row to be moved."""
    moved = _table(
        room_id=literal([room_id for room_id, _ in steps], ARRAY(Uuid)),
        user_id=literal([user_id for _, user_id in steps], ARRAY(Uuid)),
        seq=literal([seq for _, seq in steps.values()], ARRAY(BigInteger)),
        turn=literal([turn for turn, _ in steps.values()], ARRAY(Integer)),
    )
    change = (
        update(Membership)
        .values(read_seq=moved.c.seq)
        .where(
            col(Membership.room_id) == moved.c.room_id,
            col(Membership.user_id) == moved.c.user_id,
            col(Membership.read_turn) == moved.c.turn,
            col(Membership.read_seq) < moved.c.seq,
        )
    )
    async with transaction(SYSTEM) as session:
        await session.exec(change)


def _table(**columns: BindParameter[Any]) -> TableValuedAlias:
    """Return arrays, side by side, as the rows of a table."""
    return func.unnest(*columns.values()).table_valued(*columns).render_derived(name="moved")
