"""Real Chromium for the tests that look: found, never downloaded here (`make test` sees to that)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from chatapp import demo, settings
from chatapp.accounts import actions as accounts
from chatapp.actor import Actor
from chatapp.settings import Settings
from tests import cast
from tests.cast import Someone
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
        self._made: list[str] = []

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
        room_id = await self.room("Ada", "Grace", name=name)
        ada, grace = await asyncio.gather(self.at("Ada", room_id, **options), self.at("Grace", room_id))
        return ada, grace

    async def in_a_room(self, name: str = "Ada", **options: Any) -> Person:
        """One of Ada and Grace in a room that Ada owns; the other is a member, but not here."""
        return await self.at(name, await self.room("Ada", "Grace"), **options)

    async def at(self, name: str, room_id: str, **options: Any) -> Person:
        """One of its members in a room."""
        someone = await self.signed_in(name, f"/chat/{room_id}", **options)
        await someone.ready()
        return someone

    async def room(self, owner: str, *members: str, name: str = "") -> str:
        """Make a room of demo people, who are rid of it after the test; answers its id."""
        made = await cast.room(demo_person(owner), *map(demo_person, members), name=name or f"Room {uuid4().hex[:8]}")
        self._made.append(str(made))
        return str(made)

    async def clean_up(self) -> None:
        """What one test leaves behind is on the lists of all others."""
        async with await psycopg.AsyncConnection.connect(settings.current().owner_url) as psql:
            await psql.execute("delete from chat_rooms where id = any(%s::uuid[])", [self._made])


def demo_person(name: str) -> Someone:
    """One of the demo people, by first name."""
    actor = Actor(demo.demo_id(name), "")
    return Someone(accounts.DEMO_PEOPLE[name], accounts.demo_email(name), accounts.demo_password(), actor)


@asynccontextmanager
async def killed(server: Server) -> AsyncIterator[None]:
    """Nobody answers in here; afterwards it is there again, for the other tests too."""
    await asyncio.to_thread(server.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


def written(room_id: str) -> list[str]:
    """What the room's messages say, as psql sees them."""
    with psycopg.connect(settings.current().owner_url, autocommit=True) as psql:
        rows = psql.execute("select content from chat_messages where room_id = %s order by seq", [room_id])
        return [content for (content,) in rows]


@pytest_asyncio.fixture
async def lobby(browser: Browser, server: Server) -> AsyncIterator[Lobby]:
    async with AsyncExitStack() as stack:
        made = Lobby(browser, stack)
        stack.push_async_callback(made.clean_up)  # when everybody has gone
        yield made
