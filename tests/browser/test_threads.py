"""Messages in their context, quotes and threads, seen at two browsers: FEATURES 3.7 and 4.5."""

from __future__ import annotations

import re
from uuid import UUID

import psycopg
import pytest
from playwright.async_api import Locator, expect

from chatapp import settings

from .conftest import Lobby
from .people import PHONE, THEMES, Person, Theme, long_press


def said_by_grace(room_id: str, number: int) -> list[str]:
    """Let Grace have said much in a room, by hand; answers the messages' ids."""
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        rows = psql.execute(
            "insert into chat_messages (room_id, user_id, client_id, content)"
            " select room_id, user_id, 'number ' || n, 'number ' || n"
            " from room_members join profiles on id = user_id, generate_series(1, %s) n"
            " where room_id = %s and name = 'Grace Hopper' order by n returning id",
            (number, room_id),
        )
        return [str(UUID(str(row[0]))) for row in rows.fetchall()]


async def tool(person: Person, log: Locator, text: str, name: str) -> None:
    """Point at a message and press a button of its toolbar."""
    said = person.page.locator(".text", has_text=re.compile(f"^{re.escape(text)}$"))
    await log.locator("[data-row]").filter(has=said).hover()
    await log.get_by_role("toolbar", name="Message actions").get_by_role("button", name=name, exact=True).click()


def thread(person: Person) -> Locator:
    return person.page.get_by_role("log", name="Thread")


def link(person: Person, text: str | re.Pattern[str]) -> Locator:
    """The way into a thread, below its first message."""
    return person.log.get_by_role("button", name=text)


async def reply(person: Person, text: str) -> None:
    await person.field("Reply").fill(text)
    await person.button("Send reply").click()


async def sees_in_thread(person: Person, text: str) -> None:
    await expect(thread(person).get_by_text(text, exact=True)).to_have_count(1)


def marked(person: Person) -> Locator:
    return person.log.locator("[data-row][data-marked]")


