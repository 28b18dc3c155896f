"""Whatever changes a room travels as its messages do: at once, as one small delta, to its members and nobody else."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from chatapp.messages import actions as messages
from chatapp.reactions import actions as reactions
from chatapp.rooms import queries as rooms
from tests.cast import Someone, say
from tests.tab import MESSAGE_TOOLS, OPEN_ROOM, REACTIONS, ROOM_LIST, RUN_ROOM, TIMELINE, Tab

from .conftest import Company, Place

HUNDRED = "x" * 100
MOST_BYTES = 600


async def both_see(ada: Tab, grace: Tab, condition: Any) -> None:
    for tab in (ada, grace):
        await tab.until(condition)


async def said(place: Place, ada: Tab, grace: Tab, text: str = HUNDRED) -> str:
    """Ada has said something, and both have it; answers its id."""
    await ada.send(place.id, text)
    await both_see(ada, grace, lambda tab: text in tab.texts)
    return str(ada.rows[-1]["id"])


def given(tab: Tab) -> list[tuple[str, int]]:
    """The reactions at the last message."""
    return [(one["emoji"], one["count"]) for one in tab.rows[-1].get("reactions", [])]


def member(tab: Tab, user_id: str) -> dict[str, Any]:
    return next((one for one in tab.shared(OPEN_ROOM, "members") or [] if one["id"] == user_id), {})


async def test_what_is_done_to_a_message_is_in_both_tabs(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        message = await said(place, ada, grace)
        await ada.call(f"{MESSAGE_TOOLS}.edit", message_id=message, content="other words")
        await both_see(ada, grace, lambda tab: tab.texts == ["other words"] and tab.rows[0].get("edited"))
        for tab in (grace, ada):
            await tab.call(f"{REACTIONS}.give", message_id=message, emoji="👍", on=True)
        await both_see(ada, grace, lambda tab: given(tab) == [("👍", 2)])
        await grace.call(f"{REACTIONS}.give", message_id=message, emoji="👍", on=False)
        await both_see(ada, grace, lambda tab: given(tab) == [("👍", 1)])
        await ada.call(f"{REACTIONS}.give", message_id=message, emoji="👍")
        await both_see(ada, grace, lambda tab: given(tab) == [])
        await grace.call(f"{MESSAGE_TOOLS}.pin", message_id=message, pinned=True)
        await both_see(ada, grace, lambda tab: [pin["id"] for pin in tab.shared(TIMELINE, "pins")] == [message])
        await both_see(ada, grace, lambda tab: tab.rows[0].get("pinned"))
        await ada.call(f"{MESSAGE_TOOLS}.delete", message_id=message)
        await both_see(ada, grace, lambda tab: tab.rows[0].get("deleted") and tab.shared(TIMELINE, "pins") == [])
        assert ada.rows == grace.rows


async def test_what_is_done_to_a_room_is_in_both_tabs(place: Place) -> None:
    grace_id, ada_id = place.user_id("grace"), place.user_id("ada")
    async with place.tabs("ada", "grace") as (ada, grace):
        form = {"name": "Engine room", "description": "Oil and steam"}
        await ada.call(f"{RUN_ROOM}.describe", room_id=place.id, form=form)
        await both_see(ada, grace, lambda tab: tab.shared(OPEN_ROOM, "room")["name"] == "Engine room")
        await grace.until(lambda tab: "Engine room" in [room["name"] for room in tab.shared(ROOM_LIST, "rooms")])
        await ada.call(f"{RUN_ROOM}.change_role", room_id=place.id, user_id=grace_id, role="admin")
        await both_see(ada, grace, lambda tab: member(tab, grace_id)["role"] == "admin")
        await ada.call(f"{RUN_ROOM}.change_role", room_id=place.id, user_id=grace_id, role="owner")
        await both_see(ada, grace, lambda tab: member(tab, grace_id)["role"] == "owner")
        assert member(grace, ada_id)["role"] == "admin"
        for archived in (True, False):
            await grace.call(f"{RUN_ROOM}.archive", room_id=place.id, archived=archived)
            await both_see(ada, grace, lambda tab, it=archived: tab.shared(OPEN_ROOM, "room")["archived"] is it)
        await grace.call(f"{RUN_ROOM}.delete", room_id=place.id)
        await both_see(ada, grace, lambda tab: "/chat" in tab.redirects)
        await grace.until(lambda tab: place.id not in [room["id"] for room in tab.shared(ROOM_LIST, "rooms")])


async def test_a_reaction_written_by_hand_comes_alive(place: Place, company: Company) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        message = await said(place, ada, grace)
        with psycopg.connect(company.owner_url, autocommit=True) as psql:
            row = (message, place.user_id("grace"), "🎉")
            psql.execute("insert into message_reactions (message_id, user_id, emoji) values (%s, %s, %s)", row)
            await both_see(ada, grace, lambda tab: given(tab) == [("🎉", 1)])
            psql.execute("delete from message_reactions where message_id = %s", (message,))
            await both_see(ada, grace, lambda tab: given(tab) == [])


async def test_a_tab_that_comes_later_has_all_of_it(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        message = await said(place, ada, grace)
        await ada.call(f"{REACTIONS}.give", message_id=message, emoji="👍", on=True)
        await ada.call(f"{MESSAGE_TOOLS}.pin", message_id=message, pinned=True)
        await both_see(ada, grace, lambda tab: given(tab) == [("👍", 1)] and tab.shared(TIMELINE, "pins"))
        async with place.tabs("grace") as (later,):
            await later.until(lambda tab: tab.rows == grace.rows)
            assert later.shared(TIMELINE, "pins") == grace.shared(TIMELINE, "pins")


async def test_each_change_is_one_small_frame(place: Place) -> None:
    """GOALS P4, of a message of 100 bytes: what goes to every tab in the room."""
    async with place.tabs("ada", "grace") as (ada, grace):
        await grace.until(lambda tab: tab.shared(ROOM_LIST, "rooms") is not None)  # the last that a page loads
        message = await said(place, ada, grace)
        (frame,) = about(message, grace.raw)
        sizes = {"message": size(frame)}
        steps: dict[str, tuple[str, dict[str, Any], Any]] = {
            "edit": (f"{MESSAGE_TOOLS}.edit", {"content": "y" * 100}, lambda tab: tab.texts == ["y" * 100]),
            "reaction": (f"{REACTIONS}.give", {"emoji": "👍", "on": True}, lambda tab: given(tab) == [("👍", 1)]),
            "delete": (f"{MESSAGE_TOOLS}.delete", {}, lambda tab: tab.rows[0].get("deleted")),
        }
        for name, (handler, values, done) in steps.items():
            before = len(grace.raw)
            await ada.call(handler, message_id=message, **values)
            await grace.until(done)
            (frame,) = about(message, grace.raw[before:])
            sizes[name] = size(frame)
        assert max(sizes.values()) <= MOST_BYTES, sizes
        print(sizes)  # noqa: T201 - the figures of GOALS P4, for whoever runs this with -s


def about(message: str, frames: list[str]) -> list[str]:
    """Those that carry a message: who is there, and what was read, may be told at any moment."""
    return [frame for frame in frames if message in frame]


def size(frame: str) -> int:
    return len(frame.encode())


async def test_a_tab_far_back_is_told_of_changes_to_what_it_shows(place: Place) -> None:
    await place.write(700)
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.until(lambda tab: len(tab.rows) == 50)
        while not (ada.shared(TIMELINE, "window") or {}).get("last"):
            await ada.load_older()
        old, shown = ada.rows[0], len(ada.rows)
        await grace.call(f"{REACTIONS}.give", message_id=old["id"], emoji="👍", on=True)
        await ada.until(lambda tab: tab.rows[0].get("reactions"))
        assert len(ada.rows) == shown
        await grace.send(place.id, "news")
        await ada.until(lambda tab: tab.shared(TIMELINE, "newest") == 701)
        assert "news" not in str(ada.raw[-1])


@pytest.mark.parametrize("times", range(3))
async def test_a_removed_members_socket_gets_not_one_byte_more(place: Place, company: Company, times: int) -> None:
    """GOALS G5, while the room is busy with every kind of change."""
    cast = company.cast
    await place.join("linus")
    first, *_ = await say(cast.ada, place.room_id, "to begin with", "and more")
    async with place.tabs("ada", "grace") as (ada, grace):
        busy = asyncio.create_task(keep_busy(cast.linus, place, UUID(first.id)))
        await grace.until(lambda tab: len(tab.rows) >= 4 + times)
        await ada.call(f"{RUN_ROOM}.remove", room_id=place.id, user_id=place.user_id("grace"))
        await grace.until(lambda tab: "/chat" in tab.redirects, seconds=5)
        goodbye = next(n for n, raw in enumerate(grace.raw) if "You are no longer in this room" in raw)
        seen = len(ada.rows)
        await ada.until(lambda tab: len(tab.rows) > seen + 5)
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)
        await ada.call(f"{RUN_ROOM}.describe", room_id=place.id, form={"name": "Renamed without her"})
        await ada.until(lambda tab: tab.shared(OPEN_ROOM, "room")["name"] == "Renamed without her")
        await grace.call(f"{REACTIONS}.give", message_id=first.id, emoji="👀", on=True)
        await grace.until(lambda tab: "Not found" in tab.toasts)  # whatever was on its way has come by now
        for word in (place.id, place.id[:8], "busy", "Renamed without her"):
            assert word not in "".join(grace.raw[goodbye + 1 :]), word


async def keep_busy(who: Someone, place: Place, message_id: UUID) -> None:
    number = 0
    while True:
        number += 1
        (mine,) = await say(who, place.room_id, f"busy {number}")
        await reactions.flip(who.actor, message_id, "👍")
        await messages.edit(who.actor, UUID(mine.id), f"busy {number} edited")
        await messages.pin(who.actor, message_id, number % 2 == 0)
        if number % 3 == 0:
            await messages.delete(who.actor, UUID(mine.id))


async def test_an_outsiders_changes_are_refused_as_if_nothing_were_there(place: Place, company: Company) -> None:
    (hello,) = await say(company.cast.ada, place.room_id, "hello")
    async with company.tab("linus", "/chat") as linus:
        calls: list[tuple[str, dict[str, Any]]] = [
            (f"{MESSAGE_TOOLS}.edit", {"content": "mine"}),
            (f"{MESSAGE_TOOLS}.delete", {}),
            (f"{MESSAGE_TOOLS}.pin", {"pinned": True}),
            (f"{REACTIONS}.give", {"emoji": "👍", "on": True}),
            (f"{REACTIONS}.give", {"emoji": "👍"}),
        ]
        for number, (handler, values) in enumerate(calls):
            told = [await answer(linus, handler, message_id=id_, **values) for id_ in (hello.id, str(uuid4()))]
            assert told[0] == told[1], number
            assert "Not found" in told[0]
        for handler, values in (
            ("describe", {"form": {"name": "Mine now"}}),
            ("archive", {"archived": True}),
            ("delete", {}),
            ("change_role", {"user_id": place.user_id("grace"), "role": "owner"}),
            ("remove", {"user_id": place.user_id("grace")}),
        ):
            await linus.call(f"{RUN_ROOM}.{handler}", room_id=place.id, **values)
        await linus.until(lambda tab: tab.toasts.count("Not a member of this room") >= 4)
        await linus.until(lambda tab: tab.var(RUN_ROOM, "error") == "Not a member of this room")
    assert (await rooms.room(company.cast.ada.actor, place.room_id)).members == 2


async def answer(tab: Tab, handler: str, **values: Any) -> str:
    events = len(tab.events)
    await tab.call(handler, **values)
    await tab.until(lambda tab: len(tab.events) > events)
    return json.dumps([event["payload"] for event in tab.events[events:]])
