"""The app as its users meet it: one server for all tests here, people with real sessions, rooms of their own."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
import pytest_asyncio
from reflex_base.registry import RegistrationContext

from chatapp import chatapp, demo, settings
from chatapp.accounts import actions as accounts
from chatapp.rooms import actions as rooms
from chatapp.settings import Settings
from tests.cast import Cast, assemble
from tests.server import URL, Server
from tests.tab import TIMELINE, Tab


@dataclass
class Company:
    """The people of tests/cast.py, as the running app knows them."""

    cast: Cast
    data: Path
    url: str = URL
    _cookies: dict[str, str] = field(default_factory=dict)

    @property
    def owner_url(self) -> str:
        return settings.current().owner_url

    async def sign_in(self, name: str) -> str:
        """A new session's cookie."""
        someone = getattr(self.cast, name)
        return await accounts.redeem(await accounts.sign_in(someone.email, someone.password))

    async def cookie(self, name: str) -> str:
        """The same session for all tests, '' for a stranger."""
        if name and name not in self._cookies:
            self._cookies[name] = await self.sign_in(name)
        return self._cookies.get(name, "")

    @asynccontextmanager
    async def tab(self, name: str, path: str) -> AsyncIterator[Tab]:
        tab = await Tab(self.url, await self.cookie(name)).open(path)
        try:
            yield tab
        finally:
            await tab.close()

    def kill_postgres(self) -> None:
        """End the stand-in's Postgres without a chance to say anything."""
        postmaster = self.data / "postgres" / "postmaster.pid"
        os.kill(int(postmaster.read_text().splitlines()[0]), signal.SIGKILL)

    async def counts(self) -> dict[str, int]:
        """How many rows every table of ours has."""
        mine = ("profiles", "chat_rooms", "room_members", "chat_messages", "message_reactions", "room_invites")
        tables = (*mine, "thread_followers")
        async with await psycopg.AsyncConnection.connect(self.owner_url) as connection:
            return {table: await _count(connection, table) for table in tables}


@dataclass
class Place:
    """A room of one test's own, with Ada as its owner and Grace as a member. Linus is outside."""

    company: Company
    room_id: UUID

    @property
    def id(self) -> str:
        return str(self.room_id)

    def user_id(self, name: str) -> str:
        return str(getattr(self.company.cast, name).actor.user_id)

    async def tab(self, name: str, token: str = "") -> Tab:
        """A tab that shows the room."""
        tab = await Tab(self.company.url, await self.company.cookie(name), token).open(f"/chat/{self.id}")
        await tab.until(lambda tab: (tab.shared(TIMELINE, "window") or {}).get("room") == self.id)
        return tab

    @asynccontextmanager
    async def tabs(self, *names: str) -> AsyncIterator[list[Tab]]:
        async with AsyncExitStack() as stack:
            opened = []
            for name in names:
                opened.append(await self.tab(name))
                stack.push_async_callback(opened[-1].close)
            yield opened

    async def join(self, name: str) -> None:
        await rooms.join(getattr(self.company.cast, name).actor, self.room_id)

    async def remove(self, name: str) -> None:
        await self._write("delete from room_members where room_id = %s and user_id = %s", self.id, self.user_id(name))

    async def rename(self, to: str) -> None:
        await self._write("update chat_rooms set name = %s where id = %s", to, self.id)

    async def write(self, messages: int, padding: str = "") -> None:
        """Fill the room, in one statement."""
        await self._write(
            "insert into chat_messages (room_id, user_id, client_id, content)"
            " select %s, %s, n::text, 'message ' || n || %s from generate_series(1, %s) n",
            self.id,
            self.user_id("ada"),
            padding,
            messages,
        )

    async def message(self, seq: int) -> str:
        """The id of a message."""
        async with await psycopg.AsyncConnection.connect(self.company.owner_url) as connection:
            wanted = "select id from chat_messages where room_id = %s and seq = %s"
            row = await (await connection.execute(wanted, (self.id, seq))).fetchone()
            assert row
            return str(row[0])

    async def _write(self, statement: str, *values: object) -> None:
        async with await psycopg.AsyncConnection.connect(self.company.owner_url) as connection:
            await connection.execute(statement, values)


@pytest_asyncio.fixture(scope="module")
async def cast(project: Settings) -> Cast:
    """Other people in each file: what was said to them in another one is on their lists."""
    return await assemble()


@pytest_asyncio.fixture(scope="session")
async def server(project: Settings, standin_folder: Path) -> AsyncIterator[Server]:
    """The real app with its demo people, but without pages, which nobody here looks at."""
    await demo.seed()
    started = Server({"STANDIN_DATA": str(standin_folder)}, standin_folder.parent / "server.log")
    await asyncio.to_thread(started.start)
    yield started
    await asyncio.to_thread(started.stop)


@pytest_asyncio.fixture
async def company(cast: Cast, server: Server, standin_folder: Path) -> Company:
    return _company(cast, standin_folder)


@pytest_asyncio.fixture
async def place(company: Company) -> Place:
    room = await rooms.create_room(company.cast.ada.actor, "A place", "", False)
    place = Place(company, UUID(room.id))
    await place.join("grace")
    return place


@functools.cache
def handlers() -> dict[str, list[str]]:
    """Every handler that the app registers, with its arguments' names."""
    assert chatapp.app  # importing it registers them
    registered = RegistrationContext.ensure_context().event_handlers
    return {name: list(inspect.signature(entry.handler.fn).parameters)[1:] for name, entry in registered.items()}


@functools.cache
def _company(cast: Cast, data: Path) -> Company:
    return Company(cast, data)


async def _count(connection: psycopg.AsyncConnection, table: str) -> int:
    answer = await (await connection.execute(f"select count(*) from {table}")).fetchone()
    return int(answer[0]) if answer else 0
