"""How much a project may do, with the replies of a hosted one when it is more.

Names and words are those of `supabase/realtime` (`tenants`, `realtime_channel.ex`, `presence_handler.ex`,
`batch_broadcast.ex`). The numbers are those of hosted projects where a client has to be written for them, and otherwise
so high that only a runaway program meets them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """`docs/standin.md` lists the variables that change them."""

    connections: int = 10_000
    joins: int = 2_500
    """By all clients in a second."""
    channels: int = 100
    """Of one connection."""
    events: int = 10_000
    """Broadcasts by clients and over HTTP in a second; what the database sends is not counted."""
    presences: int = 1_000
    """By all clients in a second."""
    presence_calls: int = 5
    """By one channel in `presence_seconds`."""
    presence_seconds: float = 30.0
    payload: int = 3_000_000
    """Bytes of a broadcast or of what is tracked."""


def limits_from_environment() -> Limits:
    """Read `STANDIN_*`."""

    def number(name: str, default: int) -> int:
        return int(os.environ.get(f"STANDIN_{name}", str(default)))

    return Limits(
        connections=number("CONNECTIONS", Limits.connections),
        joins=number("JOINS", Limits.joins),
        channels=number("CHANNELS", Limits.channels),
        events=number("EVENTS", Limits.events),
        presences=number("PRESENCES", Limits.presences),
        presence_calls=number("PRESENCE_CALLS", Limits.presence_calls),
        payload=number("PAYLOAD", Limits.payload),
    )


@dataclass
class Rate:
    """At most `most` of something in each window of `seconds`, which begins with the first after the last one ended."""

    most: int
    seconds: float = 1.0
    clock: Callable[[], float] = time.monotonic
    _ends: float = -1.0
    _count: int = 0

    def take(self, count: int = 1) -> bool:
        """Count so many; False, and none of them counted, when that would be more than allowed."""
        if (now := self.clock()) >= self._ends:
            self._ends, self._count = now + self.seconds, 0
        if self._count + count > self.most:
            return False
        self._count += count
        return True


@dataclass
class Usage:
    """What the project does right now."""

    limits: Limits = field(default_factory=Limits)
    connections: int = 0

    def __post_init__(self) -> None:
        self.joins, self.events = Rate(self.limits.joins), Rate(self.limits.events)
        self.presences = Rate(self.limits.presences)

    def presence_calls(self) -> Rate:
        """Return a new channel's own."""
        return Rate(self.limits.presence_calls, self.limits.presence_seconds)
