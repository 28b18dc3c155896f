"""The checker of `make chaos`, checked: delivery is broken in every listed way, and it must notice each of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chatapp import audience, shared
from chatapp.messages import state as message_state
from chatapp.messages.snapshots import CatchUp
from chatapp.realtime import hub as hub_module
from chatapp.realtime.hub import Hub
from chatapp.realtime.room import LiveRoom
from tests.chaos.checker import Fault, Message, Sent, Watch, check_numbers, check_sends, check_silence, check_view
from tests.chaos.scene import ADA, GRACE, Ledger, Onlooker, Scene, SceneWire
from tests.tab import TIMELINE, Tab

Patch = pytest.MonkeyPatch


@pytest.fixture
def scene(monkeypatch: Patch) -> Scene:
    made = Scene()
    monkeypatch.setattr(shared, "wire", lambda: SceneWire(made))
    monkeypatch.setattr(hub_module, "COALESCE", 0)
    return made


async def play(scene: Scene) -> list[Fault]:
    """A conversation with everything in it: hints lost, doubled and late, a cut, an edit, a late page, a removal."""
    scene.send("first")
    await scene.open(ADA)
    grace = await scene.open(GRACE)
    for number in range(5):
        scene.send(f"told {number}", times=2)
        await scene.hint(times=2)
    scene.send("its hint is lost")
    scene.send("the next one tells of both")
    await scene.hint()
    await scene.hint(rev=2)  # late
    page = list(scene.ledger.rows)
    scene.ledger.edit(2, "told 0, edited")
    await scene.hint()
    scene.send("while Realtime is away")
    scene.ledger.edit(1, "first, edited")
    await scene.gap()
    await scene.open(ADA, page)
    scene.ledger.remove(GRACE)
    scene.send("not for Grace")
    mark = len(grace.frames)
    await scene.hint()
    scene.send("nor is this")
    await scene.hint()
    return [*scene.faults(), *silence(scene, grace, mark)]


def silence(scene: Scene, grace: Onlooker, mark: int) -> list[Fault]:
    later = grace.frames[mark:]
    closed = next((number for number, frame in enumerate(later) if "_redirect" in frame), 0)
    return check_silence("grace", later, str(scene.ledger.room), ["not for Grace", "nor is this"], closed)


async def test_delivery_as_it_is_passes(scene: Scene) -> None:
    assert await play(scene) == []


def dedupe_off(patch: Patch) -> None:
    patch.setattr(Ledger, "has", lambda self, client_id: False)


def catch_up_off(patch: Patch) -> None:
    """A hint brings what it is about, and nobody asks what else is above the cursor."""
    whole = Ledger.catch_up

    async def newest(self: Ledger, room_id: UUID, cursor: int) -> CatchUp:
        answer = await whole(self, room_id, cursor)
        return replace(answer, messages=answer.messages[-1:])

    patch.setattr(Ledger, "catch_up", newest)


def gap_ignored(patch: Patch) -> None:
    patch.setattr(Hub, "gap", lambda self: None)
    # The next hint would make up for it: the scene ends before one comes.
    patch.setattr(Scene, "hint", _until_the_gap(Scene.hint))


def ordered_by_arrival(patch: Patch) -> None:
    """Whatever comes is shown at the bottom, be it new or changed."""
    receive = Tab._received

    async def received(self: Tab, update: dict[str, Any]) -> None:
        for key in update["delta"].get(TIMELINE, {}):
            self.state.get(TIMELINE, {}).pop(key, None)
        await receive(self, update)

    patch.setattr(Tab, "_received", received)
    patch.setattr(Tab, "rows", property(arrivals))


def placed_by_append(patch: Patch) -> None:
    count, at = itertools.count(1), message_state.MESSAGES.at
    patch.setattr(message_state.MESSAGES, "at", lambda seq, value: at(next(count), value))


def older_rev_wins(patch: Patch) -> None:
    patch.setattr(LiveRoom, "_newer", lambda self, row: row)


def removed_member_told(patch: Patch) -> None:
    async def nobody(self: audience.Tabs, room_id: UUID, user_ids: Any) -> None: ...

    patch.setattr(audience.Tabs, "evict", nobody)


def removed_member_told_late(patch: Patch) -> None:
    """First the news, then the door."""
    tell = Hub._tell

    async def late(self: Hub, room: LiveRoom, applied: Any) -> None:
        await self._audience.publish(room, applied)
        await tell(self, room, replace(applied, rows=()))

    patch.setattr(Hub, "_tell", late)


def suspended_between(patch: Patch) -> None:
    """Something suspends between entering a room and being sent its rows: what is said meanwhile is overwritten."""
    emit = Scene.emit

    async def slowly(self: Scene, to: str, message: shared.Update) -> None:
        if to in self.tabs and not self.tabs[to].frames:
            self.send("in between")
            self.ledger.edit(1, "in between")
            await self.hint()
        await emit(self, to, message)

    patch.setattr(Scene, "emit", slowly)


MUTANTS: list[tuple[Callable[[Patch], None], set[str]]] = [
    (dedupe_off, {"doubled"}),
    (catch_up_off, {"missing"}),
    (gap_ignored, {"missing"}),
    (ordered_by_arrival, {"order"}),
    (placed_by_append, {"missing", "doubled"}),
    (older_rev_wins, {"stale"}),
    (removed_member_told, {"leak"}),
    (removed_member_told_late, {"leak"}),
    (suspended_between, {"back"}),
]


@pytest.mark.parametrize(("mutant", "kinds"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
async def test_broken_delivery_is_noticed(
    scene: Scene, monkeypatch: Patch, mutant: Callable[[Patch], None], kinds: set[str]
) -> None:
    mutant(monkeypatch)
    found = {fault.kind for fault in await play(scene)}
    assert found & kinds, f"noticed only {found}"


def arrivals(tab: Tab) -> list[dict[str, Any]]:
    """The rows as they came, the changed ones last."""
    return [value for key, value in tab.state.get(TIMELINE, {}).items() if key.startswith("messages_")]


def _until_the_gap(hint: Callable[..., Any]) -> Callable[..., Any]:
    async def unless_cut(self: Scene, rev: int | None = None, times: int = 1) -> None:
        if "while Realtime is away" not in self.sends:
            await hint(self, rev, times)

    return unless_cut


# ------------------------------------------------------------------------------------------------ one fact at a time

ROWS = [Message(seq, 10 + seq, "ada", str(seq), f"message {seq}", False, False, "") for seq in range(1, 4)]
SENT = Sent("room", "ada", "1", "message 1", True)


@pytest.mark.parametrize(
    ("view", "kind"),
    [
        (ROWS[:2], "missing"),
        ([], "missing"),
        ([ROWS[0], ROWS[2], ROWS[1]], "order"),
        ([*ROWS, replace(ROWS[2])], "doubled"),
        ([*ROWS[:2], replace(ROWS[2], content="else")], "stale"),
        ([*ROWS[:2], replace(ROWS[2], rev=1)], "stale"),
        ([*ROWS[:2], replace(ROWS[2], reactions="👍1")], "stale"),
        ([*ROWS, replace(ROWS[2], seq=4)], "foreign"),
    ],
)
def test_a_view_that_differs_is_noticed(view: list[Message], kind: str) -> None:
    assert kind in {fault.kind for fault in check_view("tab", view, ROWS)}


def test_a_view_that_is_equal_passes_and_so_does_the_end_of_a_long_room() -> None:
    assert check_view("tab", ROWS, ROWS[::-1]) == []
    long = [replace(ROWS[0], seq=seq, rev=seq) for seq in range(1, 101)]
    assert check_view("tab", long[-50:], long) == []
    assert [fault.kind for fault in check_view("tab", long[-49:], long)] == ["missing"]


@pytest.mark.parametrize(
    ("sent", "rows", "kind"),
    [
        (SENT, [], "lost"),
        (SENT, [ROWS[0], replace(ROWS[0], seq=2)], "doubled"),
        (replace(SENT, content="else"), ROWS, "wrong"),
        (replace(SENT, confirmed=False), ROWS, "unconfirmed"),
    ],
)
def test_a_send_that_went_wrong_is_noticed(sent: Sent, rows: list[Message], kind: str) -> None:
    assert [fault.kind for fault in check_sends([sent], {"room": rows})] == [kind]


def test_a_message_that_was_edited_later_is_not_wrong() -> None:
    assert check_sends([SENT], {"room": [replace(ROWS[0], content="else", edited=True)]}) == []


def test_holes_and_shared_revs_are_noticed() -> None:
    assert check_numbers("room", ROWS) == []
    assert [fault.kind for fault in check_numbers("room", ROWS[1:])] == ["hole"]
    assert [fault.kind for fault in check_numbers("room", [ROWS[0], replace(ROWS[1], rev=ROWS[0].rev)])] == ["doubled"]


def test_a_row_that_goes_back_or_changes_its_place_is_noticed() -> None:
    watch = Watch("tab")
    for rev, client_id in ((1, "a"), (2, "a"), (1, "a"), (3, "b")):
        watch.row({"room": "r", "seq": 1, "rev": rev, "client_id": client_id})
    assert [fault.kind for fault in watch.faults] == ["back", "place"]


def test_a_trace_of_the_room_after_the_door_has_closed_is_noticed() -> None:
    frames = ["the last of 12345678", "closed 12345678", "12345678 again"]
    assert [fault.what for fault in check_silence("tab", frames, "12345678-9", (), 1)] == [
        "heard of the room: 12345678 again"
    ]
    assert check_silence("tab", frames[:2], "12345678-9", ["secret"], 1) == []
