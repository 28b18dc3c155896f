"""How much a server can take: raise the load until it falls, then close in on the edge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

SMALLER = 2
"""Times that the first load is made smaller, where it was too much."""


class Step(NamedTuple):
    """One load that was tried: whether it was stood, and what was really carried."""

    stood: bool
    carried: float
    full: bool = True
    """Whether the load was really that high: a sender has its limits too."""


Attempt = Callable[[float], Awaitable[Step]]


async def most(
    attempt: Attempt, start: float, *, growth: float = 2.0, refinements: int = 3, highest: float = 1e9
) -> float:
    """The most that was carried by an attempt that stood; 0 when none did.

    `attempt(load)` is called with growing loads until one falls (where the first one falls, with smaller ones until one
    stands), then with the geometric middle between the highest that stood and the lowest that fell. It ends at
    `highest`, and where the load could not be raised.
    """
    search = _Search(attempt)
    while not await search.tries(start):
        start /= growth
        if search.tried > SMALLER:
            return 0.0
    while search.fell is None and search.full and search.stood < highest:
        await search.tries(min(search.stood * growth, highest))
    if search.fell is not None:
        for _ in range(refinements):
            await search.tries((search.stood * search.fell) ** 0.5)
    return search.best


class _Search:
    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.stood, self.best, self.tried, self.full = 0.0, 0.0, 0, True
        self.fell: float | None = None

    async def tries(self, load: float) -> bool:
        """Try a load, and remember how it went."""
        step = await self._attempt(load)
        self.tried += 1
        if step.stood:
            self.stood, self.best, self.full = load, max(self.best, step.carried), step.full
        else:
            self.fell = load
        return step.stood
