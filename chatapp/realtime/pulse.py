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


def never() -> Moment:
    """For what is only ever woken."""
    return None


async def pulse(woken: asyncio.Event, due: Callable[[], Moment], act: Act, rest: float, trouble: str = "") -> None:
    """Until cancelled: act when woken and when something is due: at once, then every `rest` seconds at most.

    With `trouble`, a sentence's beginning for the log, a ChatError means: act again. Without it, as any other
    exception, it ends the pulse. `act` keeps for itself what it could not do.
    """
    while True:
        moment = due()
        await woken_or_after(woken, None if moment is None else max(moment - time.monotonic(), 0))
        woken.clear()
        try:
            await act()
        except ChatError as error:
            if not trouble:
                raise
            log.warning("%s: %s", trouble, error.message)
            woken.set()
        await asyncio.sleep(rest)


async def woken_or_after(woken: asyncio.Event, seconds: float | None) -> None:
    """Wait until woken, or for so long at most; None is for as long as it takes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for loses, in 3.11, a cancellation that comes with the waking
            await woken.wait()


def earliest(*moments: Moment) -> Moment:
    """The first of these times."""
    return min((moment for moment in moments if moment is not None), default=None)
