"""What stays when the backend or Postgres is killed in the middle."""

from __future__ import annotations

import asyncio

from tests.server import Server
from tests.tab import Tab

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


def stored(tab: Tab, client_id: str) -> bool:
    outcomes = tab.var("reflex___state____state.chatapp___messages___state____composer", "outcomes") or {}
    return bool(outcomes.get(client_id, {}).get("stored"))
