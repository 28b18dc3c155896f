"""Unread counts, the line above what is new, and who has seen what, in the browsers of two people."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from playwright.async_api import expect

from chatapp import settings

from .conftest import Lobby
from .people import PHONE, THEMES, Person, Theme

# Playwright's pages all believe to be looked at: this one believes what the test says.
LOOKED_AT = """
() => {
  let looked = true;
  document.hasFocus = () => looked;
  window.look = (now) => {
    looked = now;
    window.dispatchEvent(new Event(now ? "focus" : "blur"));
  };
}
"""


def counted(who: Person, room: str) -> Any:
    return who.page.get_by_role("navigation", name="Rooms").get_by_role("link", name=room).locator(".unread")


def read_everything(name: str) -> None:
    """Let somebody have read what other tests left in their rooms: a tab's title counts it, too."""
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute(
            "update room_members m set read_seq = r.last_seq from chat_rooms r, profiles p"
            " where r.id = m.room_id and p.id = m.user_id and p.name = %s",
            [name],
        )


def receipt(who: Person) -> Any:
    return who.log.locator(".receipt")


def below_the_line(who: Person) -> Any:
    """The first message that is new."""
    return who.log.get_by_role("separator", name="New").locator("xpath=following-sibling::*[1]")


async def attentive(who: Person) -> Person:
    await who.page.add_init_script(f"({LOOKED_AT})()")
    return who


async def look(who: Person, now: bool) -> None:
    await who.page.evaluate("now => window.look(now)", now)


async def two_in(lobby: Lobby, room: str) -> tuple[Person, Person, str]:
    """Ada and Grace in a room of their own."""
    ada, grace = await attentive(await lobby.stranger()), await attentive(await lobby.stranger())
    room_id = await lobby.room("Ada", "Grace", name=room)
    for someone, who in ((ada, "Ada"), (grace, "Grace")):
        await someone.enter_as(who, f"/chat/{room_id}")
        await someone.ready()
    return ada, grace, room_id


async def test_a_message_is_read_when_it_is_seen_in_a_tab_that_is_looked_at(lobby: Lobby) -> None:
    read_everything("Grace Hopper")
    ada, grace, _ = await two_in(lobby, "Seen when seen")
    await grace.say("Before our eyes")
    await ada.sees("Before our eyes")
    await expect(counted(ada, "Seen when seen")).to_have_count(0)
    await expect(ada.log.get_by_role("separator", name="New")).to_have_count(0)
    await look(grace, False)
    await ada.say("Are you there?")
    await grace.sees("Are you there?")
    await expect(counted(grace, "Seen when seen")).to_have_text("1 unread")
    await expect(grace.page).to_have_title("(1) Seen when seen · Chat")
    await expect(grace.log.get_by_role("separator", name="New")).to_have_count(1)
    await ada.say("Hello?")
    await ada.sees("Hello?")
    own = ada.log.locator("article", has_text="Are you there?").locator("xpath=following-sibling::*[1]")
    await expect(own).not_to_have_text("Seen by Grace Hopper")
    await look(grace, True)
    await expect(receipt(ada)).to_have_text("Seen by Grace Hopper")
    await expect(counted(grace, "Seen when seen")).to_have_count(0)
    await expect(grace.page).to_have_title("Seen when seen · Chat")


async def test_what_is_out_of_sight_is_not_read(lobby: Lobby) -> None:
    ada, grace, _ = await two_in(lobby, "Out of sight")
    for number in range(30):
        await ada.say(f"line {number}")
    await grace.sees("line 29")
    await expect(receipt(ada)).to_have_text("Seen by Grace Hopper")
    await grace.scroll_by(-1200)
    await ada.say("below the fold")
    await expect(counted(grace, "Out of sight")).to_have_text("1 unread")
    await expect(ada.message("below the fold")).to_have_count(1)
    before = ada.log.locator("article", has_text="line 29").locator("xpath=following-sibling::*[1]")
    await expect(before).to_have_text("Seen by Grace Hopper")
    await grace.button("Jump to latest").click()
    await expect(counted(grace, "Out of sight")).to_have_count(0)
    after = ada.log.locator("article", has_text="below the fold").locator("xpath=following-sibling::*[1]")
    await expect(after).to_have_text("Seen by Grace Hopper")


async def test_all_tabs_of_a_person_count_alike_and_the_liveliest_room_is_first(lobby: Lobby) -> None:
    ada, grace, room_id = await two_in(lobby, "Counted everywhere")
    second = Person(grace.context, await grace.context.new_page())
    await second.go("/chat")
    await grace.go("/chat/browse")
    await ada.say("one")
    await ada.say("two")
    for tab in (grace, second):
        await expect(counted(tab, "Counted everywhere")).to_have_text("2 unread")
        await expect(tab.page).to_have_title(re.compile(r"^\((\d|99\+)+\) "))
    links = second.page.get_by_role("navigation", name="Rooms").get_by_role("link")
    await expect(links.first).to_have_attribute("href", re.compile(room_id))
    await grace.open_room(room_id)
    await expect(grace.log.get_by_role("separator", name="New")).to_have_count(1)
    for tab in (grace, second):
        await expect(counted(tab, "Counted everywhere")).to_have_count(0)


