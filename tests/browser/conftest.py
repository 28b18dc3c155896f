"""Real Chromium for the tests that look: found, never downloaded here (`make test` sees to that)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from chatapp import demo
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
        await someone.continue_as(name, to)
        return someone


@pytest_asyncio.fixture
async def lobby(browser: Browser, server: Server) -> AsyncIterator[Lobby]:
    async with AsyncExitStack() as stack:
        yield Lobby(browser, stack)
