"""What of threads is sent, and to whom. The database is real; the sockets note what they are told."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from chatapp import shared
from chatapp.messages.actions import Answer, post
from chatapp.messages.snapshots import MessageSnapshot
from chatapp.realtime import topic
from chatapp.realtime.hint import Hint
from chatapp.realtime.room import LiveRoom
from chatapp.rooms import actions as rooms
from chatapp.threads import state
from chatapp.threads.actions import read
from chatapp.threads.marks import FollowedThreads
from chatapp.threads.snapshots import Page
from tests.cast import Cast, room, say


class Wire:
    """Everybody has a tab here, and it shows every thread."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.shown: list[str] = []

    async def emit(self, to: str, message: shared.Update) -> None:
        [values] = message["delta"].values()
        self.sent.append((to, values))

    def tabs(self, name: str) -> list[str]:
        return [name]

    def rooms(self, prefix: str) -> list[str]:
        return [name for name in self.shown if name.startswith(prefix)]

    def rooms_of(self, sid: str) -> list[str]:
        return [sid]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire()
    monkeypatch.setattr(shared, "wire", lambda: made)
    return made


async def test_a_late_hint_takes_nothing_back_that_has_been_read_since(wire: Wire, cast: Cast) -> None:
    place, first = await _answered(cast)
    threads = FollowedThreads()
    await read(cast.grace.actor, UUID(first), 2)
    threads.hint(Hint("thread", place, thread=UUID(first), readers={cast.grace.id: (0, 1)}))
    await threads.tell()
    assert wire.sent == [(topic.user(cast.grace.id), {f"marks_rx_state_{first}": [2, 2, str(place)[:8]]})]


async def test_after_a_gap_what_is_followed_in_the_rooms_shown_is_told_again(wire: Wire, cast: Cast) -> None:
    place, first = await _answered(cast)
    elsewhere, _ = await _answered(cast)
    shown = [topic.room_member(place, cast.grace.id), topic.room_member(elsewhere, cast.linus.id), topic.room(place)]
    wire.shown = shown
    threads = FollowedThreads()
    threads.gap()
    await threads.tell()
    assert wire.sent == [(topic.user(cast.grace.id), {f"marks_rx_state_{first}": [0, 2, str(place)[:8]]})]


async def _answered(cast: Cast) -> tuple[UUID, str]:
    """A room in which Grace began a thread, and Ada replied twice."""
    place = await room(cast.grace, cast.ada)
    [first] = await say(cast.grace, place, "hello")
    for text in ("one", "two"):
        await post(cast.ada.actor, place, text, text, Answer(parent_id=UUID(first.id)))
    return place, first.id


async def test_who_was_put_out_of_a_room_hears_nothing_of_their_threads_there(wire: Wire, cast: Cast) -> None:
    ada, grace = cast.ada, cast.grace
    place = await room(grace, ada)
    [first] = await say(ada, place, "hello")
    await rooms.remove_member(grace.actor, place, ada.id)
    await post(grace.actor, place, "a reply", "hello yourself", Answer(parent_id=UUID(first.id)))
    threads = FollowedThreads()
    threads.hint(Hint("thread", place, thread=UUID(first.id), readers={ada.id: (0, 0), grace.id: (0, 1)}))
    await threads.tell()
    mark = {f"marks_rx_state_{first.id}": [1, 1, str(place)[:8]]}
    assert wire.sent == [(topic.user(grace.id), mark)]


def long_one(seq: int, parent: str) -> MessageSnapshot:
    said = MessageSnapshot(
        str(uuid4()), seq, seq, "", str(seq), "Ada", "long " * 1800, "2026-01-01T00:00:00Z", "", False
    )
    return said if not parent else MessageSnapshot(**{**vars(said), "parent_id": parent, "reply_seq": seq - 1})


async def test_a_thread_of_long_replies_comes_in_frames_that_a_slow_link_can_carry(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = LiveRoom(uuid4())
    monkeypatch.setattr(state, "_followed", lambda _: place)
    parent = long_one(1, "")
    page = Page(parent, tuple(long_one(seq, parent.id) for seq in range(2, 52)))
    await state._send(topic.room_thread(place.id, parent.id), place.id, page)
    frames = [values for _, values in wire.sent]
    shown = frames[-1]["shown_rx_state_0"]
    assert max(len(json.dumps(values, default=str)) for values in frames) < 64 * 1024
    assert {f"replies_rx_state_{number}" for number in (0, *range(shown.first, 51))} == {
        key for values in frames for key in values if key.startswith("replies")
    }
    assert 1 < shown.first < 50
