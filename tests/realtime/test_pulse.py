"""One timer for many things: it acts when woken, when something is due, and ends when it is told to."""

from __future__ import annotations

import asyncio
import time

import pytest

from chatapp.errors import ChatError, Unavailable
from chatapp.realtime.pulse import earliest, never, pulse


async def nothing() -> None:
    pass


@pytest.mark.parametrize("steps", range(6))
async def test_it_ends_though_it_is_woken_at_the_same_moment(steps: int) -> None:
    # With asyncio.wait_for, Python 3.11 loses the cancellation at some of these steps.
    woken = asyncio.Event()
    task = asyncio.create_task(pulse(woken, lambda: time.monotonic() + 3600, nothing, 3600))
    for _ in range(5):
        await asyncio.sleep(0)
    woken.set()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()


async def test_it_acts_when_woken_and_when_something_is_due() -> None:
    woken, acted = asyncio.Event(), asyncio.Queue[float]()
    moments = [None, time.monotonic() + 0.01, None]

    async def act() -> None:
        acted.put_nowait(time.monotonic())

    task = asyncio.create_task(pulse(woken, lambda: moments.pop(0) if moments else None, act, 0))
    woken.set()
    await asyncio.wait_for(acted.get(), 5)
    await asyncio.wait_for(acted.get(), 5)
    task.cancel()
    await asyncio.wait({task})
    assert acted.empty()


def test_the_earliest_of_nothing_is_never() -> None:
    assert earliest(None, None) is None
    assert earliest(None, 2.0, 1.0) == 1.0


async def test_what_failed_is_done_again_unless_nothing_was_to_be_said_of_it() -> None:
    answers: list[ChatError | None] = [Unavailable("away"), Unavailable("away"), None]
    woken, done = asyncio.Event(), asyncio.Event()

    async def act() -> None:
        if answer := answers.pop(0):
            raise answer
        done.set()

    woken.set()
    task = asyncio.create_task(pulse(woken, never, act, 0, "It could not be read"))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    await asyncio.wait({task})
    answers.append(Unavailable("away"))
    woken.set()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(pulse(woken, never, act, 0), 5)
