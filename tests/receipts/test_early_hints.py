"""A hint comes from the write-ahead log, a moment before what it tells of can be read: it is not taken for nothing.

The database is in memory here, because no real one can be stopped between its log and its visibility.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatapp import service, shared
from chatapp.realtime.heads import Heads
from chatapp.realtime.hint import Hint
from chatapp.receipts import markers, queries
from chatapp.rooms import queries as rooms
from chatapp.rooms.snapshots import Head, Mark

ROOM, ADA = uuid4(), uuid4()


class Wire:
    """Everybody is everywhere; what is sent is kept."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.news = asyncio.Event()

    async def emit(self, to: str, message: shared.Update) -> None:
        self.sent += message["delta"].values()
        self.news.set()

    def tabs(self, room: str) -> list[str]:
        return [] if ":member:" in room else ["sid 1", "sid 2"]

    def rooms(self, prefix: str) -> list[str]:
        return [f"room:{ROOM}"]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire()
    monkeypatch.setattr(shared, "wire", lambda: made)
    for module in (service, markers):
        for name in ("MARKS_REST", "REST"):
            monkeypatch.setattr(module, name, 0.0, raising=False)
    return made


def late(before: Any, after: Any) -> Callable[..., Awaitable[Any]]:
    """A database that shows what happened only at the third look."""
    answers = [before, before]

    async def read(*_: Iterable[UUID]) -> Any:
        return answers.pop() if answers else after

    return read


def at(seq: int) -> tuple[Mark, ...]:
    return (Mark(ROOM, ADA, seq, 0),)


async def told(wire: Wire, keep: Awaitable[None], value: Any) -> None:
    running = asyncio.ensure_future(keep)
    async with asyncio.timeout(10):
        while value not in [found for sent in wire.sent for found in sent.values()]:
            await wire.news.wait()
            wire.news.clear()
    running.cancel()


async def test_my_own_marker(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "marks", late(at(1), at(2)))
    marks = service.OwnMarks()
    marks.hint(Hint("read", ROOM, readers={ADA: (0, 2)}))
    await told(wire, marks.keep(), [2, 0])


@pytest.mark.parametrize(("before", "after", "value"), [(at(1), at(2), [str(ROOM)[:8], 2]), (at(1), (), None)])
async def test_others_markers(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, before: tuple[Mark, ...], after: tuple[Mark, ...], value: Any
) -> None:
    followed = markers.Markers()
    monkeypatch.setattr(queries, "shown", late(before, before))
    await followed.open(ROOM)
    monkeypatch.setattr(queries, "shown", late(before, after))
    followed.hint(Hint("read", ROOM, readers={ADA: (0, 2) if after else None}, switched=not after))
    await told(wire, followed.keep(), value)


async def test_how_far_a_room_is(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.realtime.heads.REST", 0.0)

    async def tell(room_id: UUID, head: Head) -> None:
        await wire.emit("", {"delta": {"": {"head": head.last_seq}}})

    heads = Heads(late({ROOM: Head(1, "")}, {ROOM: Head(2, "")}), tell, lambda: {ROOM})
    heads.hint(ROOM, 2)
    await told(wire, heads.keep(), 2)


async def test_what_never_comes_is_not_waited_for_for_ever(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "marks", late(at(1), at(1)))
    marks = service.OwnMarks()
    marks.hint(Hint("read", ROOM, readers={ADA: (0, 2)}))
    await told(wire, marks.keep(), [1, 0])
    assert marks._moved == {}
