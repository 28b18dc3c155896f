"""Threads, quotes and places in a room, over real sockets: who is told what, and who is not."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.tab import COMPOSER, MESSAGE_TOOLS, TAB, THREADS, TIMELINE, Tab

from .conftest import Company, Place

MOST_BYTES = 600


async def said(place: Place, *tabs: Tab, text: str = "x" * 100) -> str:
    """The first of the tabs' people has said something, and all have it; answers its id."""
    await tabs[0].send(place.id, text)
    for tab in tabs:
        await tab.until(lambda tab: text in tab.texts)
    return str(tabs[0].rows[-1]["id"])


async def answer(tab: Tab, place: Place, text: str, **to: str) -> None:
    await tab.call(f"{COMPOSER}.send", room_id=place.id, client_id=str(uuid4()), content=text, **to)


async def open_thread(tab: Tab, place: Place, parent: str) -> None:
    await tab.call(f"{THREADS}.open", room_id=place.id, parent_id=parent)
    await tab.until(lambda tab: (tab.shared(THREADS, "shown") or {}).get("parent") == parent)


def replies(tab: Tab) -> list[str]:
    return [row["content"] for row in tab.thread[1:]]


def window(tab: Tab) -> dict[str, Any]:
    found: dict[str, Any] = tab.shared(TIMELINE, "window")
    return found


async def test_replies_go_to_those_who_show_the_thread_and_their_number_to_all(place: Place) -> None:
    async with place.tabs("ada", "grace", "grace") as (ada, grace, other):
        parent = await said(place, ada, grace, other)
        for tab in (ada, grace):
            await open_thread(tab, place, parent)
        before = len(other.raw)
        await answer(grace, place, "only in the thread", parent=parent)
        for tab in (ada, grace):
            await tab.until(lambda tab: replies(tab) == ["only in the thread"])
        for tab in (ada, grace, other):
            await tab.until(lambda tab: tab.rows[-1].get("replies") == 1)
            assert [row["id"] for row in tab.rows] == [parent]
        told = [frame for frame in other.raw[before:] if TIMELINE in frame]
        assert "only in the thread" not in json.dumps(other.raw[before:])
        assert max(map(len, told)) <= MOST_BYTES
        reply = ada.thread[1]["id"]
        await grace.call(f"{MESSAGE_TOOLS}.edit", message_id=reply, content="edited")
        await ada.until(lambda tab: replies(tab) == ["edited"])
        await ada.call(f"{MESSAGE_TOOLS}.edit", message_id=parent, content="asked differently")
        await grace.until(lambda tab: tab.thread[0]["content"] == "asked differently")
        await open_thread(ada, place, await said(place, ada, grace, text="another one"))
        await answer(grace, place, "unheard", parent=parent)
        await ada.until(lambda tab: tab.rows[0].get("replies") == 2)
        assert "unheard" not in json.dumps(ada.raw)


async def test_a_thread_is_live_wherever_it_began_and_wherever_one_reads(place: Place) -> None:
    await place.write(600)
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.call(f"{TAB}.jump", message_id=await place.message(1))
        await ada.until(lambda tab: window(tab)["at"] == 1 and window(tab)["marked"])
        assert [row["seq"] for row in ada.rows] == list(range(1, 101))
        parent = str(ada.rows[0]["id"])
        for tab in (ada, grace):
            await open_thread(tab, place, parent)
        await answer(grace, place, "far back", parent=parent)
        for tab in (ada, grace):
            await tab.until(lambda tab: replies(tab) == ["far back"])
            await tab.until(lambda tab: tab.var(THREADS, "counts", parent) == 1)
        await ada.until(lambda tab: tab.rows[0].get("replies") == 1)


