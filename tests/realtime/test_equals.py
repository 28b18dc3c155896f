"""Applying equals refetching, for every kind of change: what a browser holds is what is stored, whatever hints do.

A state machine drives the real handlers, hub and shared vars over a database and sockets in memory. Hints may be lost,
doubled, late or out of order, answers of the database slow, tabs at the live end or far back. After everything has been
looked at once more, each tab's rows, pins, members, room and thread are those of a tab that opens now; who was removed
was sent nothing after their goodbye.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chatapp import audience, gate, live, shared
from chatapp.actor import Actor
from chatapp.errors import NotAMember, NotFound
from chatapp.messages import queries
from chatapp.messages import state as message_state
from chatapp.messages.queries import Place
from chatapp.messages.snapshots import CatchUp, MessageSnapshot, QuoteSnapshot, ReactionSnapshot
from chatapp.realtime import hub as hub_module
from chatapp.realtime.hint import Hint
from chatapp.realtime.hub import Hub
from chatapp.receipts import queries as receipts
from chatapp.receipts.markers import Markers
from chatapp.rooms import queries as rooms
from chatapp.rooms.snapshots import Mark, MemberSnapshot, RoomSnapshot
from chatapp.threads import queries as threads
from chatapp.threads import state as thread_state
from chatapp.threads.snapshots import Page
from tests.realtime.test_tab import Handle, Sockets

ADA, GRACE, LINUS = (Actor(UUID(int=number << 120), f"0{number}") for number in (1, 2, 3))
EMOJI = ("👍", "🎉", "😮")
STAMP = "2026-01-01T00:00:00Z"
ROOM = uuid4()
LIMIT = 7
"""Messages that one catch-up carries: few, so that one often stops short."""

picks = st.integers(0, 10_000)
people = st.sampled_from([GRACE, LINUS])


pytestmark = pytest.mark.timeout(900)  # to make a failing walk short takes its time, and is worth it


class Ledger:
    """A room as the database has it, with the counters that the triggers keep, and the hub's queries on it."""

    def __init__(self, messages: int, chance: random.Random) -> None:
        self.rev = self.members_rev = 0
        self.rows: dict[int, MessageSnapshot] = {}
        self.by_rev: dict[int, int] = {}
        self.reactions: dict[int, dict[str, list[str]]] = {}
        self.roles = {str(ADA.user_id): "owner", str(GRACE.user_id): "member"}
        self.name, self.archived, self.gone = "Room", False, False
        self.tell: Callable[[], Any] = lambda: None
        self._chance = chance
        for _ in range(messages):
            self.post()

    def post(self, **answer: Any) -> None:
        seq = len(self.rows) + 1
        row = MessageSnapshot(str(UUID(int=seq)), seq, 0, "", str(seq), "Ada", f"{seq}", STAMP, "", False)
        self._store(replace(row, **answer))

    def reply(self, seq: int) -> None:
        """To a message, or in the thread that it is in."""
        parent = self._parent_of(seq)
        self._store(replace(parent, replies=parent.replies + 1, last_reply_at=f"at {self.rev:09}"))
        self.post(parent_id=parent.id, reply_seq=parent.replies + 1)

    def quote(self, seq: int) -> None:
        """Quote a message that can be."""
        if not (self.rows[seq].deleted or self.rows[seq].parent_id):
            self.post(quote=self._quote_of(self.rows[seq]))

    def edit(self, seq: int) -> None:
        if not self.rows[seq].deleted:
            self._store(replace(self.rows[seq], content=f"edited at {self.rev}", edited_at=STAMP))
            self._show_quoted(seq)

    def delete(self, seq: int) -> None:
        if not self.rows[seq].deleted:
            self.reactions.pop(seq, None)
            gone = replace(self.rows[seq], content="", deleted=True, reactions=(), pinned_at="", quote=None)
            self._store(gone)
            self._show_quoted(seq)

    def react(self, seq: int, user: Actor, emoji: str) -> None:
        """Add, or take back what is there."""
        if self.rows[seq].deleted:
            return
        users = self.reactions.setdefault(seq, {}).setdefault(emoji, [])
        (users.remove if str(user.user_id) in users else users.append)(str(user.user_id))
        shown = tuple(ReactionSnapshot(e, len(u), tuple(u)) for e, u in self.reactions[seq].items() if u)
        self._store(replace(self.rows[seq], reactions=shown))

    def pin(self, seq: int) -> None:
        """Pin, or unpin what is pinned."""
        if not self.rows[seq].deleted:
            self._store(replace(self.rows[seq], pinned_at="" if self.rows[seq].pinned else f"at {self.rev:09}"))

    def rename(self) -> None:
        self.rev += 1
        self.name = f"Room {self.rev}"

    def archive(self) -> None:
        self.rev += 1
        self.archived = not self.archived

    def set_role(self, who: Actor, role: str | None) -> None:
        """Let somebody in, give them another role, or (None) put them out."""
        before = dict(self.roles)
        self.roles.pop(str(who.user_id), None)
        if role:
            self.roles[str(who.user_id)] = role
        if self.roles != before:
            self.rev += 1
            self.members_rev = self.rev

    def thread_of(self, parent_id: str, below: int) -> Page | None:
        found = [row for row in self.rows.values() if row.parent_id == parent_id and row.reply_seq < below]
        parent = self.rows.get(UUID(parent_id).int)
        return Page(parent, tuple(found[-threads.PAGE :])) if parent and not parent.parent_id else None

    def _parent_of(self, seq: int) -> MessageSnapshot:
        parent = self.rows[seq].parent_id
        return self.rows[UUID(parent).int if parent else seq]

    def _quote_of(self, row: MessageSnapshot) -> QuoteSnapshot:
        return QuoteSnapshot(row.id, row.seq, row.user_id, row.author, row.content, row.deleted)

    def _show_quoted(self, seq: int) -> None:
        """What is quoted changes in every quote of it."""
        for row in list(self.rows.values()):
            if row.quote and row.quote.seq == seq:
                self._store(replace(row, quote=self._quote_of(self.rows[seq])))

    def has(self, who: Actor) -> bool:
        return str(who.user_id) in self.roles

    async def load(self, room_id: UUID) -> CatchUp:
        rows = [self.rows[seq] for seq in sorted(self.rows)[-100:]]
        pinned = [row for row in self.rows.values() if row.pinned]
        answer = replace(self._answer(self.rev, rows, members=True), pinned=tuple(pinned))
        return await self._slowly(answer)

    async def catch_up(self, room_id: UUID, cursor: int) -> CatchUp:
        revs = sorted(rev for rev in self.by_rev if rev > cursor)[:LIMIT]
        reached = revs[-1] if len(revs) == LIMIT else self.rev
        rows = [self.rows[self.by_rev[rev]] for rev in revs]
        return await self._slowly(self._answer(reached, rows, members=self.members_rev > cursor))

    async def revs(self, room_ids: Iterable[UUID]) -> dict[UUID, int]:
        return await self._slowly(dict.fromkeys(room_ids, self.rev))

    async def between(self, room_id: UUID, first: int, last: int) -> tuple[MessageSnapshot, ...]:
        return await self._overtaken(tuple(self.rows[n] for n in range(first, min(last, len(self.rows)) + 1)))

    async def before(self, actor: Actor, room_id: UUID, seq: int, limit: int) -> tuple[MessageSnapshot, ...]:
        await self.require_membership(actor, room_id)
        return await self._overtaken(tuple(self.rows[n] for n in range(max(1, seq - limit), seq)))

    async def place(self, actor: Actor, room_id: UUID, message_id: UUID) -> Place | None:
        row = self.rows.get(message_id.int)
        await self._slowly(None)
        if row is None:
            return None
        return Place(row.seq, row.parent_id, self._parent_of(row.seq).seq if row.parent_id else 0, row.reply_seq)

    async def thread(self, actor: Actor, room_id: UUID, parent_id: UUID, below: int = thread_state.SLOTS) -> Page:
        found = self.thread_of(str(parent_id), below)
        if found is None or not self.has(actor):
            raise NotFound
        await self._overtaken((found.parent, *found.replies))
        return found

    async def shown(self, room_ids: Iterable[UUID]) -> tuple[Mark, ...]:
        """Nobody shares where they have read to."""
        return await self._slowly(())

    async def marks(self, room_ids: Iterable[UUID], user_ids: Iterable[UUID]) -> tuple[Mark, ...]:
        read = self._chance.randint(0, len(self.rows))
        return await self._slowly(tuple(Mark(ROOM, user_id, read, 0) for user_id in user_ids))

    async def require_membership(self, actor: Actor, room_id: UUID) -> None:
        if not self.has(actor):
            raise NotFound
        await self._slowly(None)

    def info(self) -> RoomSnapshot:
        return RoomSnapshot(str(ROOM), self.name, "", False, "", 0, 0, "", len(self.roles), archived=self.archived)

    def people(self) -> tuple[MemberSnapshot, ...]:
        return tuple(MemberSnapshot(who, "", "", "", 0, role, "") for who, role in sorted(self.roles.items()))

    def _store(self, row: MessageSnapshot) -> None:
        self.rev += 1
        self.by_rev.pop(row.rev, None)
        self.rows[row.seq] = replace(row, rev=self.rev)
        self.by_rev[self.rev] = row.seq

    def _answer(self, rev: int, rows: list[MessageSnapshot], members: bool) -> CatchUp:
        people, ids = (self.people(), frozenset(self.roles)) if members else (None, None)
        short = rev < self.rev
        return CatchUp(ROOM, rev, len(self.rows), self.info(), people, ids, tuple(rows), more=short)

    async def _overtaken(self, rows: tuple[MessageSnapshot, ...]) -> tuple[MessageSnapshot, ...]:
        """Rows on their way, of which one may change and be told of before they arrive."""
        if rows and self._chance.random() < 0.3:
            self.edit(self._chance.choice(rows).seq)
            self.tell()
            for _ in range(20):
                await asyncio.sleep(0)
        return await self._slowly(rows)

    async def _slowly(self, answer: Any) -> Any:
        for _ in range(self._chance.randrange(4)):
            await asyncio.sleep(0)
        return answer


