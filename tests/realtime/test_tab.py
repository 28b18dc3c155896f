"""A tab's handlers, interrupted at the worst moments: while they wait for their tab's lock, anything may happen.

Real handlers, hub and shared vars; the database and the sockets are in memory, because no real one can be stopped at a
chosen await. `tests/live` has the same handlers over real sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatapp import audience, gate, live, shared
from chatapp.accounts import sessions
from chatapp.actor import Actor
from chatapp.errors import NotFound
from chatapp.messages import queries
from chatapp.messages.snapshots import CatchUp, MessageSnapshot
from chatapp.realtime import topic
from chatapp.realtime.hint import Hint
from chatapp.realtime.hub import Hub
from chatapp.receipts import queries as receipts
from chatapp.receipts.markers import Markers
from chatapp.rooms.snapshots import Mark, MemberSnapshot, RoomSnapshot

ADA, GRACE = Actor(uuid4(), "aa"), Actor(uuid4(), "bb")
Interruption = Callable[[], Awaitable[Any]]


class Rooms:
    """A database of rooms with the same members and messages of their own."""

    def __init__(self) -> None:
        self.rows: dict[UUID, dict[int, MessageSnapshot]] = {}
        self.revs_of: dict[UUID, int] = {}
        self.members = {str(ADA.user_id), str(GRACE.user_id)}
        self.members_rev = 0

    def room(self, messages: int) -> str:
        room_id = uuid4()
        self.rows[room_id], self.revs_of[room_id] = {}, 0
        for _ in range(messages):
            self.post(str(room_id))
        return str(room_id)

    def post(self, room: str, text: str = "") -> None:
        seq, rev = len(self.rows[UUID(room)]) + 1, self._bump(room)
        content = text or f"message {seq}"
        row = MessageSnapshot(str(uuid4()), seq, rev, "", str(seq), "Ada", content, "2026-01-01T00:00:00Z", "", False)
        self.rows[UUID(room)][seq] = row

    def edit(self, room: str, seq: int, text: str) -> None:
        rows = self.rows[UUID(room)]
        rows[seq] = replace(rows[seq], rev=self._bump(room), content=text)

    def remove(self, room: str, who: Actor) -> None:
        self.members_rev = self._bump(room)
        self.members -= {str(who.user_id)}

    def let_in(self, room: str, who: Actor) -> None:
        self.members_rev = self._bump(room)
        self.members |= {str(who.user_id)}

    def hint(self, room: str) -> Hint:
        return Hint("message", UUID(room), self.revs_of[UUID(room)])

    async def load(self, room_id: UUID) -> CatchUp:
        rows = self.rows[room_id]
        return self._answer(room_id, [rows[seq] for seq in sorted(rows)[-100:]], True)

    async def catch_up(self, room_id: UUID, cursor: int) -> CatchUp:
        changed = [row for row in self.rows[room_id].values() if row.rev > cursor]
        return self._answer(room_id, changed, self.members_rev > cursor)

    async def revs(self, room_ids: Iterable[UUID]) -> dict[UUID, int]:
        return {room_id: self.revs_of[room_id] for room_id in room_ids}

    async def between(self, room_id: UUID, first: int, last: int) -> tuple[MessageSnapshot, ...]:
        return tuple(self.rows[room_id][seq] for seq in range(first, last + 1))

    async def before(self, _: Actor, room_id: UUID, seq: int, limit: int) -> tuple[MessageSnapshot, ...]:
        return tuple(self.rows[room_id][n] for n in range(max(1, seq - limit), seq))

    async def place(self, _: Actor, room_id: UUID, message_id: UUID) -> queries.Place | None:
        return next((queries.Place(row.seq) for row in self.rows[room_id].values() if row.id == str(message_id)), None)

    async def shown(self, room_ids: Iterable[UUID]) -> tuple[Mark, ...]:
        return tuple(Mark(room_id, UUID(who), 0, 0) for room_id in room_ids for who in self.members)

    async def require_membership(self, actor: Actor, room_id: UUID) -> None: ...

    def _bump(self, room: str) -> int:
        self.revs_of[UUID(room)] += 1
        return self.revs_of[UUID(room)]

    def _answer(self, room_id: UUID, rows: list[MessageSnapshot], with_members: bool) -> CatchUp:
        info = RoomSnapshot(str(room_id), "Room", "", False, "", 0, 0, "", len(self.members))
        people = tuple(MemberSnapshot(who, "", "", "", 0, "member", "") for who in sorted(self.members))
        answer = CatchUp(room_id, self.revs_of[room_id], len(self.rows[room_id]), info, messages=tuple(rows))
        return replace(answer, members=people, member_ids=frozenset(self.members)) if with_members else answer


class Sockets:
    """Rooms of sockets, and what each socket was sent."""

    def __init__(self) -> None:
        self.members: dict[str, set[str]] = {}
        self.view: dict[str, dict[str, Any]] = {}

    async def emit(self, to: str, message: shared.Update) -> None:
        for sid in [to] if to.startswith("sid") else list(self.members.get(to, ())):
            for values in message["delta"].values():
                self.view.setdefault(sid, {}).update(values)

    async def enter(self, sid: str, room: str) -> bool:
        self.members.setdefault(room, set()).add(sid)
        return True

    async def leave(self, sid: str, room: str) -> None:
        self.members.get(room, set()).discard(sid)

    def rooms_of(self, sid: str) -> list[str]:
        return [room for room, sids in self.members.items() if sid in sids]

    def tabs(self, room: str) -> list[str]:
        return list(self.members.get(room, ()))

    def rooms(self, prefix: str) -> list[str]:
        return [room for room, sids in self.members.items() if sids and room.startswith(prefix)]

    def window(self, sid: str) -> Any:
        return self.view[sid]["window_rx_state_0"]

    def rows(self, sid: str) -> list[dict[str, Any]]:
        """What the browser shows: see `collect` in assets/conversation.js."""
        seen, window = self.view.get(sid, {}), self.window(sid)
        first = window.first if window.last else max(window.first, seen["newest_rx_state_0"] - 511)
        slots = (value for key, value in seen.items() if key.startswith("messages_"))
        shown = (row for row in slots if row["room"] == window.room[:8] and row["seq"] >= first)
        return sorted(
            (row for row in shown if not window.last or row["seq"] <= window.last), key=lambda row: row["seq"]
        )

    def shown(self, sid: str) -> list[dict[str, Any]]:
        """The rows of a tab, with what it was told of them since laid over: `collect` in assets/conversation.js."""
        return [self._latest(sid, row) for row in self.rows(sid)]

    def _latest(self, sid: str, row: dict[str, Any]) -> dict[str, Any]:
        later = self.view[sid].get(f"changed_rx_state_{row['seq']}")
        return later if later and later["seq"] == row["seq"] and later["rev"] > row["rev"] else row


class Handle:
    """A tab as its handlers know it. What is put into `during` happens while the n-th `async with self` waits."""

    def __init__(self, sid: str, room: str) -> None:
        self._room = self._topic = self.missing = ""
        self._first, self._last, self._read_back, self.room_id = 0, 0, False, room
        self.router = SimpleNamespace(session=SimpleNamespace(session_id=sid), url=SimpleNamespace(query_parameters={}))
        self.during: dict[int, Interruption] = {}
        self._entered = 0

    async def __aenter__(self) -> Handle:
        self._entered += 1
        if interruption := self.during.pop(self._entered, None):
            await interruption()
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def call(self, name: str, *arguments: Any) -> Awaitable[None]:
        self._entered = 0
        return live.Tab.event_handlers[name].fn(self, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(live.Tab, name).__get__(self)


class Scene:
    """One process with its hub, and whoever is calling."""

    def __init__(self) -> None:
        self.data, self.sockets = Rooms(), Sockets()
        self.hub = Hub(self.data, audience.Tabs())
        self.monkeypatch: pytest.MonkeyPatch

    async def told(self, room: str) -> None:
        """The hint arrives and all that follows from it is done."""
        self.hub.hint(self.data.hint(room))
        while self.hub._pumps:
            await asyncio.gather(*self.hub._pumps.values())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    made = Scene()
    made.monkeypatch = monkeypatch
    monkeypatch.setattr(shared, "wire", lambda: made.sockets)
    monkeypatch.setattr(live, "_hub", lambda: made.hub)
    monkeypatch.setattr(live, "markers", Markers())
    monkeypatch.setattr(receipts, "shown", made.data.shown)
    monkeypatch.setattr(sessions, "ended", lambda session_id: session_id == "over")
    for name in ("between", "before", "require_membership", "place"):
        monkeypatch.setattr(queries, name, getattr(made.data, name))
    token = gate._actor.set(ADA)
    yield made
    gate._actor.reset(token)


async def test_a_message_that_comes_while_a_room_opens_is_there(scene: Scene) -> None:
    room = scene.data.room(10)
    tab = Handle("sid", room)

    async def meanwhile() -> None:
        scene.data.post(room, "just in time")
        await scene.told(room)

    tab.during[2] = meanwhile
    await tab.call("open_room")
    assert [row["seq"] for row in scene.sockets.rows("sid")] == list(range(1, 12))


async def test_a_followed_room_is_opened_without_a_query(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    room, asked = scene.data.room(10), list[UUID]()

    async def require_membership(_: Actor, room_id: UUID) -> None:
        asked.append(room_id)

    monkeypatch.setattr(queries, "require_membership", require_membership)
    await Handle("sid 1", room).call("open_room")
    assert asked == [UUID(room)]
    await Handle("sid 2", room).call("open_room")
    assert len(scene.sockets.rows("sid 2")) == 10
    assert asked == [UUID(room)]


async def test_who_the_hub_does_not_know_as_a_member_is_asked_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = scene.data.room(10)
    await Handle("sid 1", room).call("open_room")
    scene.data.remove(room, ADA)
    await scene.told(room)

    async def require_membership(actor: Actor, _: UUID) -> None:
        assert actor == ADA
        raise NotFound

    monkeypatch.setattr(queries, "require_membership", require_membership)
    tab = Handle("sid 2", room)
    await tab.call("open_room")
    assert scene.sockets.rooms_of("sid 2") == []


@pytest.mark.parametrize("handler", ["open_room", "load_older"])
async def test_who_is_removed_while_they_wait_is_not_let_in(scene: Scene, handler: str) -> None:
    room = scene.data.room(200)
    tab = Handle("sid", room)
    if handler == "load_older":
        await tab.call("open_room")

    async def meanwhile() -> None:
        scene.data.remove(room, ADA)
        await scene.told(room)

    tab.during[2] = meanwhile
    await tab.call(handler)
    scene.data.post(room, "secret")
    await scene.told(room)
    assert scene.sockets.rooms_of("sid") == []
    assert "secret" not in str(scene.sockets.view.get("sid"))


async def test_a_handler_does_not_write_to_the_socket_that_took_over(scene: Scene) -> None:
    room = scene.data.room(10)
    tab = Handle("sid", room)

    async def meanwhile() -> None:
        tab.router.session.session_id = "sid of a thief"

    tab.during[2] = meanwhile
    await tab.call("open_room")
    assert scene.sockets.view == {}
    assert scene.sockets.rooms_of("sid of a thief") == []


async def test_a_slow_room_does_not_overtake_the_one_that_was_opened_after_it(scene: Scene) -> None:
    slow, quick = scene.data.room(10), scene.data.room(3)
    tab = Handle("sid", slow)

    async def meanwhile() -> None:
        tab.room_id = quick
        await tab.call("open_room")

    tab.during[2] = meanwhile
    await tab.call("open_room")
    assert scene.sockets.window("sid").room == quick
    assert not [name for name in scene.sockets.rooms_of("sid") if slow in name]


async def test_an_ended_session_opens_nothing(scene: Scene) -> None:
    room = scene.data.room(10)
    gate._actor.set(replace(ADA, session_id="over"))
    await Handle("sid", room).call("open_room")
    assert scene.sockets.rooms_of("sid") == []


async def test_a_tab_whose_state_has_expired_is_in_one_room_all_the_same(scene: Scene) -> None:
    first, second = scene.data.room(10), scene.data.room(10)
    await Handle("sid", first).call("open_room")
    await Handle("sid", second).call("open_room")  # the same socket, a blank state
    topics = [name for name in scene.sockets.rooms_of("sid") if name.startswith("room:")]
    assert topics
    assert not [name for name in topics if first in name]


async def test_an_edit_reaches_those_who_had_the_message_when_another_read_it_first(scene: Scene) -> None:
    room = scene.data.room(200)
    early, late = Handle("sid 1", room), Handle("sid 2", room)
    for handler in ("open_room", "load_older", "load_older", "load_older"):
        await early.call(handler)
    scene.data.edit(room, 10, "edited")
    for handler in ("open_room", "load_older", "load_older", "load_older"):
        await late.call(handler)
    await scene.told(room)
    for sid in ("sid 1", "sid 2"):
        assert [row["content"] for row in scene.sockets.rows(sid) if row["seq"] == 10] == ["edited"]


@pytest.mark.parametrize("handler", ["jump", "load_older"])
async def test_a_change_between_reading_rows_far_back_and_showing_them_is_not_lost(scene: Scene, handler: str) -> None:
    room = scene.data.room(580)
    tab = Handle("sid", room)
    await tab.call("open_room")
    while handler == "load_older" and tab._first > 100:
        await tab.call("load_older")
    read = scene.data.between if handler == "jump" else scene.data.before

    async def overtaken(*arguments: Any) -> Any:
        rows = await read(*arguments)
        scene.data.edit(room, 55, "edited")
        await scene.told(room)
        return rows

    scene.monkeypatch.setattr(queries, read.__name__, overtaken)
    if handler == "jump":
        await tab.call("jump", UUID(scene.data.rows[UUID(room)][60].id))
    else:
        await tab.call("load_older")
    assert [row["content"] for row in scene.sockets.shown("sid") if row["seq"] == 55] == ["edited"]


@pytest.mark.parametrize("suspended", [False, True])
async def test_a_suspension_between_entering_a_room_and_sending_its_rows_is_found(
    scene: Scene, suspended: bool
) -> None:
    # The mutant to keep: an edit that arrives in between is overwritten by the older rows that follow it.
    room = scene.data.room(10)
    tab, emit = Handle("sid", room), scene.sockets.emit

    async def meanwhile() -> None:
        scene.data.edit(room, 10, "edited")
        await scene.told(room)

    async def late(to: str, message: shared.Update) -> None:
        if to == "sid":
            await meanwhile()
        await emit(to, message)

    if suspended:
        scene.monkeypatch.setattr(scene.sockets, "emit", late)
    else:
        tab.during[2] = meanwhile
    await tab.call("open_room")
    shown = [row["content"] for row in scene.sockets.rows("sid")]
    stored = [row.content for row in scene.data.rows[UUID(room)].values()]
    assert (shown == stored) is not suspended


async def test_history_has_no_holes_after_following_for_long(scene: Scene) -> None:
    room = scene.data.room(150)
    tab = Handle("sid", room)
    await tab.call("open_room")
    for _ in range(560):
        scene.data.post(room)
    await scene.told(room)
    await tab.call("load_older")
    seqs = [row["seq"] for row in scene.sockets.rows("sid")]
    assert seqs == list(range(seqs[0], seqs[-1] + 1))


LONG = "long " * 1800


async def test_a_message_that_was_asked_for_is_shown_however_long_those_after_it_are(scene: Scene) -> None:
    room = scene.data.room(0)
    for _ in range(150):
        scene.data.post(room, LONG)
    await Handle("sid", room).call("jump", UUID(scene.data.rows[UUID(room)][60].id))
    assert 60 in [row["seq"] for row in scene.sockets.rows("sid")]
    assert scene.sockets.window("sid").at == 60


async def test_reading_on_to_the_live_end_skips_nothing_where_messages_are_long(scene: Scene) -> None:
    room = scene.data.room(0)
    for _ in range(300):
        scene.data.post(room, LONG)
    tab = Handle("sid", room)
    await tab.call("jump", UUID(scene.data.rows[UUID(room)][60].id))
    while before := tab._last:
        await tab.call("load_newer")
        seqs = [row["seq"] for row in scene.sockets.rows("sid")]
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
        assert before in seqs
        assert tab._last != before
    assert seqs[-1] == 300


async def test_a_tab_that_reads_to_the_top_and_still_follows_is_told_once(scene: Scene) -> None:
    room = scene.data.room(510)
    tab = Handle("sid", room)
    await tab.call("open_room")
    while tab._first > 1:
        await tab.call("load_older")
    assert topic.room(room) in scene.sockets.rooms_of("sid")
    assert topic.room_head(room) not in scene.sockets.rooms_of("sid")


async def test_who_was_put_out_and_let_in_again_gets_no_page_before_the_room_itself(scene: Scene) -> None:
    room = scene.data.room(200)
    tab = Handle("sid", room)
    await tab.call("open_room")
    scene.data.remove(room, ADA)
    await scene.told(room)
    scene.data.edit(room, 190, "edited meanwhile")
    scene.data.let_in(room, ADA)
    await scene.told(room)
    await tab.call("load_older")
    assert scene.sockets.rooms_of("sid") == []
    await tab.call("open_room")
    assert [row["content"] for row in scene.sockets.rows("sid") if row["seq"] == 190] == ["edited meanwhile"]


async def test_what_changes_at_the_live_end_takes_back_no_change_far_back(scene: Scene) -> None:
    # They had a slot in common where 512 messages lie between them; found by tests/realtime/test_equals.py.
    room = scene.data.room(600)
    tab = Handle("sid ada", room)
    gate._actor.set(ADA)
    await tab.call("jump", UUID(scene.data.rows[UUID(room)][1].id))
    scene.data.edit(room, 70, "edited")
    scene.data.edit(room, 582, "edited, too")
    await scene.told(room)
    assert next(row for row in scene.sockets.shown("sid ada") if row["seq"] == 70)["content"] == "edited"
