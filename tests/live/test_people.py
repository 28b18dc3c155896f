"""Who is there and who is typing, at the sockets of the real app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from tests.tab import STATE, Tab, state_name

from .conftest import Company, Place

PRESENCE = state_name("presence.state", "presence")
TYPING = state_name("typing_indicator.state", "typing")


def statuses(tab: Tab) -> dict[str, str]:
    """What the open room's tabs know of people's presence."""
    parts = tab.state.get(PRESENCE, {})
    return {
        who: status for name, part in parts.items() if name.startswith("people") for who, status in (part or {}).items()
    }


def typists(tab: Tab) -> list[str]:
    return [typist["name"] for typist in tab.shared(TYPING, "typists") or []]


def told_of(tab: Tab, user_id: str) -> list[str]:
    """Every status of somebody that this tab was ever told, in order."""
    parts = [
        part
        for frame in tab.frames
        for name, part in ((frame.get("delta") or {}).get(PRESENCE) or {}).items()
        if name.startswith("people") and part and user_id in part
    ]
    return [part[user_id] for part in parts]


@asynccontextmanager
async def another(place: Place, name: str) -> AsyncIterator[Tab]:
    """One more tab of somebody's, closed in the end if it isn't yet."""
    tab = await place.tab(name)
    try:
        yield tab
    finally:
        await tab.close()


async def test_a_room_sees_who_comes_and_goes(place: Place) -> None:
    grace_id = place.user_id("grace")
    async with place.tabs("ada") as (ada,):
        assert statuses(ada)[place.user_id("ada")] == "online"
        await ada.until(lambda tab: statuses(tab).get(grace_id) != "online", seconds=15)  # of an earlier test
        async with another(place, "grace"):
            await ada.until(lambda tab: statuses(tab).get(grace_id) == "online")
        await ada.until(lambda tab: statuses(tab)[grace_id].endswith("Z"), seconds=10)


async def test_a_reload_and_a_second_tab_are_no_news(place: Place) -> None:
    grace_id = place.user_id("grace")
    async with place.tabs("ada") as (ada,):
        async with another(place, "grace"):
            await ada.until(lambda tab: statuses(tab).get(grace_id) == "online")
            await (await place.tab("grace")).close()
        async with another(place, "grace"):  # a reload: closed, and open again
            seen = len(told_of(ada, grace_id))
            await ada.send(place.id, "still there?")
            await ada.until(lambda tab: "still there?" in tab.texts)
            assert set(told_of(ada, grace_id)[seen - 1 :]) == {"online"}


async def test_away_is_told_and_taken_back(place: Place) -> None:
    grace_id = place.user_id("grace")
    async with place.tabs("ada", "grace") as (ada, grace):
        await grace.call(f"{PRESENCE}.leave_alone", away=True)
        await ada.until(lambda tab: statuses(tab).get(grace_id) == "away")
        async with another(place, "grace"):  # a second tab, in use
            await ada.until(lambda tab: statuses(tab).get(grace_id) == "online")


async def test_signing_out_is_going(place: Place, company: Company) -> None:
    linus_id = place.user_id("linus")
    await place.join("linus")
    cookie = await company.sign_in("linus")
    async with place.tabs("ada") as (ada,):
        linus = await Tab(company.url, cookie).open(f"/chat/{place.id}")
        await ada.until(lambda tab: statuses(tab).get(linus_id) == "online")
        await linus.call(f"{STATE}.chatapp___accounts___state____viewer.sign_out")
        await ada.until(lambda tab: statuses(tab)[linus_id] != "online", seconds=10)
        await linus.close()


async def test_nobody_is_told_of_people_they_share_no_room_with(place: Place, company: Company) -> None:
    async with company.tab("linus", "/chat") as linus:
        await linus.until(lambda tab: tab.var(PRESENCE, "socket"))
        async with place.tabs("ada", "grace") as (ada, grace):
            await ada.until(lambda tab: statuses(tab).get(place.user_id("grace")) == "online")
            assert place.user_id("linus") not in json.dumps(ada.state.get(PRESENCE))
            await grace.call(f"{TYPING}.press", room_id=place.id)
            await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
        assert statuses(linus) == {}
        assert place.user_id("ada") not in json.dumps(linus.frames)
        assert place.user_id("grace") not in json.dumps(linus.frames)


async def test_who_is_removed_is_told_no_more_and_talked_of_no_more(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.until(lambda tab: statuses(tab).get(place.user_id("grace")) == "online")
        await grace.call(f"{TYPING}.press", room_id=place.id)
        await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
        await place.remove("grace")
        await grace.until(lambda tab: "/chat" in tab.redirects)
        await ada.until(lambda tab: place.user_id("grace") not in statuses(tab) and not typists(tab))
        frames = len(grace.frames)
        async with another(place, "ada") as second:
            await second.call(f"{TYPING}.press", room_id=place.id)
            await ada.until(lambda tab: typists(tab) == ["Ada Lovelace"])
        assert place.user_id("ada") not in json.dumps(grace.frames[frames:])


async def test_going_is_written_down(place: Place, company: Company) -> None:
    async with another(place, "grace"):
        before = await last_seen(company, place.user_id("grace"))
    async with asyncio.timeout(15):
        while await last_seen(company, place.user_id("grace")) == before:  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.1)


async def test_typing_is_seen_by_the_others_and_ends_by_itself(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await grace.call(f"{TYPING}.press", room_id=place.id)
        await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
        await ada.until(lambda tab: typists(tab) == [], seconds=8)


async def test_typing_ends_with_the_message_in_the_same_delta(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await grace.call(f"{TYPING}.press", room_id=place.id)
        await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
        await grace.send(place.id, "there you are")
        await ada.until(lambda tab: "there you are" in tab.texts)
        assert typists(ada) == []


async def test_typing_ends_when_told_to_and_when_the_tab_closes(place: Place) -> None:
    async with place.tabs("ada") as (ada,):
        async with another(place, "grace") as grace:
            await grace.call(f"{TYPING}.press", room_id=place.id)
            await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
            await grace.call(f"{TYPING}.stop", room_id=place.id)
            await ada.until(lambda tab: typists(tab) == [], seconds=2)
            await grace.call(f"{TYPING}.press", room_id=place.id)
            await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
        await ada.until(lambda tab: typists(tab) == [], seconds=2)


async def test_who_comes_later_sees_who_is_typing_and_who_is_there(place: Place) -> None:
    async with place.tabs("grace") as (grace,):
        await grace.call(f"{TYPING}.press", room_id=place.id)
        await grace.until(lambda tab: typists(tab) == ["Grace Hopper"])
        async with another(place, "ada") as ada:
            assert typists(ada) == ["Grace Hopper"]
            assert statuses(ada)[place.user_id("grace")] == "online"


@pytest.mark.parametrize("handler", ["press", "stop"])
async def test_an_outsider_cannot_type_in_a_room(place: Place, company: Company, handler: str) -> None:
    async with place.tabs("ada", "grace") as (ada, grace), company.tab("linus", "/chat") as linus:
        await grace.call(f"{TYPING}.press", room_id=place.id)
        await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
        await linus.call(f"{TYPING}.{handler}", room_id=place.id)
        await linus.until(lambda tab: "Not a member of this room" in tab.toasts)
        await grace.send(place.id, "fence")
        await ada.until(lambda tab: "fence" in tab.texts)
        assert "Linus" not in json.dumps([frame for frame in ada.frames if TYPING in (frame.get("delta") or {})])


async def test_a_tab_in_which_nothing_happens_gets_no_frames(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await grace.call(f"{TYPING}.press", room_id=place.id)
        await ada.until(lambda tab: typists(tab) == ["Grace Hopper"])
        await ada.until(lambda tab: typists(tab) == [], seconds=8)
        quiet = len(ada.frames)
        # As long as it takes somebody else, elsewhere, to come, be seen, and go.
        async with place.company.tab("linus", "/chat") as linus:
            await linus.until(lambda tab: tab.var(PRESENCE, "socket"))
        assert ada.frames[quiet:] == []


async def last_seen(company: Company, user_id: str) -> object:
    async with await psycopg.AsyncConnection.connect(company.owner_url) as connection:
        row = await (await connection.execute("select last_seen_at from profiles where id = %s", [user_id])).fetchone()
    return row[0] if row else None
