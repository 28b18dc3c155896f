"""What stays when the backend or Postgres is killed in the middle."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg

from chatapp.chatapp import UNFINISHED_MOST
from tests.server import Server, until
from tests.tab import COMPOSER, TAB, TIMELINE, Tab

from .conftest import Company, Place


async def test_a_killed_backend_loses_nothing(place: Place, company: Company, server: Server) -> None:
    async with place.tabs("ada") as (ada,):
        await ada.send(place.id, "before")
        await ada.until(lambda tab: tab.texts == ["before"])
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    # The browser comes back with the token it had; the server has forgotten all about it.
    back = await place.tab("ada", token=ada.token)
    await back.until(lambda tab: tab.texts == ["before"])
    client_id = await back.send(place.id, "after")
    await back.send(place.id, "after", client_id)
    await back.until(lambda tab: tab.texts == ["before", "after"])
    await back.close()


async def test_a_message_survives_postgres_being_killed(place: Place, company: Company) -> None:
    async with place.tabs("ada", "grace") as (ada, grace):
        await ada.send(place.id, "before")
        await grace.until(lambda tab: tab.texts == ["before"])
        company.kill_postgres()
        client_id = "same-every-time"

        async def insist() -> None:
            """What the browser's outbox does: the same client_id until it is stored."""
            while not stored(ada, client_id):
                await ada.send(place.id, "during", client_id)
                await asyncio.sleep(0.2)

        await asyncio.wait_for(insist(), 30)
        await grace.until(lambda tab: tab.texts == ["before", "during"], seconds=15)
        await ada.until(lambda tab: tab.texts == ["before", "during"])


async def test_a_flood_from_one_tab_waits_outside(place: Place, company: Company, server: Server) -> None:
    """Reflex makes a task of every event: while the database hangs, one tab could fill the server's memory."""
    before = server.counts()["tasks"]
    async with place.tabs("ada") as (ada,):
        async with await psycopg.AsyncConnection.connect(company.owner_url) as connection:
            await connection.execute("lock table chat_messages in exclusive mode")
            for number in range(5 * UNFINISHED_MOST):
                await ada.send(place.id, f"flood {number}")
            await ada.read()
            # An event, and what posts its message.
            assert UNFINISHED_MOST < server.counts()["tasks"] - before < 3 * UNFINISHED_MOST
            back = await place.tab("ada", token=ada.token)  # reloading the page is no part of the flood
            await back.until(lambda tab: tab.shared(TIMELINE, "window"))
        await asyncio.to_thread(until, lambda: server.counts()["tasks"] < before + 50, "The flood stays.", 90)
        await back.send(place.id, "after the flood")
        await back.until(lambda tab: "after the flood" in tab.texts, seconds=15)
        await back.close()


async def test_what_nothing_handles_does_not_count(place: Place) -> None:
    async with place.tabs("ada") as (ada,):
        for number in range(UNFINISHED_MOST + 1):
            await ada.call(f"{TAB}.no_such_handler_{number}")
        await ada.send(place.id, "still here")
        await ada.until(lambda tab: tab.texts == ["still here"])


def outcomes(tab: Tab) -> dict[str, Any]:
    found: dict[str, Any] = tab.var(COMPOSER, "outcomes") or {}
    return found


def stored(tab: Tab, client_id: str) -> bool:
    return bool(outcomes(tab).get(client_id, {}).get("stored"))
