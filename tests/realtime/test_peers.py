"""Which backends are there, and what is remembered of those that went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatapp.realtime.peers import ABSENCE, BACKENDS_LIMIT, Peers
from tests.clock import Clock


class Backend:
    """One process's view of the others, with everything it was told and said."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.peers = Peers(self.clock, "me")
        self.met, self.parted, self.heard = 0, list[str](), list[str]()
        self.said: list[Mapping[str, Any]] = []
        self.peers.on_meeting(self._meet)
        self.peers.on_parting(self.parted.append)
        self.peers.on("word", lambda sender, content: self.heard.append(f"{sender}: {content['word']}"))
        self.peers.speak_through(self.said.append)

    def _meet(self) -> None:
        self.met += 1

    def sees(self, *backends: str) -> None:
        self.peers.present(frozenset(backends))

    def hears(self, sender: str) -> None:
        self.peers.heard({"from": sender, "kind": "word", "word": "hello"})

    def wait(self, seconds: float) -> None:
        self.clock.wait(seconds)
        self.peers.expire()


def test_whoever_is_new_is_met_once() -> None:
    backend = Backend()
    backend.sees("me")
    assert backend.met == 0
    backend.sees("me", "other")
    backend.sees("me", "other")
    assert backend.met == 1
    backend.sees("me", "other", "third")
    assert backend.met == 2


def test_coming_back_oneself_is_meeting_everybody() -> None:
    backend = Backend()
    backend.sees("me", "other")
    backend.sees("other")  # the first thing that a new connection is told
    backend.sees("me", "other")
    assert backend.met == 2


def test_a_backend_that_left_is_parted_with_after_a_while() -> None:
    backend = Backend()
    backend.sees("me", "other")
    backend.sees("me")
    backend.wait(ABSENCE - 0.1)
    assert backend.parted == []
    due = backend.peers.due()
    assert due is not None
    backend.wait(due - backend.clock())
    assert backend.parted == ["other"]
    assert backend.peers.due() is None


def test_a_backend_that_is_back_soon_is_not_parted_with_and_is_met_again() -> None:
    backend = Backend()
    backend.sees("me", "other")
    backend.sees("me")
    backend.wait(ABSENCE / 2)
    backend.sees("me", "other")
    backend.wait(60)
    assert backend.parted == []
    assert backend.met == 2


def test_what_is_heard_before_its_sender_is_seen_is_kept_and_forgotten_if_it_never_is() -> None:
    backend = Backend()
    backend.sees("me")
    backend.hears("early")
    backend.hears("ghost")
    backend.sees("me", "early")
    backend.wait(ABSENCE)
    assert backend.heard == ["early: hello", "ghost: hello"]
    assert backend.parted == ["ghost"]


def test_one_hears_neither_oneself_nor_what_one_does_not_know() -> None:
    backend = Backend()
    backend.hears("me")
    backend.peers.heard({"from": "other", "kind": "something newer"})
    assert backend.heard == []
    assert backend.peers.due() is None


def test_nothing_is_said_to_nobody() -> None:
    backend = Backend()
    backend.peers.say("word", {"word": "hello"})
    backend.sees("me")
    backend.peers.say("word", {"word": "hello"})
    assert backend.said == []
    backend.sees("me", "other")
    backend.peers.say("word", {"word": "hello"})
    assert backend.said == [{"from": "me", "kind": "word", "word": "hello"}]


def test_strangers_are_bounded() -> None:
    backend = Backend()
    for number in range(BACKENDS_LIMIT + 5):
        backend.hears(str(number))
    assert len(backend.heard) == BACKENDS_LIMIT
