"""The other backend processes of this project: which of them are there, and what they say.

Every message carries its sender's id, so that what a backend has said can be forgotten when it is gone. The topic is
private to the backends: what is heard there is believed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

log = logging.getLogger(__name__)

ABSENCE = 4.0
"""Seconds that what a backend has said still holds after it left: its connection may be back at once.

With the second or two that Realtime takes to notice and a room to be told, a killed backend's people are offline
within ten.
"""

BACKENDS_LIMIT = 100
"""Backends remembered at most."""

Say = Callable[[dict[str, Any]], None]
Heard = Callable[[str, Mapping[str, Any]], None]


class Peers:
    """The conversation between backends. `clock` answers seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, backend_id: str = "") -> None:
        self.id = backend_id or uuid4().hex
        self._clock = clock
        self._listed: frozenset[str] = frozenset()
        self._leaving: dict[str, float] = {}
        self._say: Say | None = None
        self._heard: dict[str, Heard] = {}
        self._on_meeting: list[Callable[[], None]] = []
        self._on_parting: list[Callable[[str], None]] = []

    def speak_through(self, say: Say) -> None:
        """Have `say` carry this backend's messages to the others."""
        self._say = say

    def on(self, kind: str, heard: Heard) -> None:
        """Have `heard` called with the sender's id and the content of every message of a kind."""
        self._heard[kind] = heard

    def on_meeting(self, told: Callable[[], None]) -> None:
        """Have `told` called when another backend appears: it knows nothing of what was said so far."""
        self._on_meeting.append(told)

    def on_parting(self, told: Callable[[str], None]) -> None:
        """Have `told` called with the id of a backend that is gone for good."""
        self._on_parting.append(told)

    @property
    def others(self) -> frozenset[str]:
        """The backends that are there besides this one."""
        return self._listed - {self.id}

    def say(self, kind: str, content: Mapping[str, Any]) -> None:
        """Tell the others something; with nobody there it costs nothing."""
        if self._say and self.others:
            self._say({"from": self.id, "kind": kind, **content})

    def present(self, backends: frozenset[str]) -> None:
        """Realtime has said who is there."""
        before, self._listed = self._listed, backends
        for backend in backends:
            self._leaving.pop(backend, None)
        for backend in before - backends - {self.id}:
            self._leaving[backend] = self._clock() + ABSENCE
        # Whoever is new has heard nothing yet; coming back ourselves, everybody is: they may have missed something.
        if self.others - before or (self.id in backends - before and self.others):
            for told in self._on_meeting:
                told()

    def heard(self, message: Any) -> None:
        """Another backend has said something, perhaps before Realtime has said that it is there."""
        backend, kind = str(message["from"]), str(message["kind"])
        if backend == self.id or kind not in self._heard:
            return
        if backend not in self._listed:
            if len(self._leaving) >= BACKENDS_LIMIT and backend not in self._leaving:
                return
            self._leaving[backend] = self._clock() + ABSENCE
        self._heard[kind](backend, message)

    def due(self) -> float | None:
        """When `expire` has something to do next, by the clock."""
        return min(self._leaving.values(), default=None)

    def expire(self) -> None:
        """Part with the backends that have been away for too long."""
        now = self._clock()
        for backend in [backend for backend, until in self._leaving.items() if until <= now]:
            del self._leaving[backend]
            for told in self._on_parting:
                told(backend)
