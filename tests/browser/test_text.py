"""What people write, and what others see of it: FEATURES 3.8, and the mention counts of 2.7."""

from __future__ import annotations

import os
import random
import re
from uuid import uuid4

import psycopg
import pytest
from playwright.async_api import Request, expect

from chatapp import demo, settings
from tests.hostile import HOST, corpus
from tests.server import URL

from .conftest import Lobby
from .people import THEMES, Theme

HOSTILE_TEXTS = int(os.environ.get("HOSTILE_TEXTS", "1000"))
AT_ONCE = 250
"""Rows of one transaction; of two a room's tab shows all."""

ALL_SORTS = """**bold** _italic_ ~~gone~~ `code`

- one
- two

> quoted

[a link](https://example.com/a) and https://example.com/b

```python
def hello():
    return "<b>"
```"""

DISARMED = """
log => {
  const wrong = [];
  const tags = "P BR STRONG EM S CODE PRE BLOCKQUOTE UL OL LI A SPAN DIV BUTTON".split(" ");
  for (const one of log.querySelectorAll(".text *")) {
    if (!tags.includes(one.tagName)) wrong.push(one.outerHTML);
    for (const { name, value } of one.attributes)
      if (/^on|^src|^style|^ping$|action$/.test(name) || (name === "href" && !/^(https?|mailto):/.test(value)))
        wrong.push(one.outerHTML);
    for (const event of ["mouseover", "mouseenter", "focus", "pointerenter", "toggle", "load", "error"])
      one.dispatchEvent(new Event(event, { bubbles: false }));
  }
  return wrong;
}
"""


@pytest.mark.parametrize("scheme", THEMES)
async def test_what_is_marked_up_is_seen_so_by_both(lobby: Lobby, scheme: Theme) -> None:
    ada, grace = await lobby.room_of_two(color_scheme=scheme, permissions=["clipboard-read", "clipboard-write"])
    await ada.say(ALL_SORTS)
    for person in (ada, grace):
        text = person.log.locator(".text")
        await expect(text.locator("strong")).to_have_text("bold")
        await expect(text.locator("em")).to_have_text("italic")
        await expect(text.get_by_role("listitem")).to_have_text(["one", "two"])
        await expect(text.locator("blockquote")).to_have_text("quoted")
        for link in await text.get_by_role("link").all():
            assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
            assert await link.get_attribute("target") == "_blank"
        await expect(text.get_by_role("link")).to_have_count(2)
        await expect(text.locator("pre .k").first).to_have_text("def")
        await expect(text.locator("pre")).to_contain_text('return "<b>"')
    await ada.log.locator("pre").hover()
    await ada.button("Copy code").click()
    await expect(ada.page.get_by_text("Copied")).to_be_visible()
    assert await ada.page.evaluate("navigator.clipboard.readText()") == 'def hello():\n    return "<b>"'
    await grace.say(":tada: 🚀")
    for person in (ada, grace):
        await expect(person.log.locator(".text-large")).to_have_text("🎉 🚀")
    await ada.box.press("ArrowUp")
    await expect(ada.field("Edit message")).to_have_value(ALL_SORTS)
    await ada.field("Edit message").fill("now **other** words")
    await ada.field("Edit message").press("Enter")
    await expect(grace.log.locator(".text strong")).to_have_text(["other"])
    await expect(grace.log.locator("pre")).to_have_count(0)
    await ada.say(ALL_SORTS)
    await expect(grace.log.locator("pre")).to_have_count(1)
    await ada.log.locator("pre").focus()
    await ada.is_accessible()