async def test_pages_forward_lead_back_to_the_live_end_without_a_gap(place: Place) -> None:
    await place.write(330)
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.call(f"{TAB}.jump", message_id=await place.message(60))
        await ada.until(lambda tab: window(tab)["at"] == 60)
        while window(ada)["last"]:
            last = window(ada)["last"]
            await ada.call(f"{TAB}.load_newer")
            await ada.until(lambda tab, last=last: window(tab)["last"] != last)
            seqs = [row["seq"] for row in ada.rows]
            assert seqs == list(range(seqs[0], seqs[-1] + 1))
        assert seqs[-1] == 330
        await grace.send(place.id, "on we go")
        await ada.until(lambda tab: tab.texts[-1] == "on we go")


async def test_a_reader_far_back_stays_there_when_the_connection_comes_back(place: Place) -> None:
    await place.write(700)
    async with place.tabs("ada") as (ada,):
        await ada.call(f"{TAB}.jump", message_id=await place.message(100))
        await ada.until(lambda tab: window(tab)["at"] == 100)
        shown = window(ada)["first"], window(ada)["last"]
        await ada.call(f"{TAB}.open_room")
        await ada.until(lambda tab: window(tab)["at"] == 0)
        assert (window(ada)["first"], window(ada)["last"]) == shown
        await ada.call(f"{TAB}.show_latest")
        await ada.until(lambda tab: not window(tab)["last"])


async def test_a_room_opens_at_what_is_asked_for_or_unread(place: Place, company: Company) -> None:
    await place.write(120)
    async with company.tab("grace", f"/chat/{place.id}?m={await place.message(7)}") as grace:
        await grace.until(lambda tab: (tab.shared(TIMELINE, "window") or {}).get("at") == 7)
        assert window(grace)["marked"]
    async with place.tabs("grace") as (grace,):
        assert (window(grace)["at"], window(grace)["marked"]) == (1, False)
        assert grace.rows[0]["seq"] == 1
    for nonsense in (str(uuid4()), "x", "%00", "' or 1=1"):
        async with company.tab("ada", f"/chat/{place.id}?m={nonsense}") as ada:
            await ada.until(lambda tab: "That message is not here." in tab.toasts)
            await ada.until(lambda tab: tab.texts and tab.texts[-1] == "message 120")


async def test_who_is_put_out_hears_nothing_more_of_the_thread(place: Place) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        parent = await said(place, ada, grace)
        for tab in (ada, grace):
            await open_thread(tab, place, parent)
        await place.remove("grace")
        await grace.until(lambda tab: "/chat" in tab.redirects)
        await answer(ada, place, "she is gone", parent=parent)
        await ada.until(lambda tab: replies(tab) == ["she is gone"])
        await grace.call(f"{THREADS}.open", room_id=place.id, parent_id=parent)
        await grace.until(lambda tab: "Not a member of this room" in tab.toasts)
        assert "she is gone" not in json.dumps(grace.raw)


@pytest.mark.parametrize("handler", ["open", "older", "learn", "read"])
async def test_an_outsider_learns_nothing_of_threads(place: Place, company: Company, handler: str) -> None:
    async with place.tabs("ada") as (ada,), company.tab("linus", "/chat") as linus:
        parent = await said(place, ada)
        await answer(ada, place, "between us", parent=parent)
        await ada.until(lambda tab: tab.rows[-1].get("replies") == 1)
        values = {"room_id": place.id, "parent_id": parent, "below": 2, "reply_seq": 1}
        names = {"open": 2, "older": 3, "learn": 1}
        chosen = dict(list(values.items())[: names.get(handler, 0)]) or {"parent_id": parent, "reply_seq": 1}
        await linus.call(f"{THREADS}.{handler}", **chosen)
        await linus.send(place.id, "fence")
        await linus.until(lambda tab: "Not a member of this room" in tab.toasts)
        assert parent not in json.dumps(linus.state)
        assert "between us" not in json.dumps(linus.raw)


async def test_a_thread_is_opened_only_in_a_tab_that_shows_its_room(place: Place, company: Company) -> None:
    async with place.tabs("grace") as (grace,), company.tab("ada", "/chat") as ada:
        parent = await said(place, grace)
        await ada.call(f"{THREADS}.open", room_id=place.id, parent_id=parent)
        await ada.until(lambda tab: "Not a member of this room" in tab.toasts)
