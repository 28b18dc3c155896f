"""Real Chromium for the tests that look: found, never downloaded here (`make test` sees to that)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from chatapp import demo
from chatapp.actor import Actor
from chatapp.rooms import actions as rooms
from chatapp.settings import Settings
from tests.chromium import FLAGS, executable
from tests.server import Server, build

from .people import PHONE, Person, closed, person


def pytest_itemcollected(item: pytest.Item) -> None:
    """These are one half of `make test`; all others run beside them (tools/test)."""
    item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def patience() -> None:
    # Two browsers, a backend and Postgres share two cores: patience, not sleep.
    expect.set_options(timeout=15_000)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=await asyncio.to_thread(executable), args=FLAGS)
        yield started
        await closed(started)


@pytest_asyncio.fixture(scope="session")
async def server(project: Settings, standin_folder: Path) -> AsyncIterator[Server]:
    """The real app with its pages, and with its demo people."""
    await demo.seed()
    await asyncio.to_thread(build)
    started = Server({"STANDIN_DATA": str(standin_folder)}, standin_folder.parent / "server.log", pages=True)
    await asyncio.to_thread(started.start)
    yield started
    await asyncio.to_thread(started.stop)


class Lobby:
    """Brings people to their browsers, and sees them off."""

    def __init__(self, browser: Browser, stack: AsyncExitStack) -> None:
        self._browser, self._stack = browser, stack

    async def stranger(self, **options: Any) -> Person:
        return await self._stack.enter_async_context(person(self._browser, **options))

    async def phone(self, **options: Any) -> Person:
        return await self.stranger(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2, **options)

    async def signed_in(self, name: str, to: str = "/chat", **options: Any) -> Person:
        someone = await self.stranger(**options)
        await someone.enter_as(name, to)
        return someone

    async def room_of_two(self, name: str = "", **options: Any) -> tuple[Person, Person]:
        """Ada, whose browser may be a special one, and Grace in a room that Ada owns."""
        room_id = await room(name or f"Room {uuid4().hex[:8]}", "Ada", "Grace")
        ada, grace = await asyncio.gather(self.at("Ada", room_id, **options), self.at("Grace", room_id))
        return ada, grace

    async def in_a_room(self, name: str = "Ada", **options: Any) -> Person:
        """One of Ada and Grace in a room that Ada owns; the other is a member, but not here."""
        return await self.at(name, await room(f"Room {uuid4().hex[:8]}", "Ada", "Grace"), **options)

    async def at(self, name: str, room_id: str, **options: Any) -> Person:
        """One of its members in a room."""
        someone = await self.signed_in(name, f"/chat/{room_id}", **options)
        await someone.ready()
        return someone


async def room(name: str, owner: str, *members: str, private: bool = False) -> str:
    """Make a room of demo people; answers its id."""
    made = await rooms.create_room(actor_of(owner), name, "", private)
    for member in members:
        await rooms.join(actor_of(member), UUID(made.id))
    return made.id


def actor_of(name: str) -> Actor:
    return Actor(demo.demo_id(name), "")


@pytest_asyncio.fixture
async def lobby(browser: Browser, server: Server) -> AsyncIterator[Lobby]:
    async with AsyncExitStack() as stack:
        yield Lobby(browser, stack)