async def test_somebody_is_mentioned_by_keyboard_and_hears_of_it_elsewhere(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    room = grace.room_id
    await grace.go("/chat")
    listed = grace.page.locator(f"a[href='/chat/{room}']")
    await expect(listed).to_be_visible()
    people = ada.page.get_by_role("listbox", name="People")

    await ada.box.press_sequentially("hi @gr")
    await expect(people.get_by_role("option")).to_have_text([re.compile("Grace Hopper$")])
    await expect(people.get_by_role("option", selected=True)).to_have_attribute(
        "id", await ada.box.get_attribute("aria-activedescendant") or "?"
    )
    await ada.is_accessible()
    await ada.box.press("Escape")
    await expect(people).to_have_count(0)
    await expect(ada.box).to_have_value("hi @gr")
    await ada.box.press_sequentially(" ")
    await ada.box.fill("")
    await ada.box.press_sequentially("@")
    await expect(people).to_be_visible()
    await expect(people.get_by_role("option", name="Ada")).to_have_count(0)
    # Enter that ends an IME composition chooses nobody, and sends nothing.
    await ada.box.evaluate("box => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true}))")
    await expect(people).to_be_visible()
    await ada.box.press_sequentially("hop")
    await ada.box.press("Enter")
    await expect(ada.box).to_have_value("@Grace Hopper ")
    await expect(people).to_have_count(0)
    await ada.box.press_sequentially("look :rock")
    await expect(ada.page.get_by_role("listbox", name="Emoji")).to_contain_text("rocket")
    await ada.box.press_sequentially("et")
    await ada.box.press("Tab")
    await expect(ada.box).to_have_value("@Grace Hopper look 🚀 ")
    await ada.box.press("Enter")
    for text in ("@Grace Hopper twice", "nobody"):
        await ada.say(text)

    await expect(listed.get_by_text("2 mentions")).to_have_count(1)
    await expect(listed.get_by_text("3 unread")).to_have_count(1)
    await listed.click()
    await grace.ready()
    await expect(grace.log.locator(".mention-me")).to_have_text(["@Grace Hopper", "@Grace Hopper"])
    await expect(listed.get_by_text("mention")).to_have_count(0)
    await expect(ada.log.locator(".mention")).to_have_count(2)
    await expect(ada.log.locator(".mention-me")).to_have_count(0)


async def test_somebody_is_mentioned_with_a_finger(lobby: Lobby) -> None:
    ada = await lobby.phone()
    await ada.enter_as("Ada")
    await ada.create_room(f"Room {uuid4().hex[:8]}")
    await ada.ready()
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as psql:
        grace = demo.demo_id("Grace")
        await psql.execute("insert into room_members (room_id, user_id) values (%s, %s)", (ada.room_id, grace))
    await ada.box.press_sequentially("@")
    option = ada.page.get_by_role("option", name="Grace Hopper")
    box = await option.bounding_box()
    assert box
    assert box["height"] >= 44
    await ada.is_accessible()
    await option.tap()
    await expect(ada.box).to_have_value("@Grace Hopper ")
    await expect(ada.box).to_be_focused()
    await ada.button("Emoji").tap()
    await ada.button("Insert 😀").tap()
    await expect(ada.box).to_have_value("@Grace Hopper 😀")
    await ada.button("Send").tap()
    await expect(ada.log.locator(".mention")).to_have_text("@Grace Hopper")


async def test_emoji_are_found_by_name_and_by_keyboard(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    keys = ada.page.keyboard
    await ada.box.press_sequentially("ship it ")
    await ada.button("Emoji").click()
    await expect(ada.field("Search emoji")).to_be_focused()
    await expect(ada.button("Insert 😀")).to_be_visible()
    await ada.is_accessible()
    await keys.press("ArrowDown")
    await expect(ada.button("Insert 😀")).to_be_focused()
    await keys.press("ArrowRight")
    await expect(ada.button("Insert 😃")).to_be_focused()
    await keys.press("Home")
    await ada.button("Food & Drink").click()
    await expect(ada.button("Insert 🍇")).to_be_visible()
    await ada.field("Search emoji").fill("qqqq")
    await expect(ada.page.get_by_text("No emoji is called that.")).to_be_visible()
    await ada.field("Search emoji").fill("party pop")
    await keys.press("Enter")
    await expect(ada.heading("Emoji")).to_have_count(0)
    await expect(ada.box).to_have_value("ship it 🎉")
    await expect(ada.box).to_be_focused()
    await keys.press("Enter")
    await grace.sees("ship it 🎉")
    await grace.log.locator("[data-row]").last.hover()
    await grace.button("Add reaction").click()
    await grace.field("Search emoji").fill("rainbow flag")
    await grace.button("React with 🏳️‍🌈").click()
    await expect(ada.log.get_by_role("button", name="🏳️‍🌈 1: Grace Hopper")).to_be_visible()


async def test_what_is_too_long_is_said_while_it_can_be_changed(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    await ada.box.fill("x" * 10_004)
    said = ada.page.get_by_text("4 characters too many: a message holds 10,000. Your text is kept.")
    await expect(said).to_be_visible()
    await ada.box.fill("x" * 10_000)
    await expect(said).to_have_count(0)


async def test_nothing_hostile_runs_or_fetches(lobby: Lobby) -> None:
    """GOALS G8; `HOSTILE_TEXTS=5000` makes it the whole figure."""
    texts = hostile(HOSTILE_TEXTS)
    ada = await lobby.signed_in("Ada")
    foreign: list[str] = []
    dialogs: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((URL, "data:", "blob:")):
            foreign.append(request.url)

    ada.context.on("request", note)
    ada.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await ada.page.add_init_script("window.hits = 0; window.hit = () => window.hits++;")
    for start in range(0, len(texts), 2 * AT_ONCE):
        await ada.go("/chat")
        await ada.create_room(f"Hostile {uuid4().hex[:8]}")
        await ada.ready()
        room = ada.room_id
        part = texts[start : start + 2 * AT_ONCE]
        await put(room, part[:AT_ONCE])
        await put(room, part[AT_ONCE:])
        await ada.has_messages(len(part))
        assert await ada.log.evaluate(DISARMED) == []
        assert await ada.page.evaluate("window.hits") == 0
    assert (foreign, dialogs) == ([], [])
    # The premise: what is looked for would be seen.
    async with ada.page.expect_request(f"https://{HOST}/p.png"):
        await ada.page.evaluate(f"new Image().src = 'https://{HOST}/p.png'; hit();")
    assert await ada.page.evaluate("window.hits") == 1
    assert foreign == [f"https://{HOST}/p.png"]


def hostile(count: int) -> list[str]:
    """The corpus, then pieces of it put together by chance, the same in every run."""
    chance, known = random.Random(8), [text for text in corpus() if "\0" not in text]
    mixed = (_mixed(chance, known) for _ in range(max(0, count - len(known))))
    return [text for text in (*known, *mixed) if text.strip()][: max(count, len(known))]


def _mixed(chance: random.Random, known: list[str]) -> str:
    one, other = chance.choice(known)[:2000], chance.choice(known)[:2000]
    middle = chance.choice(["", "\n", "\n\n", "**", "`", "](", "> ", "<", '"', "@Ada Lovelace "])
    return one[: chance.randrange(len(one) + 1)] + middle + other[chance.randrange(len(other)) :]


async def put(room_id: str, texts: list[str]) -> None:
    """Have Ada say all this, in one transaction."""
    if not texts:
        return
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as psql:
        await psql.execute(
            "insert into chat_messages (room_id, user_id, client_id, content)"
            " select %s, %s, gen_random_uuid()::text, text from unnest(%s::text[]) as t (text)",
            (room_id, demo.demo_id("Ada"), [text.strip() for text in texts]),
        )
