"""What a list said when it was sent, and whether it would say something else now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chatapp import shared
from chatapp.actor import Actor
from chatapp.messages import actions as messages
from chatapp.realtime import topic
from chatapp.rooms import state
from chatapp.rooms.state import outdated, send_list
from tests.cast import Cast, room, say, someone
from tests.conftest import Sql


class Wire:
    """Tabs that are in no room but their person's."""

    def __init__(self) -> None:
        self.to: list[str] = []
        self.view: dict[str, Any] = {}

    async def emit(self, to: str, message: shared.Update) -> None:
        self.to.append(to)
        for values in message["delta"].values():
            self.view.update(values)

    async def enter(self, sid: str, name: str) -> bool:
        return True

    def tabs(self, to: str) -> list[str]:
        return ["sid 1", "sid 2"] if to.startswith("user:") else [to]

    def rooms_of(self, sid: str) -> list[str]:
        return []


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire()
    monkeypatch.setattr(shared, "wire", lambda: made)
    monkeypatch.setattr(state, "_sent", {})
    return made


@pytest.mark.parametrize(
    "change",
    [
        "update chat_rooms set name = 'Other' where id = %(room)s",
        "update chat_rooms set archived_at = now() where id = %(room)s",
        "update room_members set role = 'admin' where room_id = %(room)s and user_id = %(me)s",
        "delete from room_members where room_id = %(room)s and user_id = %(me)s",
        "delete from chat_rooms where id = %(room)s",
    ],
)
async def test_a_list_is_outdated_by_what_it_says_and_by_nothing_else(wire: Wire, psql: Sql, change: str) -> None:
    ada, grace = await someone("Ada"), await someone("Grace")
    place = await room(ada, grace, private=True)
    await room(grace)
    me = Actor(grace.id, "")
    await send_list(me, to="sid 1")
    await say(ada, place, "how far it is goes out beside it")
    await say(grace, place, "and so do markers")
    assert await outdated({grace.id, ada.id}) == set()
    await psql.execute(change, {"room": place, "me": grace.id})
    assert await outdated({grace.id}) == {grace.id}
    await send_list(me, to="sid 1")
    assert wire.to == ["sid 1", topic.user(grace.id)]  # the other tab has missed it too
    assert await outdated({grace.id}) == set()
    await outdated(set())
    assert state._sent == {}


async def test_a_list_takes_back_the_mentions_that_a_tab_did_not_hear_of_being_taken_back(
    wire: Wire, cast: Cast
) -> None:
    ada, grace = cast.ada, cast.grace
    place = await room(ada, grace)
    [named] = await say(ada, place, f"look, @{grace.name}")
    await send_list(grace.actor, to="sid 1")
    assert wire.view[f"mentions_rx_state_{place}"] == [1]
    await messages.delete(ada.actor, UUID(named.id))  # its hint is lost
    await send_list(grace.actor, to="sid 1")
    assert wire.view[f"mentions_rx_state_{place}"] == []
