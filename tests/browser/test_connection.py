"""FEATURES 6.4, 3.3 and 3.9: what people see and keep while the network or the server is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from playwright.async_api import Locator, expect

from chatapp import settings
from tests.network import Network
from tests.server import Server

from .conftest import Lobby, killed, written
from .people import Person

OFFLINE = "You're offline. Messages will be sent when you're back."
RECONNECTING = "Reconnecting…"

# What must never be seen by somebody whose connection comes back: every such text, and the log without its rows.
WATCH_FLASHES = """
() => {
  window.flashes = [];
  const log = document.querySelector("[role=log]"), most = log.querySelectorAll("[data-row]").length;
  const look = () => {
    const text = document.body.innerText;
    for (const word of ["Loading", "Continue as", "Sign in", "Page not found"])
      if (text.includes(word)) window.flashes.push(word);
    if (log.querySelectorAll("[data-row]").length < most) window.flashes.push("rows missing");
    if (!log.isConnected) window.flashes.push("another log");
    for (const name of document.querySelectorAll("h1, .author"))
      if (!name.textContent.trim()) window.flashes.push("a name missing");
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""


def banner(person: Person) -> Locator:
    return person.page.locator(".connection")


async def says(person: Person, text: str) -> None:
    await expect(banner(person)).to_have_text(text)
    await expect(banner(person)).to_be_in_viewport()


async def is_silent(person: Person) -> None:
    await expect(banner(person)).to_have_text("")


@asynccontextmanager
async def away(fault: str, ada: Person, network: Network, server: Server) -> AsyncIterator[None]:
    """Ada cannot reach the server in here."""
    if fault == "the server is killed":
        async with killed(server):
            yield
        return
    if fault == "no network":
        await ada.context.set_offline(True)
    elif fault == "cut":
        network.cut()
    else:
        network.hold()
    try:
        yield
    finally:
        network.mend()
        await ada.context.set_offline(False)


@pytest.mark.parametrize("fault", ["no network", "cut", "half-open", "the server is killed"])
async def test_a_loss_is_said_and_heals_with_nothing_missing_and_nothing_double(
    lobby: Lobby, network: Network, server: Server, fault: str
) -> None:
    ada, grace = await lobby.room_of_two(proxy=network.proxy)
    await ada.say("before")
    await grace.sees("before")
    await ada.has_messages(1)
    await ada.page.evaluate(WATCH_FLASHES)
    async with away(fault, ada, network, server):
        await says(ada, OFFLINE if fault == "no network" else RECONNECTING)
        for number in range(5):
            await ada.say(f"while away {number}")
        await expect(ada.log.locator("[data-row][aria-busy=true]")).to_have_count(5)
        if fault != "the server is killed":
            await grace.say("from Grace meanwhile")
        await ada.box.press_sequentially("half a sentence")
        await ada.box.evaluate("box => box.setSelectionRange(4, 6)")
    await ada.box.press("End")
    await ada.box.press_sequentially(" and more")
    await is_silent(ada)
    await ada.has_messages(6 if fault == "the server is killed" else 7)
    await expect(ada.box).to_have_value("half a sentence and more")
    assert await ada.page.evaluate("window.flashes") == []
    await grace.sees("while away 4")
    assert await ada.texts() == await grace.texts() == written(ada.room_id)
    assert [text for text in await ada.texts() if "away" in text] == [f"while away {n}" for n in range(5)]
    await ada.say("live again")
    await grace.sees("live again")
    await grace.say("both ways")
    await ada.sees("both ways")


async def test_a_slow_link_gets_the_room_back_however_long_its_messages_are(lobby: Lobby, network: Network) -> None:
    ada, grace = await lobby.room_of_two(proxy=network.proxy)
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        psql.execute(
            "insert into chat_messages (room_id, user_id, client_id, content)"
            " select room_id, user_id, n::text, repeat('é', 9900) || n from room_members, generate_series(1, 60) n"
            " where room_id = %s and role = 'owner' order by n + 0",
            [ada.room_id],
        )
    await ada.has_messages(60)
    network.slow_down(48 * 1024)  # all of them would take 25 s
    network.cut()
    await says(ada, RECONNECTING)
    await grace.say("from Grace meanwhile")
    sockets = list[Any]()
    ada.page.on("websocket", lambda socket: sockets.append(socket))  # noqa: PLW0108  # Playwright takes no built-in
    network.mend()
    await is_silent(ada)
    await ada.sees("from Grace meanwhile")
    await ada.say("there it is")
    await grace.sees("there it is")
    assert len(sockets) == 1  # it was not given up while it was loading


async def test_an_answer_that_was_lost_makes_no_second_row(lobby: Lobby, network: Network, server: Server) -> None:
    ada, grace = await lobby.room_of_two(proxy=network.proxy)
    network.hold_answers()
    await ada.say("stored, but who knows")
    await grace.sees("stored, but who knows")  # committed, and Ada has not been told
    await expect(ada.log.locator("[data-row][aria-busy=true]")).to_have_count(1)
    async with killed(server):
        network.cut()
        await says(ada, RECONNECTING)
    network.mend()
    await is_silent(ada)
    await ada.has_messages(1)
    assert written(ada.room_id) == ["stored, but who knows"]


async def test_what_a_closed_tab_left_unsent_is_sent_by_the_next_and_drafts_stay(
    lobby: Lobby, network: Network
) -> None:
    ada, grace = await lobby.room_of_two(proxy=network.proxy)
    room_id = ada.room_id
    network.cut()
    await says(ada, RECONNECTING)
    for text in ("first", "second"):
        await ada.say(text)
    await ada.box.fill("a draft")
    await ada.page.close()
    network.mend()
    ada.page = await ada.context.new_page()
    await ada.open_room(room_id)
    await grace.sees("second")
    await ada.has_messages(2)
    await expect(ada.box).to_have_value("a draft")
    assert written(room_id) == await ada.texts() == ["first", "second"]
