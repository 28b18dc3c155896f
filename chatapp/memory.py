"""When Python looks for garbage: its pauses are what the slowest deliveries of a busy server are made of."""

from __future__ import annotations

import gc

THRESHOLDS = (20_000, 5, 4)
"""Allocations before a look at the youngest objects, looks before one at the middle, and at the old ones.

What a closed tab leaves is old by then, and circular: were the old ones looked at more rarely, a quiet server would
hold on to every tab of its day."""


def settle() -> None:
    """Keep what the app is made of out of every later look; to be called once it is ready to serve."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
