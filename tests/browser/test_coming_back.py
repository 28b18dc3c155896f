"""What stays as it was when a connection comes back, and what waits on the device until then."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest_asyncio
from playwright.async_api import expect

from chatapp import settings
from tests.network import Network

from .conftest import Lobby, written
from .people import Person

# Where the first row in sight stands, and what is marked in the box.
AS_IT_IS = """
() => {
  const log = document.querySelector("[role=log]"), box = document.getElementById("message");
  const top = log.getBoundingClientRect().top;
  const row = [...log.querySelectorAll("[data-row]")].find((one) => one.getBoundingClientRect().bottom > top);
  const where = row.getBoundingClientRect().top - top;
  const marked = [box.value, box.selectionStart, box.selectionEnd, box.selectionDirection];
  return { seq: row.dataset.seq, where, marked, focused: document.activeElement === box };
}
"""

HALFWAY = """
async (log) => {
  log.scrollTop = (log.scrollHeight - log.clientHeight) / 2;
  for (let frames = 0; frames < 3; frames++) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}
"""

SAY = """
(texts) => {
  const box = document.getElementById("message");
  for (const text of texts) {
    box.value = text;
    box.form.requestSubmit();
  }
}
"""


@pytest_asyncio.fixture
async def two(lobby: Lobby, network: Network) -> tuple[Person, Person]:
    """Ada, behind a network of her own, and Grace, in a room."""
    ada, grace = await lobby.room_of_two(proxy=network.proxy)
    return ada, grace


async def is_away(who: Person) -> None:
    await expect(who.page.locator(".connection")).to_have_text("Reconnecting…")


async def is_back(who: Person) -> None:
    await expect(who.page.locator(".connection")).to_have_text("", timeout=30_000)


def execute(statement: str, *values: Any) -> None:
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute(statement, values)


async def test_place_and_caret_are_where_they_were(two: tuple[Person, Person], network: Network) -> None:
    ada, grace = two
    execute(
        "insert into chat_messages (room_id, user_id, client_id, content)"
        " select room_id, user_id, n::text, 'message ' || n from room_members, generate_series(1, 300) n"
        " where room_id = %s and role = 'owner' order by n + 0",
        ada.room_id,
    )
    await ada.open_room(ada.room_id)
    await ada.sees("message 300")
    await ada.scroll_to_top_watching_rows("message 201")  # further back than a room opens with
    await ada.log.evaluate(HALFWAY)
    await ada.box.fill("half a sentence")
    await ada.box.evaluate("box => box.setSelectionRange(5, 9, 'backward')")
    before = await ada.page.evaluate(AS_IT_IS)
    assert int(before["seq"]) < 270  # near the live end it would follow what is said
    network.cut()
    await is_away(ada)
    await grace.say("from Grace meanwhile")
    network.mend()
    await is_back(ada)
    await ada.sees("from Grace meanwhile")
    await grace.say("and live again")
    await ada.sees("and live again")
    after = await ada.page.evaluate(AS_IT_IS)
    assert abs(after.pop("where") - before.pop("where")) <= 2
    assert after == before == {**before, "marked": ["half a sentence", 5, 9, "backward"], "focused": True}


async def test_a_hundred_messages_wait_and_no_more(two: tuple[Person, Person], network: Network) -> None:
    ada, grace = two
    network.cut()
    await is_away(ada)
    texts = [f"waiting {number}" for number in range(100)]
    await ada.page.evaluate(SAY, [*texts, "one too many"])
    await expect(ada.page.get_by_text("100 messages are waiting to be sent.")).to_be_visible()
    await expect(ada.box).to_have_value("one too many")
    await expect(ada.log.locator("[data-row][aria-busy=true]")).to_have_count(100)
    network.mend()
    await is_back(ada)
    await expect(grace.message("waiting 99")).to_have_count(1, timeout=60_000)
    await ada.has_messages(100)
    assert written(ada.room_id) == texts
    await ada.box.press("Enter")
    await grace.sees("one too many")


async def test_what_waited_too_long_is_for_the_person_to_decide(two: tuple[Person, Person], network: Network) -> None:
    ada, grace = two
    room_id = ada.room_id
    network.cut()
    await is_away(ada)
    await ada.page.evaluate(SAY, ["still true", "no longer"])
    await expect(ada.log.locator("[data-row][aria-busy=true]")).to_have_count(2)
    long_ago = (datetime.now(UTC) - timedelta(minutes=11)).isoformat().replace("+00:00", "Z")
    boxes = await ada.page.evaluate("Object.entries(localStorage).filter(([key]) => key.startsWith('chatapp.outbox.'))")
    await ada.page.close()
    network.mend()
    ada.page = await ada.context.new_page()
    await ada.go("/chat")
    for key, value in boxes:
        items = [{**item, "created_at": long_ago} for item in json.loads(value)]
        await ada.page.evaluate("([key, value]) => localStorage.setItem(key, value)", [key, json.dumps(items)])
    await ada.open_room(room_id)
    await expect(ada.log.get_by_text("Not sent")).to_have_count(2)
    assert written(room_id) == []
    await ada.log.locator("[data-row]", has_text="no longer").get_by_role("button", name="Discard").click()
    await ada.log.locator("[data-row]", has_text="still true").get_by_role("button", name="Retry").click()
    await grace.sees("still true")
    await ada.has_messages(1)
    assert written(room_id) == ["still true"]


async def test_a_duplicated_tab_has_an_outbox_of_its_own(two: tuple[Person, Person], network: Network) -> None:
    ada, grace = two
    room_id = ada.room_id
    async with ada.context.expect_page() as opened:  # it begins with a copy of what the tab remembers
        await ada.page.evaluate("window.open(location.href)")
    twin = Person(ada.context, await opened.value)
    await twin.ready()
    await twin.page.wait_for_function(
        "other => sessionStorage.getItem('chatapp.tab') !== other",
        arg=await ada.page.evaluate("sessionStorage.getItem('chatapp.tab')"),
    )
    network.cut()
    for tab in (ada, twin):
        await is_away(tab)
    await ada.say("from the one")
    await twin.say("from the other")
    await ada.page.close()  # what it left is in its own box, and falls to the next tab
    network.mend()
    await grace.sees("from the other")
    await twin.open_room(room_id)
    await grace.sees("from the one")
    await twin.has_messages(2)
    assert sorted(written(room_id)) == ["from the one", "from the other"]


async def test_the_apps_icon_counts_what_is_unread(lobby: Lobby) -> None:
    ada, grace = await lobby.signed_in("Ada"), await lobby.stranger()
    await grace.page.add_init_script(
        "window.badges = [];"
        "navigator.setAppBadge = async (count) => window.badges.push(count);"
        "navigator.clearAppBadge = async () => window.badges.push(0);"
    )
    name = f"Badge {uuid4().hex[:8]}"
    room_id = await lobby.room("Ada", "Grace", name=name)
    await ada.open_room(room_id)
    await grace.enter_as("Grace", "/chat/browse")
    await expect(grace.page.get_by_role("searchbox")).to_be_visible()
    await ada.say("unread")
    await expect(grace.page.get_by_role("link", name=name).locator(".unread")).to_have_text("1 unread")
    counted = await grace.page.evaluate("window.badges.at(-1)")
    assert counted >= 1  # in all of Grace's rooms
    await grace.open_room(room_id)
    await grace.page.wait_for_function("counted => window.badges.at(-1) === counted - 1", arg=counted)