class Watched(Sockets):
    """Sockets that notice what is sent to somebody after their goodbye."""

    def __init__(self) -> None:
        super().__init__()
        self.expelled: set[str] = set()
        self.told_too_late: list[str] = []

    async def emit(self, to: str, message: shared.Update) -> None:
        reached = [to] if to.startswith("sid") else list(self.members.get(to, ()))
        self.told_too_late += [sid for sid in reached if sid in self.expelled and message["delta"]]
        if message.get("events"):
            self.expelled.update(reached)
        await super().emit(to, message)

    async def enter(self, sid: str, room: str) -> bool:
        self.expelled.discard(sid)
        return await super().enter(sid, room)

    def thread(self, sid: str) -> list[dict[str, Any]]:
        """What the panel shows: see `useThread` in assets/threads.js."""
        seen = self.view[sid]
        rows = [
            max(
                (seen[key] for key in (f"replies_rx_state_{n}", f"news_rx_state_{n}") if self._in_thread(seen, key)),
                key=lambda row: row["rev"],
                default=None,
            )
            for n in [0, *range(seen["shown_rx_state_0"].first, thread_state.SLOTS)]
        ]
        return [row for row in rows if row]

    def _in_thread(self, seen: dict[str, Any], key: str) -> bool:
        parent = seen["shown_rx_state_0"].parent
        return key in seen and parent in (seen[key]["id"], seen[key].get("parent"))


