"""FEATURES 2 and 3 as two people see them, each in a browser of their own."""

from __future__ import annotations

import asyncio
import re
from uuid import uuid4

import psycopg
import pytest
from playwright.async_api import expect

from chatapp import settings
from chatapp.realtime.room import SLOTS
from tests.server import Server

from .conftest import Lobby, killed, written
from .people import Person


async def rename(person: Person, before: str, after: str) -> None:
    await person.button(f"Profile, {before}").click()
    await person.field("Name").fill(after)
    await person.button("Save").click()
    await expect(person.button(f"Profile, {after}")).to_be_visible()


def write_lines(room_id: str, count: int) -> None:
    """`line 1` and so on, from psql and all at once."""
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute(
            "insert into chat_messages (room_id, user_id, client_id, content)"
            " select m.room_id, m.user_id, n::text, 'line ' || n from generate_series(1, %s) n,"
            " (select room_id, user_id from room_members where room_id = %s limit 1) m",
            (count, room_id),
        )


async def test_one_makes_a_room_the_other_joins_and_they_talk(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("Hello Grace")
    await grace.sees("Hello Grace")
    await grace.say("Hello Ada")
    await ada.sees("Hello Ada")
    await ada.sees("Hello Grace")


async def test_a_hundred_messages_are_each_shown_once_and_in_order_in_both(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()

    async def talk(person: Person, name: str) -> None:
        for number in range(50):
            await person.box.fill(f"{name} {number}")
            await person.box.press("Enter")

    await asyncio.gather(talk(ada, "ada"), talk(grace, "grace"))
    wanted = {f"{name} {number}" for name in ("ada", "grace") for number in range(50)}
    for person in (ada, grace):
        await person.has_messages(100)
    texts = [await person.texts() for person in (ada, grace)]
    assert texts[0] == texts[1]
    assert set(texts[0]) == wanted
    for name in ("ada", "grace"):
        assert [text for text in texts[0] if text.startswith(name)] == [f"{name} {n}" for n in range(50)]


async def test_a_row_from_psql_appears_in_both_browsers(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    room_id = ada.room_id
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute(
            "insert into chat_messages (room_id, user_id, client_id, content)"
            " select %s, user_id, gen_random_uuid(), 'written by hand' from room_members where room_id = %s limit 1",
            (room_id, room_id),
        )
    await ada.sees("written by hand")
    await grace.sees("written by hand")


async def test_the_box_is_cleared_on_success_and_the_button_is_off_while_it_is_empty(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    await expect(ada.box).to_have_attribute("placeholder", "Type a message...")
    await expect(ada.button("Send")).to_be_disabled()
    await ada.box.fill("   ")
    await expect(ada.button("Send")).to_be_disabled()
    await ada.box.fill("  trimmed  ")
    await ada.button("Send").click()
    await expect(ada.box).to_have_value("")
    await expect(ada.button("Send")).to_be_disabled()
    await ada.sees("trimmed")


async def test_enter_sends_shift_enter_breaks_the_line_and_an_ime_does_neither(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.box.press_sequentially("one")
    await ada.box.press("Shift+Enter")
    await ada.box.press_sequentially("two")
    await ada.box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    await expect(ada.box).to_have_value("one\ntwo")
    await ada.box.press("Enter")
    await grace.has_messages(1)
    assert await grace.texts() == ["one\ntwo"]


async def test_on_touch_enter_breaks_the_line(lobby: Lobby) -> None:
    room_id = await lobby.room("Ada", "Grace")
    phone = await lobby.phone()
    await phone.enter_as("Ada", f"/chat/{room_id}")
    await phone.ready()
    await phone.box.press_sequentially("one")
    await phone.box.press("Enter")
    await phone.box.press_sequentially("two")
    await expect(phone.box).to_have_value("one\ntwo")
    await phone.button("Send").click()
    await phone.has_messages(1)


@pytest.mark.parametrize(
    "text",
    [
        "שלום עולם",
        "👩‍👩‍👧‍👦 👍🏽",
        "\u202egnp.exe",
        "<img src=x onerror=alert(1)>",
        "w" * 3000,
        "2 * 3, not_yet, <b>no</b>",
    ],
)
async def test_texts_are_shown_exactly(lobby: Lobby, text: str) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say(text)
    await grace.has_messages(1)
    assert await grace.texts() == [text]
    overflow = await grace.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a" * 100_000, "Message is too long: 100,000 of 10,000 characters."),
        ("a\0b", "Message contains characters that cannot be stored."),
        ("a\ud800b", "Message contains characters that cannot be stored."),
    ],
)
async def test_a_refused_text_stays_in_the_box(lobby: Lobby, text: str, sentence: str) -> None:
    ada = await lobby.in_a_room()
    escaped = "".join(f"\\u{ord(char):04x}" if not " " <= char <= "~" else char for char in text)
    await ada.box.evaluate(
        "box => { Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')"
        f".set.call(box, '{escaped}'); box.dispatchEvent(new Event('input', {{bubbles: true}})) }}"
    )
    await ada.button("Send").click()
    await expect(ada.page.get_by_text(sentence)).to_be_visible()
    assert await ada.box.evaluate("box => box.value.length") == len(text)
    await ada.has_messages(0)


# By how many px texts move when the older page comes for which somebody waits at the very top.
MOVED_WHILE_AT_THE_TOP = """
async (log) => {
  const text = log.querySelectorAll("[data-row] .text")[3];
  const rows = () => log.querySelectorAll("[data-row]").length;
  const before = rows(), end = Date.now() + 15000;
  log.scrollTop = 0;
  const place = text.getBoundingClientRect().top;
  while (rows() === before && Date.now() < end) await new Promise(requestAnimationFrame);
  if (rows() === before) throw new Error("the older page did not come");
  return text.getBoundingClientRect().top - place;
}
"""


async def test_history_loads_while_scrolling_up_and_the_row_in_sight_stays(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    room_id = ada.room_id
    write_lines(room_id, 300)
    await ada.sees("line 300")
    await ada.open_room(room_id)
    await ada.has_messages(50)
    await ada.is_at_bottom()
    assert abs(await ada.log.evaluate(MOVED_WHILE_AT_THE_TOP)) < 1
    worst = await ada.scroll_to_top_watching_rows(until="line 1")
    assert worst <= 2
    texts = await ada.texts()
    assert texts == [f"line {n}" for n in range(1, 301)]


async def test_follows_at_the_bottom_and_stays_put_when_scrolled_up(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    for number in range(40):
        await grace.box.fill(f"line {number}")
        await grace.box.press("Enter")
    await ada.has_messages(40)
    await ada.is_at_bottom()
    await ada.scroll_by(-600)
    before = await ada.scroll_top()
    for number in range(3):
        await grace.say(f"news {number}")
    await expect(ada.page.get_by_text("3 new messages")).to_be_visible()
    assert abs(await ada.scroll_top() - before) <= 2
    await ada.button("Jump to latest").click()
    await expect(ada.button("Jump to latest")).to_have_count(0)
    await ada.sees("news 2")
    await ada.is_at_bottom()


async def test_enter_on_jump_to_latest_sends_nothing(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    room_id = ada.room_id
    write_lines(room_id, 40)
    await ada.has_messages(40)
    await ada.is_at_bottom()
    await ada.box.fill("not finished")
    await ada.scroll_by(-600)
    await ada.button("Jump to latest").press("Enter")
    await ada.is_at_bottom()
    await expect(ada.button("Jump to latest")).to_have_count(0)
    await expect(ada.box).to_have_value("not finished")
    await ada.has_messages(40)


async def test_who_has_followed_more_than_can_be_kept_sees_no_beginning_and_no_holes(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    room_id = ada.room_id
    await expect(ada.page.get_by_text("This is where the room begins.")).to_be_visible()
    write_lines(room_id, 600)
    await ada.sees("line 600")
    await ada.has_messages(SLOTS)
    assert await ada.texts() == [f"line {n}" for n in range(601 - SLOTS, 601)]
    await expect(ada.page.get_by_text("This is where the room begins.")).to_have_count(0)


async def test_sending_from_far_back_leads_to_the_newest_message(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    room_id = ada.room_id
    write_lines(room_id, 600)
    await ada.sees("line 600")
    await ada.open_room(room_id)
    await ada.has_messages(50)
    await ada.scroll_to_top_watching_rows(until="line 1")
    await expect(ada.message("line 600")).to_have_count(0)
    await ada.say("from far back")
    await ada.sees("from far back")
    await ada.is_at_bottom()
    await expect(ada.button("Jump to latest")).to_have_count(0)


async def test_a_message_is_pending_at_once_and_sent_again_after_the_server_was_away(
    lobby: Lobby, server: Server
) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("before")
    await grace.sees("before")
    async with killed(server):
        await ada.say("while nobody is there")
        await ada.sees("while nobody is there")
        await expect(ada.box).to_have_value("")
    await grace.sees("while nobody is there")
    await ada.sees("while nobody is there")
    assert await ada.texts() == ["before", "while nobody is there"]
    assert await grace.texts() == ["before", "while nobody is there"]


async def test_a_failed_message_offers_retry_and_makes_no_second_row(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute("alter table chat_messages rename to chat_messages_away")
        try:
            await ada.say("not yet")
            await expect(ada.button("Retry")).to_be_visible()
            await expect(ada.page.get_by_text("Failed to send message").first).to_be_visible()
        finally:
            psql.execute("alter table chat_messages_away rename to chat_messages")
    await ada.button("Retry").click()
    await grace.sees("not yet")
    await expect(ada.button("Retry")).to_have_count(0)
    assert await ada.texts() == ["not yet"]


async def test_retry_does_not_fail_again_with_the_answer_to_an_earlier_attempt(lobby: Lobby, server: Server) -> None:
    ada, grace = await lobby.room_of_two()
    room_id = ada.room_id
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute("alter table chat_messages rename to chat_messages_away")
        try:
            await ada.say("third time lucky")
            await expect(ada.button("Retry")).to_be_visible()
            await ada.button("Retry").click()
            await expect(ada.button("Retry")).to_be_visible()  # a new attempt, a new refusal
        finally:
            psql.execute("alter table chat_messages_away rename to chat_messages")
    async with killed(server):
        await ada.button("Retry").click()
        await expect(ada.log.locator("[data-row][aria-busy=true]")).to_have_count(1)
        await expect(ada.button("Retry")).to_have_count(0)
    await grace.sees("third time lucky")
    await ada.has_messages(1)
    assert written(room_id) == ["third time lucky"]


async def test_what_one_left_unsent_is_not_sent_as_the_next_person_at_the_tab(lobby: Lobby, server: Server) -> None:
    ada, grace = await lobby.room_of_two()
    room_id = ada.room_id
    kept = "Object.entries(localStorage).filter(([key]) => key.startsWith('chatapp.outbox.')).join()"
    async with killed(server):
        await ada.say("in Ada's name only")
        assert "in Ada's name only" in await ada.page.evaluate(kept)
        await ada.page.goto("about:blank")
    await ada.go("/chat")
    assert "in Ada's name only" in await ada.page.evaluate(kept)
    await ada.sign_out()
    await expect(ada.button("Continue as Grace").or_(ada.link("Sign in")).first).to_be_visible()
    await ada.enter_as("Grace", f"/chat/{room_id}")
    await ada.ready()
    await ada.say("in Grace's name")
    await grace.sees("in Grace's name")
    assert written(room_id) == ["in Grace's name"]
    assert "in Ada's name only" in await ada.page.evaluate(kept)  # and still hers, if she comes back


async def test_a_new_name_stands_at_the_messages_that_are_shown(lobby: Lobby) -> None:
    ada, grace = await lobby.room_of_two()
    await ada.say("who am I")
    await grace.sees("who am I")
    await expect(grace.log.locator(".author")).to_have_text("Ada Lovelace")
    try:
        await rename(ada, "Ada Lovelace", "Ada King")
        for person in (ada, grace):
            await expect(person.log.locator(".author")).to_have_text("Ada King")
            await expect(person.log.get_by_role("img", name="Ada King")).to_be_visible()
            await expect(person.log.get_by_role("article", name="Ada King")).to_have_count(1)
    finally:
        await rename(ada, "Ada King", "Ada Lovelace")
    await expect(grace.log.locator(".author")).to_have_text("Ada Lovelace")


async def test_times_are_in_the_viewers_own_zone(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    room_id = ada.room_id
    await ada.say("what time is it")
    elsewhere = await lobby.stranger(timezone_id="Asia/Tokyo", locale="en-GB")
    await elsewhere.enter_as("Grace", f"/chat/{room_id}")
    await elsewhere.has_messages(1)
    moment = elsewhere.log.locator("time").first
    shown, stamp = await moment.inner_text(), await moment.get_attribute("datetime")
    wanted = await elsewhere.page.evaluate(
        "s => new Date(s).toLocaleTimeString([], {hour: 'numeric', minute: '2-digit'})", stamp
    )
    assert shown == wanted
    assert re.fullmatch(r"\d\d?:\d\d", shown)  # no AM or PM


async def test_members_are_shown_with_role_and_date(lobby: Lobby) -> None:
    ada = await lobby.in_a_room()
    await ada.button("Members").click()
    panel = ada.page.get_by_role("complementary", name="Members").or_(ada.page.get_by_role("dialog", name="Members"))
    await expect(panel.get_by_text("Ada Lovelace")).to_be_visible()
    await expect(panel.get_by_text("Grace Hopper")).to_be_visible()
    await expect(panel.get_by_text(re.compile("owner", re.IGNORECASE))).to_be_visible()
    await expect(panel.locator("time").first).to_have_attribute("datetime", re.compile(r"^\d{4}-"))


async def test_an_invite_link_leads_into_the_room(lobby: Lobby) -> None:
    ada, grace = await lobby.signed_in("Ada"), await lobby.stranger()
    await ada.create_room(f"Invited {uuid4().hex[:6]}", private=True)
    await ada.ready()
    await ada.button("Invite").click()
    link = ada.page.get_by_label("Invite link", exact=True)
    await expect(link).to_have_value(re.compile(r"/invite/[\w-]+$"))
    await expect(link).not_to_be_editable()
    path = re.sub(r"^https?://[^/]+", "", await link.input_value())
    await grace.enter_as("Grace", path)
    await grace.button("Join room").click()
    await grace.ready()
    assert grace.room_id == ada.room_id
    await grace.say("Thanks for the invite")
    await ada.sees("Thanks for the invite")


async def test_leaving_takes_the_room_off_the_list(lobby: Lobby) -> None:
    grace = await lobby.in_a_room("Grace")
    room_id = grace.room_id
    name = await grace.page.get_by_role("heading", level=1).inner_text()
    await grace.leave_room()
    await expect(grace.heading("Chat Rooms")).to_be_visible()
    await expect(grace.page.get_by_role("link", name=name)).to_have_count(0)
    await grace.go(f"/chat/{room_id}")
    await expect(grace.heading("Page not found")).to_be_visible()


async def test_an_unknown_room_and_a_foreign_room_are_the_same_404_page(lobby: Lobby) -> None:
    room_id = await lobby.room("Ada", "Grace")
    linus = await lobby.signed_in("Linus")
    seen = []
    for address in (room_id, str(uuid4()), "nonsense"):
        await linus.go(f"/chat/{address}")
        await expect(linus.heading("Page not found")).to_be_visible()
        seen.append(await linus.page.get_by_role("main").inner_text())
    await linus.go("/no/such/page")
    await expect(linus.heading("Page not found")).to_be_visible()
    assert len(set(seen)) == 1


async def test_the_room_list_shows_mine_and_nobody_elses_and_updates_itself(lobby: Lobby) -> None:
    ada, linus = await lobby.signed_in("Ada"), await lobby.signed_in("Linus")
    await expect(ada.page.get_by_text("Select a room to start chatting")).to_be_visible()
    name = f"Quiet {uuid4().hex[:6]}"
    second = await ada.context.new_page()
    await second.goto(ada.page.url)
    await ada.create_room(name, private=True)
    await expect(second.get_by_role("link", name=name).first).to_be_visible()
    await expect(linus.heading("Chat Rooms")).to_be_visible()
    await expect(linus.page.get_by_role("link", name=name)).to_have_count(0)
