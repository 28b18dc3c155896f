"""The hub against a database in memory: whatever happens to hints, what tabs were told equals what is stored."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatapp.realtime import hub as hub_module
from chatapp.realtime.hint import Hint
from chatapp.realtime.hub import Hub
from chatapp.realtime.room import SLOTS, Applied, LiveRoom


@dataclass(frozen=True)
class Row:
    seq: int
    rev: int
    text: str
    pinned: bool = False


@dataclass(frozen=True)
class Person:
    id: str


@dataclass(frozen=True)
class Answer:
    rev: int
    last_seq: int
    messages: tuple[Row, ...] = ()
    members: tuple[Person, ...] | None = None
    room: Any = None
    more: bool = False
    gone: bool = False
    pinned: tuple[Row, ...] = ()

    @property
    def member_ids(self) -> frozenset[str] | None:
        return None if self.members is None else frozenset(person.id for person in self.members)


@dataclass
class Ledger:
    """A room's table, with the counters that the triggers keep."""

    rev: int = 0
    members_rev: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    members: tuple[Person, ...] = (Person("ada"),)
    slow: bool = True
    limit: int = 500

    def post(self, text: str) -> None:
        self.rev += 1
        seq = len(self.rows) + 1
        self.rows[seq] = Row(seq, self.rev, text)

    def edit(self, seq: int, text: str) -> None:
        self.rev += 1
        self.rows[seq] = replace(self.rows[seq], rev=self.rev, text=text)

    def set_members(self, *names: str) -> None:
        self.rev += 1
        self.members_rev = self.rev
        self.members = tuple(Person(name) for name in names)

    async def load(self, room_id: UUID) -> Answer:
        rows = tuple(self.rows[seq] for seq in sorted(self.rows)[-50:])
        answer = Answer(self.rev, len(self.rows), rows, self.members, "room")
        await self._wait()
        return answer

    async def catch_up(self, room_id: UUID, cursor: int) -> Answer:
        above = sorted((row for row in self.rows.values() if row.rev > cursor), key=lambda row: row.rev)
        more = len(above) > self.limit
        above = above[: self.limit]
        members = self.members if self.members_rev > cursor else None
        answer = Answer(above[-1].rev if more else self.rev, len(self.rows), tuple(above), members, "room", more)
        await self._wait()
        return answer

    async def revs(self, room_ids: Iterable[UUID]) -> dict[UUID, int]:
        await self._wait()
        return dict.fromkeys(room_ids, self.rev)

    async def _wait(self) -> None:
        for _ in range(random.randrange(4) if self.slow else 0):
            await asyncio.sleep(0)


