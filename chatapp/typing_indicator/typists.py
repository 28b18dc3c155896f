"""Who is typing where, as far as this process knows. Nothing here waits or sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from chatapp.realtime.pulse import Moment

LASTS = 3.0
"""Seconds that a key press shows somebody as typing."""

AGAIN = 1.5
"""Seconds before the other backends are told again of somebody who goes on typing."""

MOST = 100
"""Typists of one room remembered at most."""


class News(NamedTuple):
    """What the other backends have to be told."""

    room_id: UUID
    user_id: str
    typing: bool


@dataclass
class _Typist:
    until: float
    after: int
    sid: str
    told: float


class Typists:
    """`clock` answers seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rooms: dict[UUID, dict[str, _Typist]] = {}
        self._changed: set[UUID] = set()
        self._news: dict[tuple[UUID, str], News] = {}
        self.woken = asyncio.Event()

    def pressed(self, room_id: UUID, user_id: str, newest: int, sid: str = "") -> None:
        """Somebody pressed a key, at the tab `sid` of this process or at another backend.

        `newest` is the last message's seq: a later one by the same person is what they were typing.
        """
        now, here = self._clock(), self._rooms.setdefault(room_id, {})
        typist = here.get(user_id)
        if typist is None and len(here) >= MOST:
            return
        if typist is None:
            typist = here[user_id] = _Typist(0, newest, sid, -AGAIN)
            self._changed.add(room_id)
        typist.until, typist.sid = now + LASTS, sid
        if sid and now - typist.told >= AGAIN:
            typist.told = now
            self._tell(room_id, user_id, typing=True)
        self.woken.set()

    def stopped(self, room_id: UUID, user_id: str, own: bool = True) -> None:
        """Somebody stopped typing. `own`: at this process, so that the others are to be told."""
        if self._remove(room_id, user_id) and own:
            self._tell(room_id, user_id, typing=False)

    def said(self, room_id: UUID, user_id: str, seq: int) -> None:
        """A message has come. Every backend sees it come, so nobody has to be told."""
        typist = self._rooms.get(room_id, {}).get(user_id)
        if typist and seq > typist.after:
            self._remove(room_id, user_id)

    def left(self, sid: str) -> None:
        """A tab has closed."""
        for room_id, here in list(self._rooms.items()):
            for user_id in [user_id for user_id, typist in here.items() if typist.sid == sid]:
                self.stopped(room_id, user_id)

    def of(self, room_id: UUID) -> list[str]:
        """Who is typing in a room, first come first."""
        return list(self._rooms.get(room_id, ()))

    def due(self) -> Moment:
        """When `expire` has something to do next."""
        return min((typist.until for here in self._rooms.values() for typist in here.values()), default=None)

    def expire(self) -> None:
        """Forget those who have not pressed a key for a while."""
        now = self._clock()
        for room_id, here in list(self._rooms.items()):
            for user_id in [user_id for user_id, typist in here.items() if typist.until <= now]:
                self._remove(room_id, user_id)

    def take_changed(self, room_id: UUID | None = None) -> set[UUID]:
        """The rooms to be told, or whether this one is; they count as told from now on."""
        taken = set(self._changed) if room_id is None else self._changed & {room_id}
        self._changed -= taken
        return taken

    def take_news(self) -> Iterable[News]:
        """What the other backends are to be told."""
        news, self._news = list(self._news.values()), {}
        return news

    def _remove(self, room_id: UUID, user_id: str) -> bool:
        here = self._rooms.get(room_id, {})
        if here.pop(user_id, None) is None:
            return False
        if not here:
            del self._rooms[room_id]
        self._changed.add(room_id)
        self.woken.set()
        return True

    def _tell(self, room_id: UUID, user_id: str, *, typing: bool) -> None:
        self._news.pop((room_id, user_id), None)  # to its end: the last word counts
        self._news[room_id, user_id] = News(room_id, user_id, typing)
        self.woken.set()
