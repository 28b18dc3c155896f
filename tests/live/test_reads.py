"""What is unread and who has seen what, at real sockets: alike in all tabs of one person, shown only where it may."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import psycopg
import pytest

from chatapp.accounts import actions as accounts
from chatapp.rooms import queries as rooms
from tests.tab import ROOM_LIST, SUFFIX, Tab, state_name

from .conftest import Company, Place

READ_MARKERS = state_name("receipts.state", "read_markers")


def unread(tab: Tab, room_id: str) -> int | None:
    """What the browser counts: see `merged` in assets/unread.js."""
    found = [room for room in tab.shared(ROOM_LIST, "rooms") or [] if room["id"] == room_id]
    if not found:
        return None
    seq, turn = tab.var(ROOM_LIST, "marks", room_id) or (0, 0)
    mark = max((found[0]["read_turn"], found[0]["read_seq"]), (turn, seq))
    return max(0, max(found[0]["last_seq"], head(tab, room_id)) - mark[1])


def markers(tab: Tab) -> dict[str, int]:
    """How far others have read, by short id, as this tab was told."""
    found = tab.state.get(READ_MARKERS, {})
    prefix = f"markers{SUFFIX}"
    return {key.removeprefix(prefix): value[1] for key, value in found.items() if key.startswith(prefix) and value}


def short(user_id: str) -> str:
    return user_id[:13].replace("-", "")


async def see(tab: Tab, place: Place, seq: int, turn: int = 0) -> None:
    await tab.call(f"{READ_MARKERS}.advance", room_id=place.id, seq=seq, turn=turn)


async def stored(place: Place, name: str) -> tuple[int, int]:
    async with await psycopg.AsyncConnection.connect(place.company.owner_url) as connection:
        row = await connection.execute(
            "select read_turn, read_seq from room_members where room_id = %s and user_id = %s",
            (place.id, place.user_id(name)),
        )
        found = await row.fetchone()
    assert found
    return found[0], found[1]


async def test_counts_agree_in_all_tabs_of_a_person(place: Place, company: Company) -> None:
    async with company.tab("grace", "/chat") as elsewhere, place.tabs("ada", "grace") as (ada, grace):
        await elsewhere.until(lambda tab: unread(tab, place.id) == 0)
        for text in ("one", "two", "three"):
            await ada.send(place.id, text)
        await elsewhere.until(lambda tab: unread(tab, place.id) == 3)
        await grace.until(lambda tab: len(tab.texts) == 3)
        await see(grace, place, 2)
        await elsewhere.until(lambda tab: unread(tab, place.id) == 1)
        await see(grace, place, 1)  # never back
        await see(grace, place, 3)
        await elsewhere.until(lambda tab: unread(tab, place.id) == 0)
        assert await stored(place, "grace") == (0, 3)


async def test_what_i_write_is_not_unread_for_me(place: Place, company: Company) -> None:
    async with company.tab("ada", "/chat") as elsewhere, place.tabs("ada") as (ada,):
        await elsewhere.until(lambda tab: unread(tab, place.id) == 0)
        await ada.send(place.id, "mine")
        await elsewhere.until(lambda tab: head(tab, place.id) == 1)
        await elsewhere.until(lambda tab: unread(tab, place.id) == 0)


async def test_marking_as_unread_reaches_all_tabs_and_outlives_a_late_report(place: Place, company: Company) -> None:
    async with company.tab("grace", "/chat") as elsewhere, place.tabs("ada", "grace") as (ada, grace):
        for text in ("one", "two", "three"):
            await ada.send(place.id, text)
        await grace.until(lambda tab: len(tab.texts) == 3)
        await see(grace, place, 3)
        await elsewhere.until(lambda tab: unread(tab, place.id) == 0 and len(tab.frames) > 1)
        await grace.call(f"{READ_MARKERS}.mark_unread", room_id=place.id, seq=2)
        await elsewhere.until(lambda tab: unread(tab, place.id) == 2)
        await see(grace, place, 3, turn=0)
        await see(ada, place, 3)
        await grace.until(lambda tab: markers(tab).get(short(place.user_id("ada"))) == 3)
        assert await stored(place, "grace") == (1, 1)
        await see(grace, place, 3, turn=1)
        await elsewhere.until(lambda tab: unread(tab, place.id) == 0)


async def test_others_see_how_far_i_have_read(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, "hello")
        await grace.until(lambda tab: tab.texts == ["hello"])
        frames = len(ada.frames)
        await see(grace, place, 1)
        await ada.until(lambda tab: markers(tab).get(short(place.user_id("grace"))) == 1)
        told = [frame for frame in ada.frames[frames:] if READ_MARKERS in (frame.get("delta") or {})]
        marks = [mark for frame in told for mark in frame["delta"][READ_MARKERS].values()]
        assert marks.count([place.id[:8], 1]) == len(marks) <= 2  # Ada's own moves, too
        assert len(json.dumps(told)) < 1200
    async with place.tabs("ada") as (late,):  # the same in a tab that opens afterwards
        assert markers(late)[short(place.user_id("grace"))] == 1


async def test_outsiders_hear_nothing_and_move_nothing(place: Place, company: Company) -> None:
    async with company.tab("linus", "/chat") as linus, place.tabs("ada", "grace") as (ada, grace):
        await linus.until(lambda tab: tab.shared(ROOM_LIST, "rooms") is not None)
        await ada.send(place.id, "hello")
        await grace.until(lambda tab: tab.texts == ["hello"])
        await see(linus, place, 1)
        await linus.call(f"{READ_MARKERS}.mark_unread", room_id=place.id, seq=1)
        await see(grace, place, 1)
        await ada.until(lambda tab: markers(tab).get(short(place.user_id("grace"))) == 1)
        await linus.go("/chat/browse")  # what was under way has arrived by then
        await linus.until(lambda tab: "browse_rooms" in str(tab.state))
        heads = {key: values for key, values in linus.state.get(ROOM_LIST, {}).items() if place.id in key}
        assert (heads, markers(linus)) == ({}, {})
        assert set(markers(ada)) <= {short(place.user_id(name)) for name in ("ada", "grace")}


async def test_a_removed_members_list_hears_no_more_of_the_room(place: Place, company: Company) -> None:
    async with company.tab("grace", "/chat") as grace, place.tabs("ada") as (ada,):
        await grace.until(lambda tab: unread(tab, place.id) == 0)
        await place.remove("grace")
        await grace.until(lambda tab: unread(tab, place.id) is None)
        frames = len(grace.frames)
        await ada.send(place.id, "for ada alone")
        await ada.until(lambda tab: tab.texts == ["for ada alone"])
        await grace.go("/chat/browse")
        await grace.until(lambda tab: "browse_rooms" in str(tab.state))
        assert not [
            frame
            for frame in grace.frames[frames:]
            if place.id in json.dumps(frame.get("delta")) and f"heads{SUFFIX}{place.id}" in json.dumps(frame)
        ]


async def test_receipts_that_are_off_are_shown_neither_way(place: Place, company: Company) -> None:
    grace_id = short(place.user_id("grace"))
    async with place.tabs("ada", "grace") as (ada, grace):
        try:
            await ada.send(place.id, "one")
            await grace.until(lambda tab: tab.texts == ["one"])
            await see(grace, place, 1)
            await ada.until(lambda tab: markers(tab).get(grace_id) == 1)
            await grace.until(lambda tab: short(place.user_id("ada")) in markers(tab))
            await accounts.show_receipts(company.cast.grace.actor, False)
            await ada.until(lambda tab: grace_id not in markers(tab))
            await grace.until(lambda tab: markers(tab) == {})
            await ada.send(place.id, "two")
            await grace.until(lambda tab: len(tab.texts) == 2)
            await see(grace, place, 2)
            await see(ada, place, 2)
            async with place.tabs("ada", "grace") as (late_ada, late_grace):
                assert (set(markers(late_ada)), markers(late_grace)) == ({short(place.user_id("ada"))}, {})
                await late_grace.send(place.id, "three")
                await ada.until(lambda tab: len(tab.texts) == 3)
                await see(ada, place, 3)
                await late_ada.until(lambda tab: markers(tab)[short(place.user_id("ada"))] == 3)
                await late_grace.send(place.id, "four")  # what was sent before it has arrived with it
                await late_grace.until(lambda tab: len(tab.texts) == 4)
                assert markers(late_grace) == {}
            assert (grace_id in markers(ada), markers(grace)) == (False, {})
        finally:
            await accounts.show_receipts(company.cast.grace.actor, True)
        await ada.until(lambda tab: markers(tab).get(grace_id) == 4)
        await grace.until(lambda tab: markers(tab).get(short(place.user_id("ada"))) == 3)


async def test_a_room_that_is_left_for_another_goes_on_being_counted(place: Place, company: Company) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, "seen")
        await grace.until(lambda tab: tab.texts == ["seen"])
        await see(grace, place, 1)
        await grace.go("/chat")
        await grace.until(lambda tab: head(tab, place.id) == 1)
        await ada.send(place.id, "not seen")
        await grace.until(lambda tab: unread(tab, place.id) == 1)


async def test_the_room_that_is_shown_sends_its_news_once(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await grace.until(lambda tab: unread(tab, place.id) == 0)
        await ada.send(place.id, "hello")
        await grace.until(lambda tab: tab.texts == ["hello"])
        await see(grace, place, 1)
        await ada.until(lambda tab: markers(tab).get(short(place.user_id("grace"))) == 1)
        news = (f"heads{SUFFIX}{place.id}", f"marks{SUFFIX}{place.id}")
        assert [key for key in grace.state[ROOM_LIST] if key in news] == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"room_id": "x", "seq": 1, "turn": 0},
        {"seq": 0, "turn": 0},
        {"seq": -1, "turn": 0},
        {"seq": 2**53, "turn": 0},
        {"seq": 1, "turn": 2**31},
        {"seq": 1, "turn": -1},
        {"seq": 1},
    ],
)
async def test_reports_that_make_no_sense_are_refused(place: Place, arguments: dict[str, Any]) -> None:
    async with place.tabs("ada") as (ada,):
        await ada.call(f"{READ_MARKERS}.advance", **{"room_id": place.id, **arguments})
        await ada.until(lambda tab: "That could not be understood." in tab.toasts)


@pytest.mark.parametrize("seed", range(3))
async def test_any_interleaving_ends_where_a_fresh_list_begins(place: Place, company: Company, seed: int) -> None:
    """Applying equals refetching, whatever was sent, read and set back, however handlers overtook each other."""
    chance, said = random.Random(seed), 0
    async with company.tab("grace", "/chat") as elsewhere, place.tabs("ada", "grace") as (ada, grace):
        await elsewhere.until(lambda tab: unread(tab, place.id) == 0)
        for number in range(60):
            verb = chance.choice(["write", "write", "see", "see", "set back"]) if said else "write"
            seq, turn = chance.randint(1, max(said, 1)), (grace.var(ROOM_LIST, "marks", place.id) or (0, 0))[1]
            if verb == "write":
                said += 1
                await (ada if chance.random() < 0.9 else grace).send(place.id, f"text {number}")
            elif verb == "see":
                await see(grace, place, seq, turn)
            else:
                await grace.call(f"{READ_MARKERS}.mark_unread", room_id=place.id, seq=seq)
            if chance.random() < 0.2:
                await elsewhere.until(lambda tab, said=said: head(tab, place.id) >= said)
        await elsewhere.until(lambda tab: head(tab, place.id) == said)
        for _ in range(200):  # the last markers are on their way
            fresh = await rooms.room(company.cast.grace.actor, place.room_id)
            if unread(elsewhere, place.id) == fresh.last_seq - fresh.read_seq:
                return
            await asyncio.sleep(0.05)
        raise AssertionError((unread(elsewhere, place.id), fresh))


def head(tab: Tab, room_id: str) -> int:
    """How far the tab's list knows the room to be."""
    return (tab.var(ROOM_LIST, "heads", room_id) or {"last_seq": 0})["last_seq"]
