"""FEATURES 2.5: direct messages between two and more people, in browsers of their own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import NamedTuple

import psycopg
import pytest_asyncio
from playwright.async_api import Locator, expect

from chatapp import settings
from tests import cast
from tests.cast import Someone

from .conftest import Lobby
from .people import Person, enter


class Met(NamedTuple):
    """Two who share a room, and one whom nobody knows."""

    ann: Someone
    ben: Someone
    dee: Someone


@pytest_asyncio.fixture
async def met(project: object) -> AsyncIterator[Met]:
    people = [await cast.someone(name) for name in ("Ann Alpha", "Ben Beta", "Dee Delta")]
    await cast.room(*people[:2], name="Where they met")
    yield Met(*people)


def dialog(person: Person) -> Locator:
    return person.page.get_by_role("dialog", name="New message")


async def start(person: Person) -> None:
    await person.button("Start conversation").click()
    await person.page.wait_for_url(re.compile(r"/chat/[0-9a-f-]{36}/?$"))
    await person.ready()


async def rename(who: Someone, name: str) -> None:
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as psql:
        await psql.execute("update profiles set name = %s where id = %s", (name, who.id))


async def test_two_people_write_to_each_other(lobby: Lobby, met: Met) -> None:
    ann, ben = await enter(await lobby.stranger(), met.ann), await enter(await lobby.stranger(), met.ben)
    await ann.button("New message").click()
    await expect(ann.field("To")).to_be_focused()
    await ann.is_accessible()
    await ann.page.keyboard.type("bet")
    await expect(dialog(ann).get_by_role("button", name="Ben Beta", exact=True)).to_be_visible()
    await ann.page.keyboard.press("Enter")
    await expect(ann.button("Remove Ben Beta")).to_be_visible()
    await expect(ann.field("To")).to_have_value("")
    await start(ann)
    await expect(ann.heading("Ben Beta")).to_be_visible()
    await expect(ann.link("Ben Beta")).to_be_visible()
    await expect(ann.link("Ben Beta")).to_have_accessible_description(re.compile("^Online"))
    await expect(ann.page).to_have_title("Ben Beta · Chat")
    await expect(ben.link("Where they met")).to_be_visible()
    await expect(ben.link("Ann Alpha")).to_have_count(0)  # nothing has been said to him yet

    await ann.say("Are you there?")
    await expect(ben.link("Ann Alpha")).to_be_visible()
    await expect(ben.page).to_have_title(re.compile(r"^\(1\)"))
    await ben.link("Ann Alpha").click()
    await ben.sees("Are you there?")
    await ben.say("I am")
    await ann.sees("I am")
    assert ben.room_id == ann.room_id
    await expect(ann.button("Invite")).to_have_count(0)
    await ann.button("Members").click()
    await expect(ann.page.get_by_text("Nobody joins or leaves a direct message.")).to_be_visible()
    await expect(ann.button("Leave room")).to_have_count(0)
    await ann.is_accessible()

    await rename(met.ann, "Ann Omega")
    await expect(ben.heading("Ann Omega")).to_be_visible()
    await expect(ben.link("Ann Omega")).to_be_visible()
    await ben.go("/chat")
    await expect(ben.link("Ann Omega")).to_be_visible()
    for found in ("new me", "omega"):
        await ben.page.keyboard.press("Control+k")
        await expect(ben.page.get_by_role("combobox", name="Go to a room")).to_be_focused()
        await ben.page.keyboard.type(found)
        await ben.is_accessible()
        await ben.page.keyboard.press("Enter")
        if found == "new me":
            await expect(ben.field("To")).to_be_focused()
            await ben.page.keyboard.press("Escape")
            await expect(dialog(ben)).to_have_count(0)
    await ben.sees("I am")
    await ben.go("/chat")
    await ben.button("New message").click()
    await dialog(ben).get_by_role("button", name="Ann Omega", exact=True).click()
    await start(ben)
    await ben.sees("I am")
    await ann.page.close()
    await expect(ben.link("Ann Omega")).to_have_accessible_description(re.compile("^Offline"))


async def test_a_group_with_somebody_known_by_address_alone_from_a_phone(lobby: Lobby, met: Met) -> None:
    ann, dee = await enter(await lobby.phone(), met.ann), await enter(await lobby.stranger(), met.dee)
    await ann.button("New message").click()
    await dialog(ann).get_by_role("button", name="Ben Beta", exact=True).click()
    await ann.field("To").fill("nobody-here@example.com")
    await ann.button("Write to nobody-here@example.com").click()
    await ann.button("Start conversation").click()
    await expect(ann.page.get_by_text("Nobody here goes by that address.")).to_be_visible()
    await ann.is_accessible()
    await ann.button("Remove nobody-here@example.com").click()
    await ann.field("To").fill(met.dee.email)
    await ann.button(f"Write to {met.dee.email}").click()
    await start(ann)
    await expect(ann.heading("Ben Beta, Dee Delta")).to_be_visible()
    await ann.say("You two should meet")
    await dee.link("Ann Alpha, Ben Beta").click()
    await dee.sees("You two should meet")
    assert dee.room_id == ann.room_id
