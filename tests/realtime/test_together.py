"""Many who ask at the same time cost one query, and each gets an answer that was read after the question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chatapp.errors import Unavailable
from chatapp.together import Together


class Table:
    """A database that answers when told to; what it says changes."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.version, self.away = 0, False
        self.may_answer = asyncio.Event()
        self.begun: asyncio.Queue[None] = asyncio.Queue()

    async def read(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        self.begun.put_nowait(None)
        version = self.version
        await self.may_answer.wait()
        if self.away:
            raise Unavailable("Away.")
        return {key: version for key in keys if key != "nobody"}


def asking(together: Together[str, int], *keys: str) -> list[asyncio.Task[int | None]]:
    return [asyncio.create_task(together.ask(key)) for key in keys]


async def test_those_who_ask_at_once_cost_one_query() -> None:
    table = Table()
    table.may_answer.set()
    together = Together(table.read, most=10)
    assert await asyncio.gather(*asking(together, "a", "b", "a", "nobody")) == [0, 0, 0, None]
    assert table.asked == [["a", "b", "nobody"]]


async def test_who_asks_while_another_is_answered_gets_what_is_so_afterwards() -> None:
    """Also for the same key: the answer that is on its way may be older than what the caller subscribed to."""
    table = Table()
    together = Together(table.read, most=10)
    early = asking(together, "a")
    await table.begun.get()
    table.version = 1
    late = asking(together, "a", "b")
    await asyncio.sleep(0)
    table.may_answer.set()
    assert await asyncio.gather(*early, *late) == [0, 1, 1]
    assert table.asked == [["a"], ["a", "b"]]


async def test_a_query_takes_so_many_at_most() -> None:
    table = Table()
    table.may_answer.set()
    together = Together(table.read, most=2)
    assert await asyncio.gather(*asking(together, *"abcde")) == [0] * 5
    assert [len(keys) for keys in table.asked] == [2, 2, 1]


async def test_what_fails_fails_for_those_who_asked_and_for_nobody_else() -> None:
    table = Table()
    table.away = True
    together = Together(table.read, most=10)
    failing = asking(together, "a", "b")
    await table.begun.get()
    table.may_answer.set()
    answers = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable, Unavailable]
    table.away = False
    assert await together.ask("a") == 0


async def test_who_goes_away_takes_nobody_along() -> None:
    table = Table()
    together = Together(table.read, most=10)
    leaving, staying = asking(together, "a", "a")
    await table.begun.get()
    leaving.cancel()
    await asyncio.wait({leaving})
    table.may_answer.set()
    assert await staying == 0
    assert (together._asked, together._answering) == ({}, None)


async def test_nobody_waits_for_ever_when_the_work_is_cancelled() -> None:
    table = Table()
    together = Together(table.read, most=10)
    waiting = asking(together, "a")
    await table.begun.get()
    assert together._answering
    together._answering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
