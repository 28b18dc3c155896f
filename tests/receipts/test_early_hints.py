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
from chatapp.actor import Actor
from chatapp.errors import Unavailable
from chatapp.messages import queries as messages
from chatapp.realtime import topic
from chatapp.realtime.heads import LOOKS, Heads
from chatapp.realtime.hint import Hint
from chatapp.receipts import markers, queries
from chatapp.receipts.actions import Advances
from chatapp.rooms import queries as rooms
from chatapp.rooms import state as room_state
from chatapp.rooms.snapshots import Head, Mark

ROOM, ADA = uuid4(), uuid4()


class Wire:
    """Everybody is everywhere; what is sent is kept."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.to: list[str] = []
        self.news = asyncio.Event()

    async def emit(self, to: str, message: shared.Update) -> None:
        self.sent += message["delta"].values()
        self.to.append(to)
        self.news.set()

    def tabs(self, room: str) -> list[str]:
        return [] if ":member:" in room else ["sid 1", "sid 2"]

    def rooms(self, prefix: str) -> list[str]:
        return [f"{prefix}{ADA if prefix == 'user:' else ROOM}"]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire()
    monkeypatch.setattr(shared, "wire", lambda: made)
    for module in (service, markers):
        for name in ("MARKS_REST", "REST", "LIST_REST"):
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


async def test_the_tab_that_moved_a_marker_is_spared_and_no_other(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "marks", late(at(2), at(2)))
    advances = Advances()
    monkeypatch.setattr(service, "advances", advances)
    advances.step(Actor(ADA, ""), ROOM, 2, 0, "sid 1")
    marks = service.OwnMarks()
    marks.hint(Hint("read", ROOM, readers={ADA: (0, 2)}))
    await told(wire, marks.keep(), [2, 0])
    assert wire.to == ["sid 2"]
    advances.step(Actor(ADA, ""), ROOM, 3, 0, "a tab that is gone")
    monkeypatch.setattr(rooms, "marks", late(at(3), at(3)))
    marks.hint(Hint("read", ROOM, readers={ADA: (0, 3)}))
    await told(wire, marks.keep(), [3, 0])
    assert wire.to[1:] == [topic.user(ADA)]


async def test_a_list_that_holds_a_room_anew_is_told_what_others_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatapp.realtime.heads.REST", 0.0)
    said = asyncio.Queue[int]()

    async def tell(_: UUID, head: Head) -> None:
        said.put_nowait(head.last_seq)

    heads = Heads(late({ROOM: Head(2, "")}, {ROOM: Head(2, "")}), tell, lambda: {ROOM})
    running = asyncio.create_task(heads.keep())
    heads.hint(ROOM, 2)
    assert await asyncio.wait_for(said.get(), 10) == 2
    heads.joined(ROOM, Head(1, ""))  # the room itself had not caught up when its tab left
    assert await asyncio.wait_for(said.get(), 10) == 2
    heads.joined(ROOM, Head(2, ""))
    heads.hint(ROOM, 2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert said.empty()
    running.cancel()


async def test_a_marker_that_no_hint_told_of(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markers, "WATCHDOG", 0.01)
    followed = markers.Markers()
    monkeypatch.setattr(queries, "shown", late(at(1), at(1)))
    await followed.open(ROOM)
    monkeypatch.setattr(queries, "shown", late(at(1), at(2)))
    await told(wire, followed.keep(), [str(ROOM)[:8], 2])


class Lists:
    """Whose lists are sent, and when: how far the room was in the database by then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, wire: Wire) -> None:
        self.revs: list[dict[UUID, int]] = []
        self.looked = 0
        self.sent = asyncio.Queue[tuple[UUID, int]]()
        self.lists = service.RoomLists()
        monkeypatch.setattr(room_state, "send_list", self._send)
        monkeypatch.setattr(messages, "revs", self._revs)

    async def _revs(self, _: Iterable[UUID]) -> dict[UUID, int]:
        self.looked += 1
        return self.revs.pop(0) if len(self.revs) > 1 else self.revs[0]

    async def _send(self, whose: Actor, to: str) -> None:
        assert to == topic.user(whose.user_id)
        self.sent.put_nowait((whose.user_id, self.looked))

    async def next(self) -> tuple[UUID, int]:
        running = asyncio.create_task(self.lists.keep())
        try:
            return await asyncio.wait_for(self.sent.get(), 10)
        finally:
            running.cancel()


@pytest.mark.parametrize(
    ("hint", "revs", "looks"),
    [
        (Hint("member", ROOM, rev=3, user_id=ADA), [{ROOM: 2}, {ROOM: 2}, {ROOM: 3}], 3),
        (Hint("member", ROOM, rev=1, user_id=ADA), [{}, {ROOM: 1}], 2),  # a room that has just been made
        (Hint("room", ROOM, rev=9, gone=True), [{ROOM: 9}, {}], 2),
        (Hint("member", ROOM, rev=3, user_id=ADA), [{ROOM: 4}], 1),
        (Hint("member", ROOM, rev=3, user_id=ADA), [{ROOM: 2}], 1 + LOOKS),  # not for ever
    ],
)
async def test_a_list_is_read_once_it_can_show_what_has_changed(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, hint: Hint, revs: list[dict[UUID, int]], looks: int
) -> None:
    found = Lists(monkeypatch, wire)
    found.revs = revs
    found.lists.hint(hint)
    assert await found.next() == (ADA, looks)


async def test_a_list_whose_hint_was_lost(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def outdated(people: set[UUID]) -> set[UUID]:
        return people

    monkeypatch.setattr(service, "LISTS_WATCHDOG", 0.01)
    monkeypatch.setattr(room_state, "outdated", outdated)
    assert await Lists(monkeypatch, wire).next() == (ADA, 0)


async def test_a_list_is_sent_again_when_the_database_was_away(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found, failures = Lists(monkeypatch, wire), [Unavailable("away"), Unavailable("away")]
    found.revs = [{ROOM: 3}]
    known = found._revs

    async def away(room_ids: Iterable[UUID]) -> dict[UUID, int]:
        if failures:
            raise failures.pop()
        return await known(room_ids)

    monkeypatch.setattr(messages, "revs", away)
    found.lists.hint(Hint("member", ROOM, rev=3, user_id=ADA))
    assert await found.next() == (ADA, 1)
    assert [record.message for record in caplog.records] == ["Room lists could not be read: away"]
