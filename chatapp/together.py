"""Asking the database once for what many ask at the same time: a herd of tabs costs a few queries, not one each."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Together(Generic[Key, Answer]):
    """Gathers questions while an answer is on its way; the next query takes all of them, `most` at a time.

    Who asks alone waits for nobody. Every answer was read after its question was asked, so subscribing, then
    asking, misses nothing. `read` answers what it finds by key; its exception is raised by all who asked.
    """

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Answer]]], most: int) -> None:
        self._read, self._most = read, most
        self._asked: dict[Key, list[asyncio.Future[Answer | None]]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, key: Key) -> Answer | None:
        """The answer to one key, None where nothing was found. Raises what `read` raises."""
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        if self._answering is None:
            # In a context of its own: it speaks for nobody, whoever was the first to ask.
            self._answering = asyncio.create_task(self._answer_all(), name="together", context=contextvars.Context())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._asked:
                keys = list(islice(self._asked, self._most))
                await self._answer({key: self._asked.pop(key) for key in keys})
        finally:
            # In the same step as the loop's last look: a question after it begins anew.
            self._answering = None

    async def _answer(self, waiting: Mapping[Key, Sequence[asyncio.Future[Answer | None]]]) -> None:
        try:
            found = await self._read(list(waiting))
        except BaseException as error:
            for answer in _open(waiting):
                answer.set_exception(error) if isinstance(error, Exception) else answer.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for key, answers in waiting.items():
            for answer in _open({key: answers}):
                answer.set_result(found.get(key))


def _open(
    waiting: Mapping[Key, Sequence[asyncio.Future[Answer | None]]],
) -> list[asyncio.Future[Answer | None]]:
    """Those that somebody still waits for: a tab may have closed meanwhile."""
    return [answer for answers in waiting.values() for answer in answers if not answer.done()]
