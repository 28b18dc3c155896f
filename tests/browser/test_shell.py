"""FEATURES 2.7, 4.1 (status), 1.2 and 6.2: about the rooms by keyboard and by thumb, and the settings."""

from __future__ import annotations

import re
from uuid import UUID

from playwright.async_api import Locator, expect

from tests.cast import room, someone

from .conftest import Lobby
from .people import Person, enter

NEW = "a better battery staple"
REACHED = "one => { one.focus(); return one === document.activeElement; }"


def switcher(person: Person) -> Locator:
    return person.page.get_by_role("combobox", name="Go to a room")


def chosen(person: Person) -> Locator:
    return person.page.get_by_role("option", selected=True)


async def shows(person: Person, room_id: UUID) -> None:
    await expect(person.page).to_have_url(re.compile(f"/chat/{room_id}/?$"))
    await expect(person.log).to_be_visible()


async def is_in(person: Person, room_id: UUID) -> None:
    """And one can begin to write."""
    await shows(person, room_id)
    await person.ready()


async def test_about_the_rooms_by_keyboard_alone(lobby: Lobby) -> None:
    hedy = await someone("Hedy Lamarr")
    quiet, munich, design = [await room(hedy, name=name) for name in ("Quiet", "München", "Design Review")]
    person = await enter(await lobby.stranger(), hedy)
    keys = person.page.keyboard
    await expect(person.link("Design Review")).to_be_visible()

    await keys.press("Control+k")
    await expect(switcher(person)).to_be_focused()
    await expect(chosen(person)).to_have_accessible_name(re.compile("Design Review"))  # the last active
    for typed, found in (("rev", "Design Review"), ("dsgn", "Design Review"), ("MUNCHEN", "München"), ("qt", "Quiet")):
        await switcher(person).fill(typed)
        await expect(chosen(person)).to_have_accessible_name(found)
        await expect(switcher(person)).to_have_attribute(
            "aria-activedescendant", await chosen(person).get_attribute("id") or ""
        )
    await keys.press("Enter")
    await is_in(person, quiet)
    await expect(person.page.get_by_role("dialog")).to_have_count(0)
    await keys.type("No longer")
    await keys.press("Enter")
    await person.sees("No longer")  # and now Quiet is the first of the list

    await keys.press("Alt+ArrowDown")
    await is_in(person, design)
    await keys.press("Alt+ArrowDown")
    await is_in(person, munich)
    await keys.press("Alt+ArrowDown")  # round the corner
    await is_in(person, quiet)
    await keys.press("Alt+ArrowUp")
    await is_in(person, munich)

    await keys.press("Control+k")
    await expect(switcher(person)).to_have_value("")
    await expect(chosen(person)).to_have_accessible_name("Quiet")  # not the one that is open
    await keys.press("ArrowUp")
    await expect(chosen(person)).to_have_accessible_name("All rooms")
    await keys.press("Escape")
    await expect(person.box).to_be_focused()
    await keys.press("Control+/")
    await expect(person.heading("Keyboard shortcuts")).to_be_visible()
    await keys.press("Control+k")  # not over another question
    await expect(switcher(person)).to_have_count(0)
    await keys.press("Control+/")
    await expect(person.heading("Keyboard shortcuts")).to_have_count(0)
    await is_in(person, munich)


async def test_the_next_unread_room_by_keyboard(lobby: Lobby) -> None:
    hedy, grace = await someone("Hedy Lamarr"), await someone("Grace Hopper")
    busy, _ = await room(hedy, grace, name="Busy"), await room(hedy, name="Idle")
    open_room = await room(hedy, name="Open")
    person, other = await enter(await lobby.stranger(), hedy), await enter(await lobby.stranger(), grace)
    await person.open_room(str(open_room))
    await other.open_room(str(busy))
    await other.say("Anybody there?")
    await expect(person.page).to_have_title("(1) Open · Chat")
    await person.page.keyboard.press("Alt+Shift+ArrowDown")
    await is_in(person, busy)
    await expect(person.page).to_have_title("Busy · Chat")


async def test_settings_by_keyboard_alone(lobby: Lobby) -> None:
    person = await enter(await lobby.stranger(color_scheme="light"), await someone("Hedy Lamarr"))
    keys = person.page.keyboard
    await person.tab_to("Settings")
    await keys.press("Enter")
    await expect(person.field("Name")).to_be_focused()
    await keys.press("Control+a")
    await keys.type("Hedwig Kiesler")
    await keys.press("Tab")
    await keys.type("🎧")
    await keys.press("Tab")
    await keys.type("Focusing")
    await keys.press("Enter")
    await expect(person.button("Profile, Hedwig Kiesler")).to_contain_text("🎧 Focusing")
    await expect(person.button("Settings")).to_be_focused()

    await keys.press("Enter")
    theme = person.page.get_by_role("radio", name="System")
    for _ in range(30):
        if await theme.evaluate("one => one === document.activeElement"):
            break
        await keys.press("Tab")
    await keys.press("ArrowRight")
    await keys.press("ArrowRight")
    await expect(person.page.get_by_role("radio", name="Dark")).to_be_checked()
    await expect(person.page.locator("html")).to_have_class(re.compile("dark"))
    await keys.press("Escape")
    await expect(person.page.get_by_role("dialog")).to_have_count(0)


