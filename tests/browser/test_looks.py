"""FEATURES 6.1 to 6.3 on the pages that are there: axe, both themes, phone to wide screen, the keyboard."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ViewportSize, expect

from chatapp import demo, settings

from .conftest import Lobby
from .people import DESKTOP, PHONE, THEMES, Person, long_press

TINY, TABLET = ViewportSize(width=320, height=568), ViewportSize(width=768, height=1024)
DEVICES: dict[str, tuple[dict[str, Any], ViewportSize]] = {
    "desktop": ({"viewport": DESKTOP}, TABLET),
    "phone": ({"viewport": PHONE, "has_touch": True, "is_mobile": True}, TINY),
}
"""Each with a narrower screen on which everything must fit, too."""

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


async def screens(lobby: Lobby, **options: Any) -> AsyncIterator[tuple[str, Person]]:
    """Every page and what opens on it, one after the other."""
    stranger = await lobby.stranger(**options)
    for path, last in (("/sign-in", "Continue as Alan"), ("/sign-up", "Sign up")):
        await stranger.go(path)
        await expect(stranger.button(last)).to_be_visible()  # the demo people come a moment after the form
        await stranger.is_still()
        yield path, stranger

    ada = await lobby.signed_in("Ada", **options)
    await expect(ada.link("General").first).to_be_visible()
    await ada.is_still()
    yield "/chat", ada
    await ada.button("New room").first.click()
    await expect(ada.field("Room name")).to_be_focused()
    await ada.is_still()
    yield "the dialog New room", ada
    await ada.page.keyboard.press("Escape")
    await ada.create_room(f"Room {uuid4().hex[:6]}")
    await ada.ready()
    await ada.is_still()
    yield "an empty room", ada
    await ada.say("Short")
    await ada.say(LONG)
    await ada.say("שלום עולם, hello 👩‍👩‍👧‍👦")
    await ada.has_messages(3)
    await ada.is_still()
    yield "a room", ada
    await ada.button("Members").click()
    await expect(ada.heading("Members")).to_be_visible()
    await ada.is_still()
    yield "the panel Members", ada
    await ada.page.keyboard.press("Escape")
    async for screen in of_changes(ada):
        yield screen
    async for screen in of_the_shell(ada):
        yield screen
    await ada.go("/chat/browse")
    await expect(ada.heading("Browse rooms")).to_be_visible()
    await expect(ada.page.get_by_role("main").locator(".skeleton")).to_have_count(0)
    await ada.is_still()
    yield "/chat/browse", ada
    await ada.go("/search?q=the")
    await expect(ada.page.get_by_role("list", name="Results")).to_be_visible()
    await ada.is_still()
    yield "/search", ada
    await ada.go("/no/such/page")
    await expect(ada.heading("Page not found")).to_be_visible()
    await ada.is_still()
    yield "404", ada


async def of_the_shell(ada: Person) -> AsyncIterator[tuple[str, Person]]:
    """What opens on every page with a sidebar."""
    narrow = await ada.button("Open rooms").is_visible()
    if narrow:
        await ada.button("Open rooms").click()
        await ada.is_still()
        yield "the drawer", ada
    await ada.button("Settings").click()
    await expect(ada.field("Name")).to_be_visible()
    await ada.is_still()
    yield "the settings", ada
    await ada.button("Change password").click()
    await expect(ada.field("Current password")).to_be_focused()
    await ada.button("Change password").scroll_into_view_if_needed()
    await ada.is_still()
    yield "the settings' password", ada
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_role("dialog", name="Settings")).to_have_count(0)
    if narrow:
        await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("Control+k")
    await expect(ada.page.get_by_role("combobox", name="Go to a room")).to_be_focused()
    await ada.is_still()
    yield "the switcher", ada
    await ada.page.keyboard.type("no such room")
    await expect(ada.page.get_by_text("No room or person goes by that name.")).to_be_visible()
    await ada.is_still()
    yield "the switcher with nothing in it", ada
    await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("Control+/")
    await expect(ada.heading("Keyboard shortcuts")).to_be_visible()
    await ada.is_still()
    yield "the keyboard shortcuts", ada
    await ada.page.keyboard.press("Escape")


async def of_changes(ada: Person) -> AsyncIterator[tuple[str, Person]]:
    """A message with all that can be at one, and what opens for changing messages and rooms."""
    await react(ada.room_id, *"👍🎉😮🚀🐛")
    await expect(ada.log.get_by_role("button", name=re.compile("👍 1: Ada"))).to_be_visible()
    await ada.log.locator("[data-row]").last.focus()
    await ada.is_still()
    yield "a message's tools", ada
    touch = await ada.page.evaluate("matchMedia('(hover: none)').matches")
    if not touch:
        await ada.button("Add reaction").click()
        await expect(ada.button("React with 😀")).to_be_visible()
        await ada.is_still()
        yield "the picker", ada
        await ada.page.keyboard.press("Escape")
        await ada.log.locator("[data-row]").last.focus()
        await ada.button("Delete").click()
        await expect(ada.heading("Delete this message?")).to_be_visible()
        await ada.is_still()
        yield "before a message is deleted", ada
        await ada.page.keyboard.press("Escape")
    else:
        await long_press(ada, ada.log.locator("[data-row]").last)
        await ada.is_still()
        yield "the sheet of a message", ada
        await ada.page.keyboard.press("Escape")
    await ada.box.press("ArrowUp")
    await expect(ada.field("Edit message")).to_be_focused()
    yield "a message being edited", ada
    await ada.page.keyboard.press("Escape")
    await ada.button("Pinned").click()
    await ada.is_still()
    yield "the pinned messages", ada
    await ada.page.keyboard.press("Escape")
    await ada.button("Members").click()
    await ada.button("Manage Grace Hopper").click()
    await ada.is_still()
    yield "what may be done about a member", ada
    await ada.button("Room settings").click()
    await expect(ada.field("Room name")).to_be_visible()
    await ada.is_still()
    yield "the dialog Room settings", ada
    await ada.button("Archive room").click()
    question = ada.page.get_by_role("dialog", name=re.compile("^Archive "))
    await expect(question).to_be_visible()
    await ada.is_still()
    yield "before a room is archived", ada
    await question.get_by_role("button", name="Archive room").click()
    await expect(ada.page.get_by_text("This room is archived.")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await ada.is_still()
    yield "an archived room", ada


async def react(room_id: str, *emoji: str) -> None:
    """From psql: Grace comes in, both react to the last message, and it is pinned."""
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as psql:
        grace = (demo.demo_id("Grace"),)
        await psql.execute("insert into room_members (room_id, user_id) values (%s, %s)", (room_id, *grace))
        last = "(select id from chat_messages where room_id = %s order by seq desc limit 1)"
        for each in emoji:
            await psql.execute(
                f"insert into message_reactions (message_id, user_id, emoji) select {last}, user_id, %s"
                " from room_members where room_id = %s order by joined_at limit 1",
                (room_id, each, room_id),
            )
        await psql.execute(
            f"insert into message_reactions (message_id, user_id, emoji) values ({last}, %s, '🎂')", (room_id, *grace)
        )
        await psql.execute(f"update chat_messages set pinned_at = now() where id = {last}", (room_id,))


@pytest.mark.parametrize("device", DEVICES, ids=DEVICES.keys())
async def test_every_screen_is_accessible_in_both_themes_fits_and_can_be_touched(lobby: Lobby, device: str) -> None:
    options, narrower = DEVICES[device]
    faults: list[Any] = []
    async for name, person in screens(lobby, **options):
        for theme in THEMES:
            await person.in_theme(theme)
            results = await Axe().run(person.page)
            faults += [(name, theme, results.generate_report())] if results.violations_count else []
        for size in (options["viewport"], narrower):
            await person.page.set_viewport_size(size)
            overflow = await person.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            faults += [(name, size["width"], overflow)] if overflow > 0 else []
        await person.page.set_viewport_size(options["viewport"])
        if options.get("has_touch"):
            faults += [(name, *each) for each in await person.page.evaluate(SMALL_TARGETS)]
    assert faults == []


async def test_the_box_stays_in_sight_above_a_phones_keyboard(lobby: Lobby) -> None:
    phone = await lobby.phone()
    await phone.enter_as("Ada")
    await phone.link("General").first.click()
    await phone.ready()
    await phone.page.set_viewport_size({"width": 390, "height": 430})  # what is left beside the keyboard
    await expect(phone.box).to_be_in_viewport(ratio=1)
    await expect(phone.button("Send")).to_be_in_viewport(ratio=1)
    await phone.is_at_bottom()


async def test_from_signing_in_to_a_reply_in_a_thread_by_keyboard_alone(lobby: Lobby) -> None:
    ada = await lobby.stranger()
    await ada.go("/sign-in")
    await ada.tab_to("Continue as Ada")
    await ada.page.keyboard.press("Enter")
    await expect(ada.heading("Chat Rooms")).to_be_visible()
    await ada.tab_to("New room")
    await ada.page.keyboard.press("Enter")
    await expect(ada.field("Room name")).to_be_focused()
    await ada.page.keyboard.type("By keyboard")
    await ada.page.keyboard.press("Enter")
    await ada.ready()
    await ada.page.keyboard.type("Look, no mouse")
    await ada.page.keyboard.press("Enter")
    await ada.sees("Look, no mouse")
    await ada.tab_to("Members", backwards=True)
    await ada.page.keyboard.press("Enter")
    await expect(ada.heading("Members")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await expect(ada.heading("Members")).to_have_count(0)
    await ada.tab_to("Reply in thread")
    await ada.page.keyboard.press("Enter")
    await expect(ada.field("Reply")).to_be_focused()
    await ada.page.keyboard.type("Nor here")
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.get_by_text("Nor here", exact=True)).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await expect(ada.field("Reply")).to_have_count(0)
    await expect(ada.log.get_by_role("button", name="1 reply")).to_be_visible()


async def test_the_theme_can_be_chosen_and_is_remembered(lobby: Lobby) -> None:
    ada = await lobby.signed_in("Ada", color_scheme="light")
    shown = "getComputedStyle(document.documentElement).backgroundColor"
    light = await ada.page.evaluate(shown)
    await ada.button("Settings").click()
    await ada.page.get_by_text("Dark", exact=True).click()
    await ada.page.wait_for_function(f"{shown} !== '{light}'")
    dark = await ada.page.evaluate(shown)
    await ada.page.reload()
    await expect(ada.heading("Chat Rooms")).to_be_visible()
    assert await ada.page.evaluate(shown) == dark


SMALL_TARGETS = """
() => {
  const seen = (one) => one.checkVisibility({visibilityProperty: true}) && !one.closest("[inert]");
  const name = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.name || one.tagName;
  const size = (one) => (one.closest("label") ?? one).getBoundingClientRect();
  const targets = [...document.querySelectorAll("button, a[href], [role=switch], [type=radio]")].filter(seen);
  const inline = (one) => one.tagName === "A" && getComputedStyle(one).display === "inline";
  const small = targets.filter((one) => !inline(one) && (size(one).height < 43.5 || size(one).width < 43.5));
  const typed = "input:not([type=checkbox], [type=radio]), select, textarea";
  const fields = [...document.querySelectorAll(typed)].filter(seen);
  const zooming = fields.filter((one) => parseFloat(getComputedStyle(one).fontSize) < 16);
  return [...small.map((one) => [name(one), size(one).width, size(one).height]), ...zooming.map((one) => [name(one)])];
}
"""
