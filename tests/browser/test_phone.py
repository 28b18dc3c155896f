"""FEATURES 6.1 and 6.3 under a finger: the keyboard comes up to write, not to read; all lies where it belongs."""

from __future__ import annotations

from uuid import UUID

import psycopg
from playwright.async_api import Locator, ViewportSize, expect

from chatapp import settings
from chatapp.direct.actions import open_direct
from chatapp.reactions import actions as reactions
from tests import cast
from tests.cast import Someone, say

from .conftest import Lobby, demo_person
from .people import Person, enter, long_press

SIDEWAYS = ViewportSize(width=844, height=390)
RIGHT_TO_LEFT = "علي رضا"

GAP = """
(name) => {
  const range = document.createRange();
  range.selectNodeContents(name);
  const picture = name.closest("li").querySelector(".avatar").getBoundingClientRect();
  return range.getBoundingClientRect().left - picture.right;
}
"""
"""Pixels between a picture and the words of the name beside it."""

OFF_THE_EDGE = """
(dot) => {
  const edges = (one) => one.getBoundingClientRect();
  const picture = edges(dot.parentElement.querySelector(".avatar"));
  return Math.max(Math.abs(edges(dot).right - picture.right), Math.abs(edges(dot).bottom - picture.bottom));
}
"""

IN_SIGHT = """
(rows) => rows.filter((row) => {
  const { top, bottom, left, width } = row.getBoundingClientRect();
  const hit = (y) => row.contains(document.elementFromPoint(left + width / 2, y));
  return hit(top + 2) && hit(bottom - 2);
}).length
"""
"""How many of these rows are seen from top to bottom."""


async def does_not_write(person: Person) -> None:
    """No keyboard is up: no field has the focus."""
    await person.is_still()
    assert await person.page.evaluate("document.activeElement.matches('input, textarea')") is False


def chip(place: Locator) -> Locator:
    return place.get_by_role("button", name="🎉 1: Grace Hopper")


async def test_a_finger_brings_the_keyboard_up_only_to_write(lobby: Lobby) -> None:
    room_id = await lobby.room("Ada", "Grace")
    ada, grace = demo_person("Ada"), demo_person("Grace")
    [first] = await say(ada, UUID(room_id), "Lunch?")
    await reactions.add(grace.actor, UUID(first.id), "🎉")
    desk = await lobby.at("Ada", room_id)
    await expect(desk.box).to_have_attribute("enterkeyhint", "send")
    phone = await lobby.phone()
    await phone.enter_as("Ada", f"/chat/{room_id}")
    await phone.ready()
    await expect(phone.box).to_have_attribute("enterkeyhint", "enter")

    await long_press(phone, phone.message("Lunch?"))
    sheet = phone.page.get_by_role("dialog", name="Message")
    await sheet.get_by_role("button", name="Reply in thread").click()
    await expect(phone.field("Reply")).to_be_focused()
    await expect(phone.field("Reply")).to_have_attribute("enterkeyhint", "enter")
    await phone.field("Reply").fill("At noon")
    await phone.button("Send reply").click()
    await phone.button("Close").click()
    await phone.log.get_by_role("button", name="1 reply").click()
    thread = phone.page.get_by_role("log", name="Thread")
    await expect(thread.get_by_text("At noon")).to_be_visible()
    await does_not_write(phone)

    await expect(chip(thread)).to_be_visible()
    await long_press(phone, thread.get_by_text("Lunch?"))
    for name, here in (("Edit", 0), ("Quote", 0), ("Reply in thread", 0), ("Pin", 1), ("Delete", 1)):
        await expect(sheet.get_by_role("button", name=name, exact=True)).to_have_count(here)
    await sheet.get_by_role("button", name="React with 👍").click()
    await expect(thread.get_by_role("button", name="👍 1: Ada Lovelace")).to_be_visible()
    await expect(thread.get_by_role("button", name="1 reply")).to_have_count(0)
    await phone.button("Close").click()

    await long_press(phone, phone.message("Lunch?"))
    await sheet.get_by_role("button", name="Quote").click()
    await expect(phone.page.get_by_role("group", name="Quoting")).to_be_visible()
    await expect(phone.box).to_be_focused()
    await phone.button("Members").click()
    await phone.button("Room settings").click()
    await expect(phone.field("Room name")).to_be_visible()
    await does_not_write(phone)

    await phone.go("/chat")
    await phone.button("Settings").click()
    await expect(phone.field("Name")).to_be_visible()
    await does_not_write(phone)
    await phone.page.keyboard.press("Escape")
    await phone.field("Search messages").fill("lunch")
    await phone.field("Search messages").press("Enter")
    results = phone.page.get_by_role("list", name="Results").get_by_role("link")
    await expect(results.first).to_be_visible()
    await does_not_write(phone)
    await results.first.click()
    await phone.sees("Lunch?")
    await phone.page.go_back()
    await expect(results.first).to_be_visible()
    await does_not_write(phone)


async def named(name: str) -> Someone:
    """Somebody of that name, whatever an address may be made of."""
    made = await cast.someone("Somebody New")
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as psql:
        await psql.execute("update profiles set name = %s where id = %s", (name, made.id))
    return made


async def test_names_dots_and_boxes_lie_where_they_belong_upright_and_sideways(lobby: Lobby) -> None:
    hedy, ali = await cast.someone("Hedy Lamarr"), await named(RIGHT_TO_LEFT)
    met = await cast.room(hedy, ali, *[await cast.someone(f"Member {number}") for number in range(4)])
    await say(hedy, await open_direct(hedy.actor, [ali.id]), "Hello")
    phone = await enter(await lobby.phone(), hedy)
    rooms = phone.page.get_by_role("navigation", name="Rooms")
    await expect(rooms.get_by_text(RIGHT_TO_LEFT)).to_be_visible()
    assert await rooms.locator(".status").first.evaluate(OFF_THE_EDGE) <= 4
    jump, search = await phone.button("Jump to…").bounding_box(), await phone.field("Search messages").bounding_box()
    assert jump
    assert search
    assert (jump["x"], jump["width"]) == (search["x"], search["width"])
    assert 0 <= await rooms.get_by_text(RIGHT_TO_LEFT).evaluate(GAP) < 32
    await phone.button("New message").click()
    await phone.field("To").fill("علي")
    found = phone.page.get_by_role("list", name="People")
    await expect(found.get_by_text(RIGHT_TO_LEFT)).to_be_visible()
    assert 0 <= await found.get_by_text(RIGHT_TO_LEFT).evaluate(GAP) < 32

    await phone.page.keyboard.press("Escape")

    await phone.page.set_viewport_size(SIDEWAYS)
    await expect(rooms.get_by_role("link").first).to_be_visible()
    await phone.is_still()
    assert await rooms.get_by_role("link").evaluate_all(IN_SIGHT) == 2
    await phone.open_room(str(met))
    await phone.button("Members").click()
    members = phone.page.get_by_role("dialog", name="Members").get_by_role("listitem")
    await expect(members).to_have_count(6)
    await phone.is_still()
    assert await members.evaluate_all(IN_SIGHT) >= 3
    assert 0 <= await members.get_by_text(RIGHT_TO_LEFT).evaluate(GAP) < 32
