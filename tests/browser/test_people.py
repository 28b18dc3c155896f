"""FEATURES 4.1 and 4.2: who is there and who is typing, in the browsers of two people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import uuid4

import pytest_asyncio
from playwright.async_api import Locator, expect

from .conftest import Lobby
from .people import Person

TYPING = "Grace Hopper is typing..."

# What the panel has ever said of somebody, from now on.
WATCH = """
name => {
  window.said = [];
  const note = () => {
    const row = [...document.querySelectorAll(".member")].find((one) => one.textContent.includes(name));
    const words = row?.querySelector(".status")?.textContent ?? "nothing";
    if (window.said.at(-1) !== words) window.said.push(words);
  };
  note();
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""

WATCH_TYPING = """
() => {
  window.typed = 0;
  const note = () => { window.typed += document.querySelectorAll(".typing-words").length; };
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""


class Two(NamedTuple):
    """Ada and Grace in a room of theirs, with Ada's list of members open."""

    ada: Person
    grace: Person
    room: str


@pytest_asyncio.fixture
async def two(lobby: Lobby) -> AsyncIterator[Two]:
    name = f"People {uuid4().hex[:6]}"
    ada, grace = await lobby.room_of_two(name)
    await ada.button("Members").click()
    yield Two(ada, grace, ada.room_id)


def member(person: Person, name: str) -> Locator:
    return person.page.get_by_role("dialog", name="Members").get_by_role("listitem").filter(has_text=name)


def group(person: Person, name: str) -> Locator:
    return person.page.get_by_role("heading", name=name, exact=True)


async def says(person: Person, name: str, status: str) -> None:
    await expect(member(person, name).get_by_text(status)).to_have_count(1)


async def test_the_list_says_who_is_there_and_a_closed_tab_is_offline(two: Two) -> None:
    ada, grace, _ = two
    await expect(group(ada, "Online (2)")).to_be_visible()
    await expect(ada.page.locator(".room-head").get_by_text("2 online")).to_be_visible()
    await says(ada, "Grace Hopper", "Online")
    await grace.page.close()
    await expect(group(ada, "Online (1)")).to_be_visible(timeout=10_000)
    await expect(group(ada, "Offline (1)")).to_be_visible()
    await says(ada, "Grace Hopper", "Offline · Just now")
    await expect(member(ada, "Grace Hopper").get_by_text("Just now", exact=True)).to_be_visible()


async def test_one_of_two_tabs_closed_is_nothing_and_neither_is_a_reload(two: Two) -> None:
    ada, grace, _ = two
    await says(ada, "Grace Hopper", "Online")
    await ada.page.evaluate(WATCH, "Grace Hopper")
    second = await grace.context.new_page()
    await second.goto(grace.page.url)
    await expect(second.get_by_role("log", name="Messages")).to_be_visible()
    await second.close()
    await grace.page.reload()
    await grace.ready()
    await grace.say("still here")
    await ada.sees("still here")
    assert await ada.page.evaluate("window.said") == ["Online"]


async def test_a_tab_left_alone_is_away_until_it_is_used(two: Two) -> None:
    ada, grace, _ = two
    await grace.page.clock.install()
    await grace.page.reload()
    await grace.ready()
    await says(ada, "Grace Hopper", "Online")
    await grace.page.clock.run_for(5 * 60_000 + 1_000)
    await says(ada, "Grace Hopper", "Away")
    await expect(group(ada, "Online (2)")).to_be_visible()
    await grace.page.keyboard.press("Shift")
    await says(ada, "Grace Hopper", "Online")


async def test_typing_is_shown_to_the_other_and_gone_with_the_message(two: Two) -> None:
    ada, grace, _ = two
    await grace.box.press_sequentially("hello")
    await expect(ada.page.get_by_text(TYPING).first).to_be_visible()
    assert await grace.page.get_by_text("is typing...").count() == 0
    await grace.page.keyboard.press("Enter")
    await ada.sees("hello")
    await expect(ada.page.locator(".typing-words")).to_have_count(0)


async def test_typing_is_gone_when_the_box_is_emptied_or_left_alone(two: Two) -> None:
    ada, grace, _ = two
    words = ada.page.locator(".typing-words")
    await grace.box.press_sequentially("hm")
    await expect(words).to_have_text(TYPING)
    await grace.box.fill("")
    await expect(words).to_have_count(0, timeout=2_000)
    await grace.box.press_sequentially("well")
    await expect(words).to_have_text(TYPING)
    await expect(words).to_have_count(0)
    await grace.ready()
    assert await grace.box.input_value() == "well"


async def test_a_draft_that_comes_back_is_not_typing(two: Two) -> None:
    ada, grace, _ = two
    await grace.box.press_sequentially("half a thought")
    words = ada.page.locator(".typing-words")
    await expect(words).to_have_text(TYPING)
    await expect(words).to_have_count(0)
    await ada.page.evaluate(WATCH_TYPING)
    await grace.page.reload()
    await grace.ready()
    await expect(grace.box).to_have_value("half a thought")
    await grace.box.press("Enter")
    await ada.sees("half a thought")
    assert await ada.page.evaluate("window.typed") == 0


async def test_nothing_moves_when_somebody_begins(two: Two) -> None:
    ada, grace, _ = two
    before = await ada.box.bounding_box()
    await grace.box.press_sequentially("hello")
    await expect(ada.page.locator(".typing-words")).to_have_text(TYPING)
    assert await ada.box.bounding_box() == before
