"""What people do to messages and rooms that are there, seen at two browsers: FEATURES 2.6, 3.7 and 4.3."""

from __future__ import annotations

import re
from uuid import uuid4

import psycopg
import pytest
from playwright.async_api import Locator, expect

from chatapp import settings

from .conftest import Lobby
from .people import Person, long_press


def row(person: Person, text: str) -> Locator:
    return person.log.locator("[data-row]").filter(has=person.page.get_by_text(text, exact=True))


async def tool(person: Person, text: str, name: str) -> None:
    """Point at a message and press a button of its toolbar."""
    await row(person, text).hover()
    await (
        person.page.get_by_role("toolbar", name="Message actions").get_by_role("button", name=name, exact=True).click()
    )


def chip(person: Person, label: str) -> Locator:
    return person.log.get_by_role("button", name=label, exact=True)


async def manage(person: Person, name: str, *presses: str) -> None:
    """Open a member's tools in the panel and press what is named there."""
    await person.button("Members").click()
    await person.button(f"Manage {name}").click()
    for press in presses:
        await person.page.locator(".member-tools").get_by_role("button", name=press, exact=True).click()


async def test_an_edit_is_seen_by_both(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("tpyo")
    await grace.sees("tpyo")
    await tool(ada, "tpyo", "Edit")
    await expect(ada.field("Edit message")).to_be_focused()
    await expect(ada.field("Edit message")).to_have_value("tpyo")
    await ada.field("Edit message").fill("typo")
    await ada.button("Save").click()
    for person in (ada, grace):
        await expect(person.log.locator(".text")).to_have_text(re.compile(r"^typo\(edited\)$"))
    await expect(ada.box).to_be_focused()
    await grace.log.locator("[data-row]").hover()
    await expect(grace.button("Edit")).to_have_count(0)


async def test_arrow_up_in_an_empty_box_edits_my_last_message_and_escape_gives_it_up(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("first")
    await ada.say("second")
    await grace.say("from Grace")
    await ada.sees("from Grace")
    await ada.box.press("ArrowUp")
    edit = ada.field("Edit message")
    await expect(edit).to_have_value("second")
    await edit.fill("never mind")
    await edit.press("Escape")
    await expect(edit).to_have_count(0)
    await expect(ada.box).to_be_focused()
    await ada.sees("second")
    await ada.box.press("ArrowUp")
    await edit.fill("2nd")
    await edit.press("Enter")
    await expect(grace.log.get_by_text("2nd")).to_be_visible()
    await ada.say("🎉")
    await grace.sees("🎉")
    await ada.box.press("ArrowUp")
    await edit.fill(":tada:")  # which is stored as what it says already: no change comes
    await edit.press("Enter")
    await expect(edit).to_have_count(0)
    await expect(ada.box).to_be_focused()
    await ada.box.fill("x")
    await ada.box.press("ArrowUp")
    await expect(edit).to_have_count(0)


async def test_an_edit_that_cannot_be_stored_stays_in_its_box(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    await ada.say("short")
    await ada.has_messages(1)
    await ada.box.press("ArrowUp")
    await ada.field("Edit message").fill("x" * 10_001)
    await ada.button("Save").click()
    await expect(ada.page.get_by_text("Message is too long: 10,001 of 10,000 characters.")).to_be_visible()
    await expect(ada.field("Edit message")).to_have_value("x" * 10_001)


async def test_a_deletion_leaves_a_tombstone_at_both(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("regretted")
    await grace.sees("regretted")
    await tool(ada, "regretted", "Delete")
    await expect(ada.heading("Delete this message?")).to_be_visible()
    await ada.button("Keep").click()
    await grace.sees("regretted")
    await tool(ada, "regretted", "Delete")
    await ada.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    for person in (ada, grace):
        await expect(person.log.get_by_text("This message was deleted")).to_be_visible()
        await expect(person.message("regretted")).to_have_count(0)


async def test_reactions_are_counted_named_and_taken_back_at_both(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("we did it")
    await grace.sees("we did it")
    await tool(grace, "we did it", "React with 🎉")
    await expect(chip(ada, "🎉 1: Grace Hopper")).to_have_attribute("aria-pressed", "false")
    await expect(chip(grace, "🎉 1: Grace Hopper")).to_have_attribute("aria-pressed", "true")
    await chip(ada, "🎉 1: Grace Hopper").click()
    for person in (ada, grace):
        await expect(chip(person, "🎉 2: Grace Hopper, Ada Lovelace")).to_have_attribute("aria-pressed", "true")
    await chip(grace, "🎉 2: Grace Hopper, Ada Lovelace").click()
    for person in (ada, grace):
        await expect(chip(person, "🎉 1: Ada Lovelace")).to_be_visible()
    await chip(ada, "🎉 1: Ada Lovelace").click()
    for person in (ada, grace):
        await expect(person.log.get_by_role("group", name="Reactions")).to_have_count(0)


async def test_an_emoji_from_the_picker(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("ship it")
    await ada.sees("ship it")
    await tool(ada, "ship it", "Add reaction")
    await ada.field("Search emoji").fill("rocket")
    await ada.page.get_by_role("dialog", name="Add reaction").get_by_role("button", name="React with 🚀").click()
    await expect(chip(grace, "🚀 1: Ada Lovelace")).to_be_visible()
    await expect(ada.heading("Add reaction")).to_have_count(0)


async def test_a_reaction_from_psql_appears_at_both(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("by hand")
    await grace.sees("by hand")
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute(
            "insert into message_reactions (message_id, user_id, emoji)"
            " select id, user_id, '👍' from chat_messages where room_id = %s",
            (ada.room_id,),
        )
    for person in (ada, grace):
        await expect(chip(person, "👍 1: Ada Lovelace")).to_be_visible()


async def test_pins_are_listed_at_both(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("**the plan**")
    await grace.sees("the plan")
    await tool(grace, "the plan", "Pin")
    await ada.button("Pinned").click()
    listed = ada.page.get_by_role("dialog", name="Pinned messages")
    await expect(listed.get_by_text("the plan", exact=True)).to_be_visible()
    await expect(listed.get_by_text("Ada Lovelace")).to_be_visible()
    await tool(grace, "the plan", "Unpin")
    await expect(listed.get_by_text("Nothing is pinned here.")).to_be_visible()
    await expect(grace.button("Pinned")).to_have_count(0)


async def test_a_room_is_renamed_at_both(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    name = f"Renamed {uuid4().hex[:6]}"
    await ada.button("Members").click()
    await ada.button("Room settings").click()
    await ada.field("Room name").fill(name)
    await ada.field("Description").fill("What it is about")
    await ada.button("Save").click()
    for person in (ada, grace):
        await expect(person.page.get_by_role("heading", level=1)).to_have_text(name)
        await expect(person.page.get_by_role("link", name=name)).to_be_visible()
    await expect(ada.heading("Room settings")).to_have_count(0)
    await grace.button("Members").click()
    await expect(grace.button("Room settings")).to_have_count(0)


async def test_a_removed_members_tab_closes_the_room(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    room_id = ada.room_id
    await manage(ada, "Grace Hopper", "Remove", "Remove")
    await expect(grace.heading("Chat Rooms")).to_be_visible()
    await expect(grace.page.get_by_text("You are no longer in this room.")).to_be_visible()
    await expect(ada.button("Manage Grace Hopper")).to_have_count(0)
    await grace.go(f"/chat/{room_id}")
    await expect(grace.heading("Page not found")).to_be_visible()


async def test_roles_change_what_can_be_done_at_once(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("anybody's")
    await grace.sees("anybody's")
    await grace.button("Members").click()
    await expect(grace.button("Room settings")).to_have_count(0)
    await manage(ada, "Grace Hopper", "Make admin")
    await expect(grace.button("Room settings")).to_be_visible()
    await tool(grace, "anybody's", "Delete")
    await grace.page.get_by_role("dialog", name="Delete this message?").get_by_role("button", name="Delete").click()
    await expect(ada.log.get_by_text("This message was deleted")).to_be_visible()
    await ada.button("Manage Grace Hopper").click()
    for press in ("Transfer ownership", "Transfer"):
        await ada.page.locator(".member-tools").get_by_role("button", name=press, exact=True).click()
    await expect(grace.button("Manage Ada Lovelace")).to_be_visible()
    await expect(ada.button("Manage Grace Hopper")).to_have_count(0)


async def test_an_archived_room_stands_still_and_a_deleted_one_closes(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("so long")
    await grace.sees("so long")
    await ada.button("Members").click()
    await ada.button("Room settings").click()
    await ada.button("Archive room").click()
    question = ada.page.get_by_role("dialog", name=re.compile("^Archive "))
    await question.get_by_role("button", name="Cancel").click()
    await expect(ada.button("Archive room")).to_be_focused()
    await expect(ada.box).to_be_visible()
    await ada.button("Archive room").click()
    await question.get_by_role("button", name="Archive room").click()
    for person in (ada, grace):
        await expect(person.page.get_by_text("This room is archived.")).to_be_visible()
        await expect(person.box).to_have_count(0)
    await row(grace, "so long").hover()
    await expect(grace.button("Copy text")).to_be_visible()
    await expect(grace.button("React with 👍")).to_have_count(0)
    await ada.button("Room settings").click()
    await ada.button("Unarchive room").click()
    for person in (ada, grace):
        await expect(person.box).to_be_visible()
    await ada.button("Room settings").click()
    await ada.button("Delete room").click()
    await ada.page.get_by_role("dialog").get_by_role("button", name="Delete room").click()
    for person in (ada, grace):
        await expect(person.heading("Chat Rooms")).to_be_visible()


async def test_reacting_and_editing_by_keyboard_alone(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("one")
    await ada.say("two")
    await ada.has_messages(2)
    keyboard = ada.page.keyboard
    rows = ada.log.locator("[data-row]")
    await ada.box.focus()
    await keyboard.press("Shift+Tab")
    await expect(rows.nth(1)).to_be_focused()  # the newest
    await keyboard.press("ArrowUp")
    await expect(rows.nth(0)).to_be_focused()
    await keyboard.press("Tab")
    await expect(ada.button("React with 👍")).to_be_focused()
    await keyboard.press("Enter")
    await expect(chip(grace, "👍 1: Ada Lovelace")).to_be_visible()
    await expect(row(grace, "one").get_by_role("button", name="👍 1: Ada Lovelace")).to_be_visible()
    await ada.tab_to("Edit")
    await keyboard.press("Enter")
    await expect(ada.field("Edit message")).to_be_focused()
    await keyboard.type("!")
    await keyboard.press("Enter")
    await expect(grace.log.get_by_text("one!")).to_be_visible()


async def test_a_long_press_opens_the_sheet_on_a_phone(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("hold me")
    phone = await lobby.phone()
    await phone.enter_as("Ada", f"/chat/{ada.room_id}")
    await phone.sees("hold me")
    await long_press(phone, phone.message("hold me"))
    sheet = phone.page.get_by_role("dialog", name="Message")
    await sheet.get_by_role("button", name="React with ❤️").click()
    await expect(chip(grace, "❤️ 1: Ada Lovelace")).to_be_visible()
    await long_press(phone, phone.message("hold me"))
    await sheet.get_by_role("button", name="Edit").click()
    await phone.field("Edit message").fill("held")
    await phone.button("Save").click()
    await expect(grace.log.get_by_text("held")).to_be_visible()


@pytest.mark.parametrize("emoji", ["👍", "❤️", "😂", "🎉", "😮"])
async def test_each_quick_reaction_is_an_emoji_to_the_server(lobby: Lobby, emoji: str) -> None:
    ada = await lobby.in_a_room()
    await ada.say("quick")
    await ada.sees("quick")
    await tool(ada, "quick", f"React with {emoji}")
    await expect(chip(ada, f"{emoji} 1: Ada Lovelace")).to_be_visible()
