"""How much a server can take: raise the load until it fails, then close in on the edge."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Step(NamedTuple):
    """One load that was tried: whether it was stood, and what was really carried."""

    stood: bool
    carried: float
    full: bool = True
    """Whether the load was really that high: a sender has its limits too."""


async def most(
    attempt: Callable[[float], Awaitable[Step]],
    start: float,
    *,
    growth: float = 2.0,
    refinements: int = 3,
    highest: float = 1e9,
) -> float:
    """The most that was carried by an attempt that stood; 0 when even the first fell.

    `attempt(load)` is called with growing loads until one falls, then with the geometric middle between the highest
    that stood and the lowest that fell. It ends at `highest`, and where the load could not be raised.
    """
    best, low, high = 0.0, 0.0, start
    while True:
        step = await attempt(high)
        if not step.stood:
            break
        best, low = max(best, step.carried), high
        if high >= highest or not step.full:
            return best
        high = min(high * growth, highest)
    for _ in range(refinements if low else 0):
        middle = (low * high) ** 0.5
        step = await attempt(middle)
        best = max(best, step.carried) if step.stood else best
        low, high = (middle, high) if step.stood else (low, middle)
    return best
