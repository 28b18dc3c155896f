"""Waiting out what is away for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chatapp.errors import Unavailable

PAUSES = (0.2, 0.5, 1.0, 2.0, 2.0, 4.0, 4.0, 8.0, 8.0)
"""Seconds between tries: half a minute together, longer than a database needs to restart."""

Answer = TypeVar("Answer")


async def patiently(ask: Callable[[], Awaitable[Answer]], pauses: tuple[float, ...] = PAUSES) -> Answer:
    """Ask again while the answer is Unavailable, after each of `pauses`. Raises the last one, and all else at once.

    For what a page needs to come alive: nobody would ask again, and it would look as if nothing were said any more.
    """
    for pause in pauses:
        try:
            return await ask()
        except Unavailable:
            await asyncio.sleep(pause)
    return await ask()
