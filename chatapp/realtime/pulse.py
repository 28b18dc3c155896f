"""One timer for a whole part of the process, instead of one for each thing it waits for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from chatapp.errors import ChatError

log = logging.getLogger(__name__)

Moment = float | None
"""A time by the clock `time.monotonic`, None for never."""

Act = Callable[[], Awaitable[None]]

RETRY_FIRST, RETRY_MOST = 0.1, 1.0
"""Seconds before the first and between the later repetitions of what failed: an outage costs little, and its end is
noticed within a second."""


def never() -> Moment:
    """For what is only ever woken."""
    return None


async def pulse(woken: asyncio.Event, due: Callable[[], Moment], act: Act, rest: float, trouble: str = "") -> None:
    """Until cancelled: act when woken and when something is due: at once, then every `rest` seconds at most.

    With `trouble`, a sentence's beginning for the log, a ChatError means: act again soon. Without it, as any other
    exception, it ends the pulse. `act` keeps for itself what it could not do.
    """
    failures = 0
    while True:
        moment = due()
        await woken_or_after(woken, None if moment is None else max(moment - time.monotonic(), 0))
        woken.clear()
        try:
            await act()
            failures = 0
        except ChatError as error:
            if not trouble:
                raise
            if not failures:  # once an outage
                log.warning("%s: %s", trouble, error.message)
            failures += 1
            woken.set()
        await asyncio.sleep(max(rest, _retry(failures)))


def _retry(failures: int) -> float:
    return min(RETRY_MOST, RETRY_FIRST * 2.0 ** min(failures - 1, 10)) if failures else 0.0


class Every:
    """A moment that comes again every so many seconds: the slow look that makes up for lost hints."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = time.monotonic() + seconds

    def due(self) -> Moment:
        """When it comes next. It stays there until `passed` is asked."""
        return self._next

    def passed(self) -> bool:
        """Whether it has come; the next one is a period from now then."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._seconds
        return True


async def woken_or_after(woken: asyncio.Event, seconds: float | None) -> None:
    """Wait until woken, or for so long at most; None is for as long as it takes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for loses, in 3.11, a cancellation that comes with the waking
            await woken.wait()


def earliest(*moments: Moment) -> Moment:
    """The first of these times."""
    return min((moment for moment in moments if moment is not None), default=None)