async def test_a_link_opens_a_message_among_those_around_it_and_the_way_back_is_whole(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    ids = said_by_grace(ada.room_id, 700)
    await ada.sees("number 700")
    await tool(ada, ada.log, "number 700", "Copy link")
    await expect(ada.page.get_by_text("Copied")).to_be_visible()
    reader = Person(ada.context, await ada.context.new_page())
    await reader.go(f"/chat/{ada.room_id}?m={ids[99]}")
    await expect(marked(reader)).to_contain_text("number 100")
    await expect(marked(reader)).to_be_in_viewport()
    await expect(marked(reader)).to_be_focused()
    await reader.sees("number 90")
    await expect(reader.message("number 700")).to_have_count(0)
    assert reader.page.url.endswith(ada.room_id), "reconnecting must not lead here again"
    await ada.say("news")
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute("update chat_messages set content = 'changed far back' where id = %s", (ids[101],))
    await expect(reader.log.get_by_text("changed far back")).to_be_visible()
    await scroll_down_to(reader, "news")
    texts = await reader.texts()
    numbers = [int(text.removeprefix("number ")) for text in texts if text.startswith("number ")]
    assert numbers == list(range(numbers[0], 701))
    await grace.say("and on it goes")
    await reader.sees("and on it goes")


async def scroll_down_to(person: Person, text: str) -> None:
    """Read on, page by page, until a message is there."""
    await person.log.evaluate(
        """async (log, until) => {
          const end = Date.now() + 60000;
          while (![...log.querySelectorAll(".text")].some((one) => one.textContent === until)) {
            if (Date.now() > end) throw new Error("never got to " + until);
            log.scrollTop += 400;
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          }
        }""",
        text,
    )


async def test_a_room_opens_at_the_first_unread_message(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    room_id = ada.room_id
    await ada.go("/chat")
    said_by_grace(room_id, 120)
    await grace.sees("number 120")
    listed = ada.page.locator(f"a[href='/chat/{room_id}']")
    await expect(listed.locator(".unread")).to_be_visible()  # so the tab shows the room no more, and counts
    await ada.open_room(room_id)
    new = ada.log.get_by_role("separator", name="New")
    await expect(new).to_be_in_viewport()
    await expect(ada.message("number 1")).to_be_in_viewport()
    await expect(ada.message("number 120")).not_to_be_in_viewport()
    await expect(ada.page.get_by_role("status").filter(has_text="120 new messages")).to_be_visible()
    await ada.button("Jump to latest").click()
    await ada.is_at_bottom()
    await grace.say("one more")
    await ada.sees("one more")
    await ada.is_at_bottom()


async def test_a_quote_leads_to_its_message_and_forgets_what_was_taken_back(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await grace.say("The **boiler** is broken")
    said_by_grace(ada.room_id, 60)
    await ada.sees("number 60")
    await ada.log.evaluate("log => log.scrollTop = 0")
    await tool(ada, ada.log, "The boiler is broken", "Quote")
    await expect(ada.page.get_by_role("group", name="Quoting")).to_have_text("Grace HopperThe boiler is broken")
    await expect(ada.box).to_be_focused()
    await ada.box.press("Escape")
    await expect(ada.page.get_by_role("group", name="Quoting")).to_have_count(0)
    await tool(ada, ada.log, "The boiler is broken", "Quote")
    await ada.say("Again?")
    for person in (ada, grace):
        await expect(quote_in(person)).to_have_text("Grace HopperThe boiler is broken")
    await expect(ada.page.get_by_role("group", name="Quoting")).to_have_count(0)
    await quote_in(grace).click()
    await expect(marked(grace)).to_contain_text("The boiler is broken")
    await expect(marked(grace)).to_be_in_viewport()
    await grace.is_accessible()
    await tool(grace, grace.log, "The boiler is broken", "Delete")
    await expect(grace.page.get_by_role("blockquote")).to_have_text("The boiler is broken")
    await grace.page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    for person in (ada, grace):
        await expect(quote_in(person)).to_have_text("Grace HopperThis message was deleted")


def quote_in(person: Person) -> Locator:
    return person.log.locator("[data-row]").filter(has_text="Again?").locator("button.quote")


async def test_replies_stay_in_their_thread_and_count_as_unread_for_those_who_follow_it(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("Lunch?")
    await grace.say("Unrelated")
    await ada.sees("Unrelated")
    await tool(grace, grace.log, "Lunch?", "Reply in thread")
    await expect(grace.field("Reply")).to_be_focused()
    await reply(grace, "At noon")
    await sees_in_thread(grace, "At noon")
    await expect(link(ada, re.compile("1 reply"))).to_contain_text("1 new")
    await expect(ada.message("At noon")).to_have_count(0)
    await ada.button("Unread threads").click()
    await sees_in_thread(ada, "At noon")
    await expect(link(ada, re.compile("1 reply"))).not_to_contain_text("new")
    await expect(ada.button("Unread threads")).to_have_count(0)
    await reply(ada, "See you there")
    for person in (ada, grace):
        await sees_in_thread(person, "See you there")
        await expect(link(person, re.compile("2 replies"))).to_be_visible()
        await person.has_messages(2)
    await grace.field("Reply").press("ArrowUp")
    await expect(grace.field("Edit message")).to_have_value("At noon")
    await grace.field("Edit message").fill("At one")
    await grace.field("Edit message").press("Enter")
    await expect(thread(ada).get_by_text("At one")).to_be_visible()
    await expect(grace.field("Reply")).to_be_focused()
    await reply_with_help(grace)
    await expect(thread(ada).locator(".mention-me")).to_have_text("@Ada Lovelace")
    await tool(ada, ada.log, "Lunch?", "Edit")
    await ada.field("Edit message").fill("Lunch today?")
    await ada.field("Edit message").press("Enter")
    await expect(thread(grace).get_by_text("Lunch today?")).to_be_visible()
    await ada.is_accessible()
    await grace.page.keyboard.press("Escape")
    await expect(thread(grace)).to_have_count(0)
    await reply(ada, "Or two")
    await expect(link(grace, re.compile("4 replies"))).to_contain_text("1 new")
    second = Person(grace.context, await grace.context.new_page())
    await second.open_room(ada.room_id)
    await expect(link(second, re.compile("4 replies"))).to_contain_text("1 new")
    await link(grace, re.compile("4 replies")).click()
    await sees_in_thread(grace, "Or two")
    for tab in (grace, second):
        await expect(link(tab, re.compile("4 replies"))).not_to_contain_text("new")


async def reply_with_help(person: Person) -> None:
    """Mention Ada, by what the box offers, with an emoji out of the picker."""
    await person.field("Reply").press_sequentially("@ada")
    await expect(person.page.get_by_role("option", name="Ada Lovelace")).to_be_visible()
    await person.is_accessible()
    await person.field("Reply").press("Enter")
    await person.button("Emoji for the reply").click()
    await person.field("Search emoji").fill("rocket")
    await person.button("Insert 🚀").click()
    await expect(person.field("Reply")).to_have_value("@Ada Lovelace 🚀")
    await expect(person.field("Reply")).to_be_focused()
    await person.field("Reply").press("Enter")


async def test_a_thread_comes_back_after_the_connection_was_lost(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("Still there?")
    await grace.sees("Still there?")
    await tool(grace, grace.log, "Still there?", "Reply in thread")
    await reply(grace, "one")
    await sees_in_thread(grace, "one")
    await link(ada, re.compile("1 reply")).click()
    await sees_in_thread(ada, "one")
    await grace.context.set_offline(True)
    await expect(grace.page.get_by_text(re.compile("offline", re.IGNORECASE)).first).to_be_visible(timeout=30_000)
    await reply(grace, "said offline")
    await reply(ada, "said meanwhile")
    await sees_in_thread(ada, "said meanwhile")
    await grace.context.set_offline(False)
    for person in (ada, grace):
        for text in ("one", "said meanwhile", "said offline"):
            await expect(thread(person).get_by_text(text, exact=True)).to_have_count(1, timeout=60_000)


@pytest.mark.parametrize("scheme", THEMES)
async def test_a_thread_covers_a_phone_and_a_link_to_a_reply_opens_it(lobby: Lobby, scheme: Theme) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("On the road")
    await grace.sees("On the road")
    phone = await lobby.phone(color_scheme=scheme)
    await phone.enter_as("Grace", f"/chat/{ada.room_id}")
    await phone.sees("On the road")
    await long_press(phone, phone.message("On the road"))
    await phone.page.get_by_role("dialog", name="Message").get_by_role("button", name="Reply in thread").click()
    panel = phone.page.get_by_role("dialog", name="Thread")
    await phone.is_still()
    box = await panel.bounding_box()
    assert box
    assert (box["x"], box["width"], box["height"]) == (0, PHONE["width"], PHONE["height"])
    await phone.field("Reply").fill("Me too ")
    await phone.button("Emoji for the reply").click()
    await phone.button("Insert 😀").click()
    await expect(phone.field("Reply")).to_have_value("Me too 😀")
    await reply(phone, "Me too")
    await sees_in_thread(phone, "Me too")
    await phone.is_accessible()
    await phone.button("Close").click()
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        row = psql.execute("select id from chat_messages where content = 'Me too' and room_id = %s", (ada.room_id,))
        found = row.fetchone()
        assert found
        psql.execute(
            "insert into chat_messages (room_id, user_id, client_id, content, parent_id)"
            " select room_id, user_id, 'reply ' || n, 'reply ' || n, parent_id"
            " from chat_messages, generate_series(1, 60) n where id = %s order by n",
            (found[0],),
        )
    await phone.go(f"/chat/{ada.room_id}?m={found[0]}")
    await sees_in_thread(phone, "Me too")
    asked_for = thread(phone).locator("[data-row][data-marked]")
    await expect(asked_for).to_contain_text("Me too")
    await expect(asked_for).to_be_in_viewport()
    await expect(asked_for).to_be_focused()
    await phone.is_accessible()