async def test_marked_as_unread_it_stays_so_until_the_room_is_opened_again(lobby: Lobby) -> None:
    ada, grace, room_id = await two_in(lobby, "Back to it later")
    for text in ("one", "two", "three"):
        await ada.say(text)
    await grace.sees("three")
    await expect(receipt(ada)).to_have_text("Seen by Grace Hopper")
    await grace.message("two").hover()
    await grace.button("Mark unread from here").click()
    await expect(counted(grace, "Back to it later")).to_have_text("2 unread")
    await expect(below_the_line(grace)).to_contain_text("two")
    await look(grace, False)
    await look(grace, True)
    await expect(counted(grace, "Back to it later")).to_have_text("2 unread")
    second = Person(grace.context, await grace.context.new_page())
    await second.go("/chat")
    await expect(counted(second, "Back to it later")).to_have_text("2 unread")
    await second.open_room(room_id)
    for tab in (grace, second):
        await expect(counted(tab, "Back to it later")).to_have_count(0)


async def test_what_is_marked_as_unread_in_one_tab_is_read_again_in_another_that_shows_the_room(lobby: Lobby) -> None:
    ada, grace, room_id = await two_in(lobby, "Two of mine")
    second = await attentive(Person(grace.context, await grace.context.new_page()))
    await second.open_room(room_id)
    for text in ("one", "two", "three"):
        await ada.say(text)
    for tab in (grace, second):
        await tab.sees("three")
    await expect(receipt(ada)).to_have_text("Seen by Grace Hopper")
    await look(second, False)
    await grace.message("two").hover()
    await grace.button("Mark unread from here").click()
    for tab in (grace, second):
        await expect(counted(tab, "Two of mine")).to_have_text("2 unread")
    await look(second, True)
    for tab in (grace, second):
        await expect(counted(tab, "Two of mine")).to_have_count(0)


async def test_a_refused_mark_as_unread_is_taken_back_and_said(lobby: Lobby) -> None:
    ada, grace, room_id = await two_in(lobby, "Not to be marked")
    for text in ("one", "two", "three"):
        await ada.say(text)
    await expect(receipt(ada)).to_have_text("Seen by Grace Hopper")
    with psycopg.connect(settings.current().owner_url) as busy:  # until the app has waited long enough for these rows
        busy.execute("select from room_members where room_id = %s for update", [room_id])
        await grace.message("two").hover()
        await grace.button("Mark unread from here").click()
        await expect(counted(grace, "Not to be marked")).to_have_text("2 unread")
        await expect(below_the_line(grace)).to_contain_text("two")
        await expect(grace.page.get_by_text("Please try again")).to_be_visible()
        await expect(counted(grace, "Not to be marked")).to_have_count(0)
        await expect(below_the_line(grace)).to_have_count(0)
    await grace.message("two").hover()
    await grace.button("Mark unread from here").click()
    await expect(counted(grace, "Not to be marked")).to_have_text("2 unread")
    await look(grace, False)
    await look(grace, True)
    await expect(counted(grace, "Not to be marked")).to_have_text("2 unread")


async def test_after_a_lost_connection_what_was_seen_meanwhile_is_told(lobby: Lobby) -> None:
    ada, grace, _ = await two_in(lobby, "Told again")
    await look(grace, False)
    await ada.say("before the cut")
    await grace.sees("before the cut")
    await grace.context.set_offline(True)
    await look(grace, True)
    await expect(counted(grace, "Told again")).to_have_count(0)
    await grace.context.set_offline(False)
    await expect(receipt(ada)).to_have_text("Seen by Grace Hopper", timeout=60_000)


async def test_receipts_can_be_switched_off(lobby: Lobby) -> None:
    ada, grace, _ = await two_in(lobby, "Nobody's business")
    await ada.say("one")
    await expect(receipt(ada)).to_have_text("Seen by Grace Hopper")
    await switch_receipts(grace)
    try:
        await expect(receipt(ada)).to_have_count(0)
        await grace.say("two")
        await ada.sees("two")
        await expect(counted(ada, "Nobody's business")).to_have_count(0)
        await expect(receipt(grace)).to_have_count(0)
    finally:
        await switch_receipts(grace)
    await expect(receipt(grace)).to_have_text("Seen by Ada Lovelace")


async def switch_receipts(who: Person) -> None:
    await who.page.get_by_role("button", name="Profile,").click()
    await who.page.get_by_role("switch", name="Read receipts").click()
    await who.button("Save").click()
    await expect(who.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("scheme", THEMES)
@pytest.mark.parametrize("size", [None, PHONE], ids=["desktop", "phone"])
async def test_unread_and_receipts_are_accessible(lobby: Lobby, scheme: Theme, size: Any) -> None:
    name = f"Looks {scheme} {bool(size)}"
    ada, grace, _ = await two_in(lobby, name)
    await grace.in_theme(scheme)
    if size:
        await grace.page.set_viewport_size(size)
    await grace.say("You will like this one")
    await expect(receipt(grace)).to_have_text("Seen by Ada Lovelace")
    await look(grace, False)
    await ada.say("Indeed")
    await expect(grace.log.get_by_role("separator", name="New")).to_have_count(1)
    await grace.is_accessible()
    await grace.go("/chat")
    await expect(counted(grace, name)).to_have_text("1 unread")
    await grace.is_accessible()
