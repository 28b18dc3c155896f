"""Who is there: several tabs, several backends, and the few seconds that a reload takes."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from chatapp.presence.roster import AWAY, GRACE, OFFLINE, ONLINE, Roster
from tests.clock import Clock

ADA, GRACE_HOPPER = "a" * 8, "b" * 8


class Scene:
    def __init__(self) -> None:
        self.clock = Clock()
        self.roster = Roster(self.clock)

    def wait(self, seconds: float) -> None:
        self.clock.wait(seconds)
        self.roster.expire()

    @property
    def ada(self) -> str:
        return self.roster.status(ADA)


def test_a_person_is_online_while_any_tab_is_open() -> None:
    scene = Scene()
    scene.roster.arrived("1", ADA)
    scene.roster.arrived("2", ADA)
    scene.roster.left("1")
    scene.wait(60)
    assert scene.ada == ONLINE
    scene.roster.left("2")
    scene.wait(GRACE)
    assert scene.ada == OFFLINE


def test_a_reload_is_no_news() -> None:
    scene = Scene()
    scene.roster.arrived("1", ADA)
    assert scene.roster.take().all == {ADA: ONLINE}
    scene.roster.left("1")
    scene.wait(GRACE - 0.1)
    assert not scene.roster.take().all
    scene.roster.arrived("2", ADA)
    scene.wait(60)
    assert not scene.roster.take().all
    assert scene.ada == ONLINE


def test_who_does_not_come_back_is_offline_within_ten_seconds() -> None:
    scene = Scene()
    scene.roster.arrived("1", ADA)
    scene.roster.take()
    scene.roster.left("1")
    due = scene.roster.due()
    assert due is not None
    assert due - scene.clock() <= 10
    scene.clock.now = due
    scene.roster.expire()
    changes = scene.roster.take()
    assert changes.all == changes.own == {ADA: OFFLINE}
    assert scene.roster.seen(ADA) is not None


def test_a_tab_that_closes_twice_or_was_nobodys_changes_nothing() -> None:
    scene = Scene()
    scene.roster.left("never")
    scene.roster.set_away("never", away=True)
    assert not scene.roster.take().all
    scene.roster.arrived("1", ADA)
    scene.roster.left("1")
    due = scene.roster.due()
    scene.clock.wait(1)
    scene.roster.left("1")
    assert scene.roster.due() == due


def test_a_tab_that_becomes_somebody_elses_is_the_first_persons_no_more() -> None:
    scene = Scene()
    scene.roster.arrived("1", ADA)
    scene.roster.arrived("1", GRACE_HOPPER)
    scene.wait(GRACE)
    assert (scene.ada, scene.roster.status(GRACE_HOPPER)) == (OFFLINE, ONLINE)


def test_away_is_who_has_left_every_tab_alone() -> None:
    scene = Scene()
    scene.roster.arrived("1", ADA)
    scene.roster.arrived("2", ADA)
    scene.roster.set_away("1", away=True)
    assert scene.ada == ONLINE
    scene.roster.set_away("2", away=True)
    assert scene.ada == AWAY
    scene.roster.left("1")
    scene.roster.left("2")
    assert scene.ada == AWAY  # not online for the seconds of the grace
    scene.roster.arrived("3", ADA)
    assert scene.ada == ONLINE


def test_online_at_another_backend_is_online() -> None:
    scene = Scene()
    scene.roster.arrived("1", ADA)
    scene.roster.told("other", {ADA: ONLINE})
    scene.roster.take()
    scene.roster.left("1")
    scene.wait(GRACE)
    changes = scene.roster.take()
    assert (changes.own, changes.all) == ({ADA: OFFLINE}, {})
    scene.roster.told("other", {ADA: OFFLINE})
    assert scene.roster.take().all == {ADA: OFFLINE}


def test_a_backend_takes_its_people_with_it() -> None:
    scene = Scene()
    scene.roster.told("other", {ADA: ONLINE, GRACE_HOPPER: AWAY})
    scene.roster.told("third", {GRACE_HOPPER: ONLINE})
    scene.roster.take()
    assert scene.roster.forget("other") == {ADA, GRACE_HOPPER}
    assert scene.roster.take().all == {ADA: OFFLINE}
    assert scene.roster.forget("other") == set()


def test_a_whole_list_replaces_what_was_said_before() -> None:
    scene = Scene()
    scene.roster.told_all("other", {ADA: ONLINE})
    scene.roster.take()
    scene.roster.told_all("other", {GRACE_HOPPER: ONLINE})
    assert scene.roster.take().all == {ADA: OFFLINE, GRACE_HOPPER: ONLINE}
    scene.roster.told_all("other", {GRACE_HOPPER: ONLINE})
    assert not scene.roster.take().all


def test_a_status_nobody_knows_is_none() -> None:
    scene = Scene()
    scene.roster.told("other", {ADA: "on the moon"})
    assert scene.ada == OFFLINE


steps = st.lists(
    st.tuples(
        st.sampled_from(["arrived", "left", "away", "back", "told", "all", "forget", "wait", "take"]),
        st.sampled_from("123"),
        st.sampled_from([ADA, GRACE_HOPPER]),
    )
)


@given(steps)
def test_what_was_taken_adds_up_to_what_is(history: list[tuple[str, str, str]]) -> None:
    """Whoever applies every change in turn knows what the roster knows, and nothing is left over at the end."""
    scene, known = Scene(), dict[str, str]()
    happens: dict[str, Callable[[str, str], object]] = {
        "arrived": scene.roster.arrived,
        "left": lambda which, _: scene.roster.left(which),
        "away": lambda which, _: scene.roster.set_away(which, away=True),
        "back": lambda which, _: scene.roster.set_away(which, away=False),
        "told": lambda which, who: scene.roster.told(which, {who: ONLINE}),
        "all": lambda which, who: scene.roster.told_all(which, {who: AWAY}),
        "forget": lambda which, _: scene.roster.forget(which),
        "wait": lambda *_: scene.wait(GRACE / 2),
        "take": lambda *_: known.update(scene.roster.take().all),
    }
    for what, which, who in history:
        happens[what](which, who)
    known |= scene.roster.take().all
    for who in (ADA, GRACE_HOPPER):
        assert known.get(who, OFFLINE) == scene.roster.status(who)
    for which in "123":
        scene.roster.left(which)
        scene.roster.forget(which)
    scene.wait(GRACE)
    assert (scene.roster.here(), scene.roster.due()) == ({}, None)