class Room(RuleBasedStateMachine):
    """A room that much happens to, and the tabs of two of its members."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.loop = asyncio.new_event_loop()

    @initialize(messages=st.sampled_from([0, 3, 60, 580]), seed=picks)
    def begin(self, messages: int, seed: int) -> None:
        self.ledger, self.sockets = Ledger(messages, random.Random(seed)), Watched()
        self.hub = Hub(self.ledger, audience.Tabs())
        self.ledger.tell = lambda: self.hub.hint(Hint("message", ROOM, self.ledger.rev))
        self.held: list[Hint] = []
        self.handles = {who: Handle(f"sid {who.session_id}", str(ROOM)) for who in (ADA, GRACE)}
        self.patch.setattr(shared, "wire", lambda: self.sockets)
        self.patch.setattr(live, "_hub", lambda: self.hub)
        # Steps of the loop, no time: else what has been delivered when the next rule comes is the machine's choice.
        self.patch.setattr(hub_module, "_rest", lambda *_: 0)
        self.patch.setattr(live, "markers", Markers())
        self.patch.setattr(thread_state, "_followed", self.hub.followed)
        for name in ("between", "before", "require_membership", "place"):
            self.patch.setattr(queries, name, getattr(self.ledger, name))
        for module, name in ((receipts, "shown"), (rooms, "marks"), (threads, "thread")):
            self.patch.setattr(module, name, getattr(self.ledger, name))
        for who in self.handles:
            self.run(lambda who=who: self._call(who, "open_room"))

    # What happens to the room.

    @rule(number=st.integers(1, 12))
    def post(self, number: int) -> None:
        for _ in range(number):
            self.ledger.post()
        self._announce("message")

    @precondition(lambda self: self.ledger.rows)
    @rule(pick=picks)
    def edit(self, pick: int) -> None:
        self.ledger.edit(self._seq(pick))
        self._announce("message")

    @precondition(lambda self: self.ledger.rows)
    @rule(pick=picks)
    def reply(self, pick: int) -> None:
        self.ledger.reply(self._seq(pick))
        self._announce("message")

    @precondition(lambda self: self.ledger.rows)
    @rule(pick=picks)
    def quote(self, pick: int) -> None:
        self.ledger.quote(self._seq(pick))
        self._announce("message")

    @precondition(lambda self: self.ledger.rows)
    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        self.ledger.delete(self._seq(pick))
        self._announce("message")

    @precondition(lambda self: self.ledger.rows)
    @rule(pick=picks)
    def pin_or_unpin(self, pick: int) -> None:
        self.ledger.pin(self._seq(pick))
        self._announce("message")

    @precondition(lambda self: self.ledger.rows)
    @rule(pick=picks, who=st.sampled_from([ADA, GRACE, LINUS]), emoji=st.sampled_from(EMOJI))
    def react_or_take_back(self, pick: int, who: Actor, emoji: str) -> None:
        self.ledger.react(self._seq(pick), who, emoji)
        self._announce("message")

    @rule(what=st.sampled_from(["rename", "archive"]))
    def change_room(self, what: str) -> None:
        getattr(self.ledger, what)()
        self._announce("room")

    @rule(who=people, role=st.sampled_from(["member", "admin", None]))
    def change_member(self, who: Actor, role: str | None) -> None:
        self.ledger.set_role(who, role)
        self._announce("member")

    # What happens to hints. A change is announced at once, held back, doubled, or not at all.

    @rule(pick=picks, doubled=st.booleans())
    def a_late_hint(self, pick: int, doubled: bool) -> None:
        if self.held:
            hint = self.held[pick % len(self.held)] if doubled else self.held.pop(pick % len(self.held))
            self.run(lambda: self._hint(hint))

    @rule()
    def a_gap(self) -> None:
        self.run(self._gap)

    @rule(steps=st.integers(1, 6))
    def time_passes(self, steps: int) -> None:
        self.run(lambda: self._steps(steps))

    # What tabs do.

    @precondition(lambda self: self.ledger.rows)
    @rule(who=st.sampled_from([ADA, GRACE]), pick=picks)
    def jump(self, who: Actor, pick: int) -> None:
        self.run(lambda: self._call(who, "jump", UUID(int=self._seq(pick))))

    @precondition(lambda self: self.ledger.rows)
    @rule(who=st.sampled_from([ADA, GRACE]), pick=picks, older=st.booleans())
    def open_thread(self, who: Actor, pick: int, older: bool) -> None:
        parent = UUID(self.ledger._parent_of(self._seq(pick)).id)
        self.run(lambda: self._call_thread(who, "open", parent))
        first = self.sockets.view[f"sid {who.session_id}"]["shown_rx_state_0"].first
        if older and first > 1:
            self.run(lambda: self._call_thread(who, "older", parent, first))

    @rule(
        who=st.sampled_from([ADA, GRACE]),
        handler=st.sampled_from(["open_room", "load_older", "load_older", "load_newer", "load_newer", "show_latest"]),
    )
    def a_tab(self, who: Actor, handler: str) -> None:
        self.run(lambda: self._call(who, handler))

    @rule(who=st.sampled_from([ADA, GRACE]), times=st.integers(5, 12))
    def read_far_back(self, who: Actor, times: int) -> None:
        for _ in range(times):
            self.run(lambda: self._call(who, "load_older"))

    @rule()
    def all_is_equal(self) -> None:
        """Whatever was missed, one look heals it."""
        self.run(self._settle)
        for who, handle in self.handles.items():
            sid = handle.router.session.session_id
            assert self.sockets.rooms_of(sid) or who is not ADA, "Ada never leaves"
            if self.ledger.has(who) and self.sockets.rooms_of(sid):
                self._compare(sid)
            if not self.ledger.has(who):
                assert self.sockets.rooms_of(sid) == []
        assert self.sockets.told_too_late == []

    def teardown(self) -> None:
        try:
            if hasattr(self, "hub"):
                self.all_is_equal()
                self.run(self.hub.close)
        finally:
            self.patch.undo()
            self.loop.close()

    def _compare(self, sid: str) -> None:
        room, seen, window = self.hub._rooms[ROOM], self.sockets.view[sid], self.sockets.window(sid)
        newest = len(self.ledger.rows)
        last = window.last or newest
        first = window.first if window.last else max(window.first, newest - message_state.MESSAGES.slots + 1)
        rows = (self.ledger.rows[seq] for seq in range(first, min(last, newest) + 1))
        assert self.sockets.shown(sid) == [message_state.row(room, row) for row in rows if not row.parent_id]
        self._compare_thread(room, sid)
        pinned = sorted((r for r in self.ledger.rows.values() if r.pinned), key=lambda r: r.pinned_at, reverse=True)
        assert [pin["id"] for pin in seen["pins_rx_state_0"]] == [row.id for row in pinned]
        assert [pin["content"] for pin in seen["pins_rx_state_0"]] == [row.content for row in pinned]
        assert seen["newest_rx_state_0"] == newest
        if not window.last:  # far back, a tab is told of messages only
            assert seen["members_rx_state_0"] == list(self.ledger.people())
            assert seen["room_rx_state_0"] == self.ledger.info()

    def _compare_thread(self, room: Any, sid: str) -> None:
        """The panel's thread, wherever in the room's history it is, and however far back the tab reads."""
        shown = self.sockets.view[sid]["shown_rx_state_0"]
        if page := shown.parent and self.ledger.thread_of(shown.parent, thread_state.SLOTS):
            replies = [row for row in self.ledger.rows.values() if row.parent_id == shown.parent]
            stored = [page.parent, *(reply for reply in replies if reply.reply_seq >= shown.first)]
            assert self.sockets.thread(sid) == [message_state.row(room, row) for row in stored]

    def run(self, act: Callable[[], Awaitable[Any]]) -> None:
        self.loop.run_until_complete(act())

    def _seq(self, pick: int) -> int:
        """Any message; mostly one of a few, so that much happens to the same."""
        newest = len(self.ledger.rows)
        return 1 + pick // 4 % (newest if pick % 4 == 0 else min(newest, 3))

    def _announce(self, what: str) -> None:
        hint = Hint(what, ROOM, self.ledger.rev)
        fate = self.ledger._chance.choice(["told", "told", "held", "lost", "doubled"])
        if fate == "held":
            self.held.append(hint)
        for _ in range({"told": 1, "doubled": 2}.get(fate, 0)):
            self.run(lambda: self._hint(hint))

    async def _call(self, who: Actor, handler: str, *arguments: Any) -> None:
        gate._actor.set(who)
        with contextlib.suppress(NotFound):
            await self.handles[who].call(handler, *arguments)

    async def _call_thread(self, who: Actor, handler: str, *arguments: Any) -> None:
        gate._actor.set(who)
        with contextlib.suppress(NotFound, NotAMember):
            await thread_state.Threads.event_handlers[handler].fn(self.handles[who], ROOM, *arguments)

    async def _hint(self, hint: Hint) -> None:
        self.hub.hint(hint)

    async def _gap(self) -> None:
        self.hub.gap()

    async def _steps(self, steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(0)

    async def _settle(self) -> None:
        self.hub.gap()
        while self.hub._pumps:
            await asyncio.gather(*self.hub._pumps.values(), return_exceptions=True)


# The same walks in every run; RANDOM=yes takes others, to hunt.
Room.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    derandomize=not os.environ.get("RANDOM"),
    suppress_health_check=list(HealthCheck),
)
TestRoom = Room.TestCase
