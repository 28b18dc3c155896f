"""FEATURES 5.1: searching what has been said, at a desk, by keyboard and on a phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

import pytest_asyncio
from playwright.async_api import Locator, expect

from tests import cast
from tests.cast import Someone, say

from .conftest import Lobby
from .people import Person, enter

HOSTILE = "<img src=x onerror=alert(1)> & <b>walrus</b>"


class Kitchen(NamedTuple):
    """A room of two, with a word said long ago, and lately in a way that no page must take for markup."""

    ann: Someone
    ben: Someone
    room: UUID


@pytest_asyncio.fixture
async def kitchen(project: object) -> AsyncIterator[Kitchen]:
    ann, ben = await cast.someone("Ann Alpha"), await cast.someone("Ben Beta")
    room = await cast.room(ann, ben, name="Kitchen")
    await say(ann, room, "Where is the walrus?", *(f"Line {number}" for number in range(60)))
    await say(ben, room, HOSTILE)
    yield Kitchen(ann, ben, room)


def box(person: Person) -> Locator:
    """The one that is in sight, by the role it has there."""
    page = person.page
    return page.get_by_role("textbox", name="Search messages").or_(
        page.get_by_role("searchbox", name="Search messages")
    )


def results(person: Person) -> Locator:
    return person.page.get_by_role("list", name="Results").get_by_role("listitem")


async def test_what_was_said_is_found_marked_and_opened_in_its_place(lobby: Lobby, kitchen: Kitchen) -> None:
    ann, dee = await enter(await lobby.stranger(), kitchen.ann), await cast.someone("Dee Delta")
    await box(ann).fill("walrus")
    await box(ann).press("Enter")
    await expect(ann.page).to_have_url(re.compile(r"/search/?\?q=walrus$"))
    await expect(results(ann)).to_have_count(2)
    await expect(results(ann).first).to_contain_text(HOSTILE)
    await expect(results(ann).locator("mark")).to_have_text(["walrus", "walrus"])
    await expect(results(ann).locator("img[src=x]")).to_have_count(0)
    await expect(results(ann).nth(1)).to_contain_text("Ann Alpha")
    await expect(results(ann).nth(1)).to_contain_text("Kitchen")
    await expect(ann.page.get_by_role("status").filter(has_text="2 messages found")).to_have_count(1)
    await ann.is_accessible()

    await results(ann).nth(1).get_by_role("link").click()
    await ann.page.wait_for_url(re.compile(f"/chat/{kitchen.room}"))
    await expect(ann.message("Where is the walrus?")).to_be_in_viewport()
    await ann.page.go_back()
    await expect(results(ann)).to_have_count(2)
    await expect(box(ann)).to_have_value("walrus")

    await box(ann).fill("walrus from:ben")
    await ann.button("Search").click()
    await expect(results(ann)).to_have_count(1)
    await box(ann).fill("walrus in:nowhere")
    await box(ann).press("Enter")
    await expect(ann.page.get_by_role("alert").filter(has_text="You are in no room called nowhere.")).to_be_visible()
    await box(ann).fill("warlus")
    await box(ann).press("Enter")
    await expect(ann.page.get_by_text("No message has these words. These have similar ones:")).to_be_visible()
    await expect(results(ann)).to_have_count(2)

    outside = await enter(await lobby.stranger(), dee)
    await outside.go("/search?q=walrus")
    await expect(outside.heading("Nothing found")).to_be_visible()
    await outside.is_accessible()


async def test_on_a_phone_and_by_keyboard(lobby: Lobby, kitchen: Kitchen) -> None:
    ben = await enter(await lobby.phone(), kitchen.ben)
    await box(ben).fill("line")
    await box(ben).press("Enter")
    await expect(results(ben)).to_have_count(20)
    wide = await ben.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    await ben.is_accessible()
    await ben.button("Show more").click()
    await expect(results(ben)).to_have_count(40)
    await ben.button("Best of the newest").click()
    await expect(results(ben)).to_have_count(20)
    await expect(ben.button("Best of the newest")).to_have_attribute("aria-pressed", "true")
    for one in (ben.button("Newest first"), ben.button("Search"), box(ben)):
        size = await one.bounding_box()
        assert size
        assert size["height"] >= 44

    ann = await enter(await lobby.stranger(color_scheme="dark"), kitchen.ann)
    await ann.page.keyboard.press("Control+k")
    await ann.page.keyboard.type("search mess")
    await ann.page.keyboard.press("Enter")
    await expect(box(ann)).to_be_focused()
    await ann.is_accessible()
    await ann.page.keyboard.type("walrus in:kitchen")
    await ann.page.keyboard.press("Enter")
    await expect(results(ann)).to_have_count(2)
    await ann.is_accessible()
