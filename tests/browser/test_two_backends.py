"""Two people at two backends, behind one address: neither can tell, and one of the backends may die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from chatapp import demo
from chatapp.settings import Settings
from tests.live.test_two_backends import Backends, running
from tests.network import Network
from tests.server import build

from .conftest import Lobby, written
from .people import Person

pytestmark = pytest.mark.timeout(300)  # two backends and two browsers start


@pytest_asyncio.fixture
async def backends(project: Settings, standin_folder: Path) -> AsyncIterator[Backends]:
    await asyncio.to_thread(build)
    async with running(standin_folder, pages=True) as made:
        yield made


@pytest_asyncio.fixture
async def hall(browser: Browser, backends: Backends) -> AsyncIterator[Lobby]:
    await demo.seed()
    async with AsyncExitStack() as stack:
        yield Lobby(browser, stack)


async def at(hall: Lobby, name: str, network: Network, to: str = "/chat") -> Person:
    return await hall.signed_in(name, to=to, proxy=network.proxy)


async def test_people_at_two_backends_talk_and_go_on_when_one_is_killed(hall: Lobby, backends: Backends) -> None:
    one, other = await Network([backends.first.port]).start(), await Network([backends.second.port]).start()
    try:
        ada = await at(hall, "Ada", one)
        grace = await at(hall, "Grace", other, "/chat/browse")
        name = f"Across {uuid4().hex[:8]}"
        await ada.create_room(name)
        await grace.join_room(name)
        await ada.ready()
        await grace.ready()
        await ada.say("from the one")
        await grace.sees("from the one")
        await grace.say("from the other")
        await ada.sees("from the other")
        await ada.box.press_sequentially("half a sentence")
        await expect(grace.page.locator(".typing-shown")).to_have_text("Ada Lovelace is typing...")
        await asyncio.to_thread(backends.first.kill)
        try:
            await expect(ada.page.locator(".connection")).to_have_text("Reconnecting…")
            await grace.say("while Ada was away")
            one.lead_to(backends.second.port)  # as a proxy does that finds a backend dead
            await expect(ada.page.locator(".connection")).to_have_text("", timeout=30_000)
            await ada.sees("while Ada was away")
            await expect(ada.box).to_have_value("half a sentence")
            await ada.box.press("Enter")
            await grace.sees("half a sentence")
            await grace.say("all at one")
            await ada.sees("all at one")
        finally:
            await asyncio.to_thread(backends.first.start)
        assert await ada.texts() == await grace.texts() == written(ada.room_id)
        assert len(written(ada.room_id)) == 5
    finally:
        for network in (one, other):
            await network.stop()
