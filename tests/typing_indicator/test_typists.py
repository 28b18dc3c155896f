"""Who is typing, by a clock of the test's own."""

from __future__ import annotations

from uuid import uuid4

from chatapp.typing_indicator.typists import AGAIN, LASTS, MOST, Typists
from tests.clock import Clock

ROOM, ELSEWHERE = uuid4(), uuid4()


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.typists = Typists(self.clock)

    def wait(self, seconds: float) -> None:
        self.clock.wait(seconds)
        self.typists.expire()

    def news(self) -> list[tuple[str, bool]]:
        return [(each.user_id, each.typing) for each in self.typists.take_news()]


def test_typing_ends_three_seconds_after_the_last_press() -> None:
    scene = Scene()
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    scene.wait(2)
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    scene.wait(2.9)
    assert scene.typists.of(ROOM) == ["ada"]
    due = scene.typists.due()
    assert due is not None
    assert due - scene.clock() < LASTS
    scene.wait(0.2)
    assert scene.typists.of(ROOM) == []
    assert scene.typists.due() is None


def test_a_room_is_told_once_when_somebody_begins_and_once_when_they_stop() -> None:
    scene = Scene()
    for _ in range(5):
        scene.typists.pressed(ROOM, "ada", 7, "tab")
    assert scene.typists.take_changed() == {ROOM}
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    assert scene.typists.take_changed() == set()
    scene.typists.stopped(ROOM, "ada")
    assert scene.typists.take_changed(ELSEWHERE) == set()
    assert scene.typists.take_changed(ROOM) == {ROOM}
    assert scene.typists.take_changed() == set()


def test_other_backends_are_told_seldom_and_in_order() -> None:
    scene = Scene()
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    assert scene.news() == [("ada", True)]
    scene.clock.wait(AGAIN - 0.1)
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    assert scene.news() == []
    scene.clock.wait(0.2)
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    scene.typists.stopped(ROOM, "ada")
    assert scene.news() == [("ada", False)]  # the last word counts


def test_what_another_backend_said_is_not_said_again() -> None:
    scene = Scene()
    scene.typists.pressed(ROOM, "ada", 7)
    scene.typists.stopped(ROOM, "ada", own=False)
    assert scene.news() == []


def test_only_a_message_that_came_after_the_first_key_ends_typing() -> None:
    scene = Scene()
    scene.typists.pressed(ROOM, "ada", 7, "tab")
    scene.typists.said(ROOM, "ada", 7)  # an older one of hers, edited or reacted to
    scene.typists.said(ROOM, "grace", 8)
    scene.typists.said(ELSEWHERE, "ada", 9)
    assert scene.typists.of(ROOM) == ["ada"]
    scene.typists.said(ROOM, "ada", 8)
    assert scene.typists.of(ROOM) == []


def test_a_closed_tab_types_no_more_and_others_go_on() -> None:
    scene = Scene()
    scene.typists.pressed(ROOM, "ada", 7, "hers")
    scene.typists.pressed(ROOM, "grace", 7, "other")
    scene.news()
    scene.typists.left("hers")
    assert scene.typists.of(ROOM) == ["grace"]
    assert scene.news() == [("ada", False)]


def test_a_room_has_a_bounded_number_of_typists() -> None:
    scene = Scene()
    for number in range(MOST + 10):
        scene.typists.pressed(ROOM, str(number), 7, "tab")
    assert len(scene.typists.of(ROOM)) == MOST
    scene.wait(LASTS)
    assert scene.typists.of(ROOM) == []
