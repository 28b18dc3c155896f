"""Who is calling: asked of the sessions, patiently where a page opens, and followed from the first call on."""

from __future__ import annotations

from uuid import uuid4

import pytest
import reflex as rx
from reflex.event import Event
from reflex.state import StateUpdate
from reflex_base.registry import RegistrationContext

from chatapp import chatapp, gate
from chatapp.actor import Actor
from chatapp.errors import Unavailable
from tests.tab import SIGN_IN, TAB, VIEWER

ADA = Actor(uuid4(), "ada")
PAGE, ACTION, PUBLIC = f"{TAB}.open_room", f"{VIEWER}.sign_out", f"{SIGN_IN}.arrive"


class Door:
    """A gate before the app's real handlers, and whom it asks: sessions that know one cookie and may be away."""

    def __init__(self, away: int = 0) -> None:
        self.away, self.asked = away, 0
        self.followed: list[tuple[str, Actor]] = []
        self._gate = gate.Gate(self._resolve, self._follow)

    async def call(self, handler: str, cookie: str = "chatapp_session=ada", origin: str = "") -> StateUpdate | None:
        RegistrationContext.ensure_context()
        root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]  # Reflex's own way to make one, undeclared
        root.router_data = {"sid": "tab-1", "headers": {"cookie": cookie, "origin": origin}}
        return await self._gate.preprocess(chatapp.app, root, Event(name=handler, payload={}))

    async def _resolve(self, value: str) -> Actor | None:
        self.asked += 1
        if self.asked <= self.away:
            raise Unavailable("The database does not answer. Please try again.")
        return ADA if value == "ada" else None

    async def _follow(self, sid: str, actor: Actor) -> None:
        self.followed.append((sid, actor))


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PAUSES", tuple(pause / 100 for pause in gate.PAUSES))


@pytest.mark.parametrize("handler", [PAGE, ACTION, PUBLIC])
async def test_a_tab_is_followed_from_whatever_it_calls_first(handler: str) -> None:
    door = Door()
    assert await door.call(handler) is None
    assert door.followed == [("tab-1", ADA)]


@pytest.mark.parametrize("cookie", ["", "chatapp_session=somebody", "other=ada"])
async def test_a_stranger_is_not_followed(cookie: str) -> None:
    door = Door()
    assert told(await door.call(ACTION, cookie)) == "Unauthorized"
    assert await door.call(PUBLIC, cookie) is None
    assert door.followed == []


@pytest.mark.usefixtures("short_pauses")
async def test_a_page_waits_for_a_database_that_restarts() -> None:
    door = Door(away=len(gate.PAUSES))
    assert await door.call(PAGE) is None
    assert door.asked == len(gate.PAUSES) + 1


@pytest.mark.usefixtures("short_pauses")
async def test_a_page_does_not_wait_for_ever() -> None:
    door = Door(away=1000)
    assert "does not answer" in told(await door.call(PAGE))
    assert door.asked == len(gate.PAUSES) + 1


async def test_an_action_does_not_wait() -> None:
    # It would hold its tab's lock, and a person who clicked can click again.
    door = Door(away=1)
    assert "does not answer" in told(await door.call(ACTION))
    assert (door.asked, door.followed) == (1, [])


@pytest.mark.parametrize(
    ("cookie", "origin", "known"),
    [
        ("__Host-chatapp_session=ada", "https://chat.example", True),
        ("chatapp_session=ada", "https://chat.example", False),  # planted by evil.chat.example, perhaps
        ("chatapp_session=ada", "http://localhost:3000", True),
        ("chatapp_session=ada", "", True),
    ],
)
async def test_on_https_only_a_cookie_that_nobody_can_plant_counts(cookie: str, origin: str, known: bool) -> None:
    door = Door()
    refusal = await door.call(ACTION, cookie, origin)
    assert (refusal is None) == known
    assert bool(door.asked) == known


def told(update: StateUpdate | None) -> str:
    """What a refusal says, '' for none."""
    said = str(update.events) if update else ""
    return next((sentence for sentence in ("Unauthorized", "does not answer") if sentence in said), "")
