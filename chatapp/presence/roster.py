"""Who is there, as far as this process knows: by its own tabs, and by what the other backends say of theirs.

Nothing here waits or sends. A person is online while any tab of theirs is in use, away while all of them are left
alone, and offline a few seconds after the last one has closed: a reload closes a tab, too.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chatapp.realtime.pulse import Moment

ONLINE, AWAY, OFFLINE = "online", "away", ""

GRACE = 5.0
"""Seconds that somebody stays after their last tab has closed."""

SEEN_LIMIT = 10_000
"""People remembered to have left at most, the latest; of the others the database knows."""

PEOPLE_LIMIT = 100_000
"""People believed to be at one other backend at most."""


@dataclass(frozen=True)
class Changes:
    """Statuses that are no longer what was last taken: of this process's own people, and of anybody's."""

    own: Mapping[str, str] = field(default_factory=dict)
    all: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Leaving:
    until: float
    status: str


class Roster:
    """Tabs go in by their sid, people come out by their id. `clock` answers seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, grace: float = GRACE) -> None:
        self._clock, self._grace = clock, grace
        self._owners: dict[str, str] = {}
        self._away: dict[str, dict[str, bool]] = {}
        self._leaving: dict[str, _Leaving] = {}
        self._others: dict[str, dict[str, str]] = {}
        self._seen: OrderedDict[str, datetime] = OrderedDict()
        self._touched: set[str] = set()
        self._taken: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.woken = asyncio.Event()

    # --- what happens to this process's tabs

    def arrived(self, sid: str, user_id: str) -> None:
        """A tab is somebody's; saying it again changes nothing."""
        if self._owners.get(sid) == user_id:
            return
        self.left(sid)
        self._owners[sid] = user_id
        self._away.setdefault(user_id, {})[sid] = False
        self._leaving.pop(user_id, None)
        self._touch(user_id)

    def left(self, sid: str) -> None:
        """A tab has closed, or its session has ended."""
        user_id = self._owners.pop(sid, None)
        if user_id is None:
            return
        status = self._own(user_id)
        tabs = self._away[user_id]
        del tabs[sid]
        if not tabs:
            del self._away[user_id]
            self._leaving[user_id] = _Leaving(self._clock() + self._grace, status)
        self._touch(user_id)

    def set_away(self, sid: str, away: bool) -> None:
        """A tab has been left alone for a while, or is in use again."""
        if user_id := self._owners.get(sid):
            self._away[user_id][sid] = away
            self._touch(user_id)

    # --- what the other backends say

    def told_all(self, backend: str, people: Mapping[str, str]) -> None:
        """Another backend has these people and no others."""
        self.forget(backend)
        self.told(backend, people)

    def told(self, backend: str, people: Mapping[str, str]) -> None:
        """Some of another backend's people have come, gone or changed."""
        theirs = self._others.setdefault(backend, {})
        for user_id, status in people.items():
            if status in (ONLINE, AWAY) and len(theirs) < PEOPLE_LIMIT:
                theirs[user_id] = status
            else:
                theirs.pop(user_id, None)
        self._touch(*people)

    def forget(self, backend: str) -> set[str]:
        """A backend is gone, and its people with it; answers who they were."""
        people = set(self._others.pop(backend, {}))
        self._touch(*people)
        return people

    # --- time

    def due(self) -> Moment:
        """When `expire` has something to do next."""
        return min((leaving.until for leaving in self._leaving.values()), default=None)

    def expire(self) -> None:
        """Let those go who have not come back."""
        now = self._clock()
        for user_id in [each for each, leaving in self._leaving.items() if leaving.until <= now]:
            del self._leaving[user_id]
            self._touch(user_id)

    # --- questions

    def status(self, user_id: str) -> str:
        """Whether somebody is there, at whatever backend."""
        found = {self._own(user_id), *(people.get(user_id, OFFLINE) for people in self._others.values())}
        return next((status for status in (ONLINE, AWAY) if status in found), OFFLINE)

    def seen(self, user_id: str) -> datetime | None:
        """When somebody went offline, if this process remembers."""
        return self._seen.get(user_id)

    def here(self) -> dict[str, str]:
        """The people at this process's tabs."""
        return {user_id: self._own(user_id) for user_id in (*self._away, *self._leaving)}

    def take(self) -> Changes:
        """What has changed since the last time; a change that was undone meanwhile is none."""
        touched, self._touched = self._touched, set()
        own, everyone = self._taken
        changes = Changes(_taken(own, touched, self._own), _taken(everyone, touched, self.status))
        for user_id, status in changes.all.items():
            self._remember(user_id, status)
        return changes

    def _own(self, user_id: str) -> str:
        if tabs := self._away.get(user_id):
            return AWAY if all(tabs.values()) else ONLINE
        leaving = self._leaving.get(user_id)
        return leaving.status if leaving else OFFLINE

    def _remember(self, user_id: str, status: str) -> None:
        self._seen.pop(user_id, None)
        if status == OFFLINE:
            self._seen[user_id] = datetime.now(UTC)
        while len(self._seen) > SEEN_LIMIT:
            self._seen.popitem(last=False)

    def _touch(self, *user_ids: str) -> None:
        self._touched.update(user_ids)
        self.woken.set()


def _taken(known: dict[str, str], touched: Iterable[str], status: Callable[[str], str]) -> dict[str, str]:
    """The statuses that differ from the known ones, which they become."""
    now = {user_id: status(user_id) for user_id in touched}
    changed = {user_id: new for user_id, new in now.items() if known.get(user_id, OFFLINE) != new}
    for user_id, new in changed.items():
        if new == OFFLINE:
            del known[user_id]
        else:
            known[user_id] = new
    return changed