async def test_a_status_is_seen_by_others_at_once_and_ends(lobby: Lobby) -> None:
    hedy, grace = await someone("Hedy Lamarr"), await someone("Grace Hopper")
    together = await room(hedy, grace, name="Together")
    one, other = await enter(await lobby.stranger(), hedy), await enter(await lobby.stranger(), grace)
    await one.open_room(str(together))
    await one.say("Back in a minute")
    await other.open_room(str(together))
    await other.button("Members").click()
    await one.button("Settings").click()
    await one.button("🍜 At lunch").click()
    ends = one.page.get_by_role("combobox", name="Clear after")
    await ends.select_option("1 hour")
    await one.button("Save").click()
    await expect(other.page.get_by_role("listitem").filter(has_text="Hedy Lamarr")).to_contain_text("🍜 At lunch")
    await expect(other.log.get_by_role("img", name="🍜 At lunch")).to_be_visible()

    await one.button("Settings").click()
    await expect(ends).to_have_value("keep")
    await expect(ends).to_contain_text(re.compile("At .*[0-9]"))
    await one.page.keyboard.press("Escape")
    await other.page.clock.install()
    await other.page.clock.fast_forward("02:00:00")
    await one.say("Nearly done")  # whatever is drawn next is drawn without it
    await other.sees("Nearly done")
    await expect(other.page.get_by_text("At lunch")).to_have_count(0)
    await expect(other.log.get_by_role("img", name="🍜 At lunch")).to_have_count(0)


async def test_another_password_signs_the_other_browsers_out(lobby: Lobby) -> None:
    hedy = await someone("Hedy Lamarr")
    here, there = await enter(await lobby.stranger(), hedy), await enter(await lobby.stranger(), hedy)
    await here.button("Settings").click()
    await here.button("Change password").click()
    await here.field("Current password").fill("not my password")
    await here.field("New password").fill(NEW)
    await here.button("Change password").click()
    await expect(here.page.get_by_role("alert").filter(has_text="The current password is incorrect.")).to_be_visible()
    await here.field("Current password").fill(hedy.password)
    await here.button("Change password").click()
    await expect(here.page.get_by_text("Password changed. Other browsers were signed out.")).to_be_visible()
    await expect(there.page).to_have_url(re.compile("/sign-in"))
    await here.page.reload()
    await expect(here.heading("Chat Rooms")).to_be_visible()
    await enter(there, hedy, NEW)


async def test_a_phones_drawer_is_closed_by_back_and_left_by_a_link(lobby: Lobby) -> None:
    hedy = await someone("Hedy Lamarr")
    first, second = await room(hedy, name="First"), await room(hedy, name="Second")
    person = await enter(await lobby.phone(), hedy)
    await person.link("First").click()
    await is_in(person, first)
    await person.box.fill("A draft")
    drawer = person.page.get_by_role("complementary", name="Sidebar")
    await expect(drawer).to_be_hidden()

    await person.button("Open rooms").click()
    await expect(person.link("Second")).to_be_in_viewport()
    assert not await person.box.evaluate(REACHED)  # while it is open
    await person.page.go_back()
    await expect(drawer).to_be_hidden()
    await shows(person, first)
    await expect(person.box).to_have_value("A draft")

    await person.button("Open rooms").click()
    await person.link("Second").click()
    await shows(person, second)
    await expect(drawer).to_be_hidden()
    await person.page.go_back()
    await shows(person, first)
    await expect(person.box).to_have_value("A draft")

    await person.button("Members").click()
    await expect(person.heading("Members")).to_be_visible()
    await person.page.go_back()
    await expect(person.heading("Members")).to_have_count(0)
    await shows(person, first)

    await person.button("Open rooms").click()
    await person.page.keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await person.page.go_back()  # nothing of what was closed otherwise is left in the way
    await expect(person.heading("Chat Rooms")).to_be_visible()


async def test_what_a_screen_reader_says_in_order(lobby: Lobby) -> None:
    hedy = await someone("Hedy Lamarr")
    await room(hedy, name="Design Review")
    await room(hedy, name="Launch", private=True)
    person = await enter(await lobby.stranger(), hedy)
    await expect(person.page.get_by_role("complementary", name="Sidebar")).to_match_aria_snapshot(SIDEBAR)
    await person.page.keyboard.press("Control+k")
    await expect(person.page.get_by_role("dialog")).to_match_aria_snapshot(SWITCHER)
    await person.page.keyboard.press("Escape")
    await person.button("Settings").click()
    await expect(person.page.get_by_role("dialog")).to_match_aria_snapshot(SETTINGS)


SIDEBAR = """
- complementary "Sidebar":
  - navigation "Main":
    - link "Chat"
  - button "Jump to…"
  - search:
    - textbox "Search messages"
  - button "New room"
  - link "Browse rooms"
  - navigation "Rooms":
    - list:
      - listitem:
        - link "Launch"
      - listitem:
        - link "Design Review"
  - button "Profile, Hedy Lamarr"
  - button "Settings"
  - button "Sign out"
"""

SWITCHER = """
- dialog "Go to a room":
  - heading "Go to a room" [level=2]
  - combobox "Go to a room"
  - listbox "Rooms":
    - option "Launch" [selected]
    - option "Design Review"
    - option "New message"
    - option "Browse rooms"
    - option "Search messages"
    - option "All rooms"
  - status: 6 found
"""

SETTINGS = """
- dialog "Settings":
  - heading "Settings" [level=2]
  - button "Close"
  - alert
  - textbox "Name": Hedy Lamarr
  - group "Status":
    - textbox "Emoji"
    - textbox "Status"
    - button "🗓️ In a meeting"
    - combobox "Clear after"
  - switch "Read receipts" [checked]
  - button "Save"
  - group "Theme":
    - radio "System" [checked]
    - radio "Light"
    - radio "Dark"
  - button "Change password"
"""