class Viewer:
    """A tab: what it was told, by seq."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.members: tuple[Person, ...] = ()
        self.evicted: list[str] = []
        self.deliveries = 0
        self.went_back: list[Row] = []

    def rooms(self) -> set[UUID]:
        return set()

    def open(self, room: LiveRoom) -> None:
        self.members = room.members
        self.take(room.window(max(1, room.newest - 49)) or ())

    def take(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.seq in self.rows and self.rows[row.seq].rev > row.rev:
                self.went_back.append(row)
            self.rows[row.seq] = row

    async def publish(self, room: LiveRoom, applied: Applied) -> None:
        self.deliveries += 1
        self.take(applied.rows)
        if applied.members is not None:
            self.members = applied.members

    async def evict(self, room_id: UUID, user_ids: Iterable[str]) -> None:
        self.evicted.extend(user_ids)


@asynccontextmanager
async def opened(ledger: Ledger) -> AsyncIterator[tuple[Hub, Viewer, LiveRoom]]:
    viewer = Viewer()
    hub = Hub(ledger, viewer)
    room = await hub.open(uuid4())
    viewer.open(room)
    yield hub, viewer, room
    await hub.close()


async def settled(hub: Hub) -> None:
    while hub._pumps:
        await asyncio.gather(*hub._pumps.values(), return_exceptions=True)


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "COALESCE", 0)


def hint(room: LiveRoom, ledger: Ledger) -> Hint:
    return Hint("message", room.id, ledger.rev)


STEPS = st.lists(
    st.sampled_from(["post", "edit", "join", "leave", "hint", "late hint", "gap", "breathe"]), min_size=1, max_size=60
)


@given(steps=STEPS, seed=st.integers(0, 1000))
@settings(max_examples=200, deadline=None)
def test_applying_equals_refetching(steps: list[str], seed: int) -> None:
    random.seed(seed)
    asyncio.run(_play(steps))


async def _play(steps: list[str]) -> None:  # noqa: C901  # one case for each step there is
    ledger = Ledger()
    async with opened(ledger) as (hub, viewer, room):
        for number, step in enumerate(steps):
            match step:
                case "post":
                    ledger.post(f"message {number}")
                case "edit" if ledger.rows:
                    ledger.edit(random.choice(list(ledger.rows)), f"edit {number}")
                case "join":
                    ledger.set_members("ada", "grace")
                case "leave":
                    ledger.set_members("ada")
                case "hint":
                    hub.hint(hint(room, ledger))
                case "late hint":
                    hub.hint(Hint("message", room.id, max(1, ledger.rev - 1)))
                case "gap":
                    hub.gap()
                case "breathe":
                    await asyncio.sleep(0)
        hub.gap()
        await settled(hub)
        assert viewer.rows == ledger.rows
        assert viewer.members == ledger.members
        assert viewer.went_back == []
        assert room.cursor == ledger.rev


async def test_a_change_during_the_load_is_not_lost() -> None:
    ledger = Ledger()
    hub, viewer = Hub(ledger, Viewer()), Viewer()
    hub._audience = viewer
    room_id = uuid4()
    opening = asyncio.create_task(hub.open(room_id))
    await asyncio.sleep(0)
    ledger.post("meanwhile")
    hub.hint(Hint("message", room_id, ledger.rev))
    viewer.open(await opening)
    await settled(hub)
    assert viewer.rows == ledger.rows


async def test_doubled_hints_are_delivered_once() -> None:
    ledger = Ledger()
    async with opened(ledger) as (hub, viewer, room):
        ledger.post("once")
        for _ in range(5):
            hub.hint(hint(room, ledger))
        await settled(hub)
        hub.hint(hint(room, ledger))
        await settled(hub)
        assert viewer.deliveries == 1


async def test_more_than_one_query_can_carry_is_read_on() -> None:
    ledger = Ledger(limit=7)
    async with opened(ledger) as (hub, viewer, room):
        for number in range(40):
            ledger.post(str(number))
        hub.hint(hint(room, ledger))
        await settled(hub)
        assert viewer.rows == ledger.rows


async def test_a_hint_that_comes_before_its_change_can_be_seen_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Postgres streams a commit before it shows it; no second hint follows, and the watchdog would take 5 s.
    ledger = Ledger(slow=False)
    async with opened(ledger) as (hub, viewer, room):
        answers, looks = ledger.catch_up, 0

        async def not_yet(room_id: UUID, cursor: int) -> Answer:
            nonlocal looks
            if (looks := looks + 1) == 3:
                ledger.post("committed before it was seen")
            return await answers(room_id, cursor)

        monkeypatch.setattr(ledger, "catch_up", not_yet)
        hub.hint(Hint("message", room.id, ledger.rev + 1))
        await settled(hub)
        assert viewer.rows == ledger.rows != {}


async def test_after_the_database_was_away_everything_is_taken_for_missed_at_once_and_when_it_has_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "WATCHDOG", 0)
    ledger, missed, enough, looks = Ledger(slow=False), list[int](), asyncio.Event(), 0

    async def revs(room_ids: Iterable[UUID]) -> dict[UUID, int]:
        nonlocal looks
        looks += 1
        if looks in (2, 3):
            raise ConnectionError
        if looks == 20:
            enough.set()
        return {}

    monkeypatch.setattr(ledger, "revs", revs)
    async with opened(ledger) as (hub, _, _):
        watching = asyncio.create_task(hub.watch(lambda: missed.append(looks)))
        await asyncio.wait_for(enough.wait(), 5)
        watching.cancel()
    assert missed == [4, 4 + hub_module.SETTLED - 1]


async def test_a_change_that_never_comes_is_not_looked_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "EARLY", (0.0, 0.0))
    ledger = Ledger(slow=False)
    async with opened(ledger) as (hub, viewer, room):
        hub.hint(Hint("message", room.id, 99))
        await settled(hub)
        ledger.post("the next one")
        hub.hint(hint(room, ledger))
        await settled(hub)
        assert viewer.rows == ledger.rows


async def test_what_takes_long_is_done_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "COALESCE", 0.02)
    assert hub_module._rest(0, 0, 1e-3) == hub_module.COALESCE
    assert hub_module._rest(0, 0, 0.05) == 0.1
    assert hub_module._rest(0, 0, 60.0) == hub_module.COALESCE_MOST


async def test_a_removed_member_is_evicted_before_anything_newer_is_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = Ledger(members=(Person("ada"), Person("grace")))
    async with opened(ledger) as (hub, viewer, room):
        order: list[str] = []
        evict, publish = viewer.evict, viewer.publish

        async def noted_evict(room_id: UUID, user_ids: Iterable[str]) -> None:
            order.append("evict")
            await evict(room_id, user_ids)

        async def noted_publish(room: LiveRoom, applied: Applied) -> None:
            order.append("publish")
            await publish(room, applied)

        monkeypatch.setattr(viewer, "evict", noted_evict)
        monkeypatch.setattr(viewer, "publish", noted_publish)
        ledger.set_members("ada")
        ledger.post("not for grace")
        hub.hint(hint(room, ledger))
        await settled(hub)
        assert order == ["evict", "publish"]
        assert viewer.evicted == ["grace"]


async def test_a_database_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "BACKOFF", (0.001,))
    ledger = Ledger()
    async with opened(ledger) as (hub, viewer, room):
        answers = ledger.catch_up
        failures = iter([OSError(), OSError()])

        async def flaky(room_id: UUID, cursor: int) -> Answer:
            for failure in failures:
                raise failure
            return await answers(room_id, cursor)

        monkeypatch.setattr(ledger, "catch_up", flaky)
        ledger.post("still here")
        hub.hint(hint(room, ledger))
        await settled(hub)
        assert viewer.rows == ledger.rows


def test_a_page_older_than_a_change_that_overtook_it_does_not_win() -> None:
    room = LiveRoom(uuid4(), cursor=9, newest=3, rows={2: Row(2, 9, "edited")})
    assert room.merge([Row(2, 2, "old"), Row(3, 3, "same")]) == (Row(2, 9, "edited"), Row(3, 3, "same"))


def test_the_cache_is_bounded() -> None:
    room = LiveRoom(uuid4())
    room.newest = SLOTS * 3
    room.merge(Row(seq, seq, "") for seq in range(1, room.newest + 1))
    assert len(room.rows) == SLOTS
    assert room.holds(room.floor)
    assert not room.holds(room.floor - 1)


async def test_a_change_that_a_page_brought_here_first_is_told_all_the_same() -> None:
    # Only the reader of the page was given it; the others learn of it from the catch-up.
    ledger = Ledger()
    ledger.post("tpyo")
    async with opened(ledger) as (hub, viewer, room):
        ledger.edit(1, "typo")
        room.merge([ledger.rows[1]])
        hub.hint(hint(room, ledger))
        await settled(hub)
        assert viewer.rows == ledger.rows
