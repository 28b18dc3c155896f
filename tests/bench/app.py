"""The app itself, as the bench drives it: its stand-in, one backend, a room with people in it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import TupleRow

from chatapp import db, migrate, settings
from chatapp.accounts import actions as accounts
from chatapp.standin import lifecycle
from chatapp.standin.postgres import SUPERUSER
from chatapp.standin.record import load_record
from chatapp.supabase import client
from tests.bench import processes
from tests.bench.viewers import AppTab, Viewer
from tests.cast import Someone, room, someone
from tests.conftest import settings_of
from tests.ports import free_port
from tests.server import PORT, Server
from tests.tab import TAB

PEOPLE = 10
"""Accounts that the viewers' tabs are spread over; making one costs a password hash."""

_TAKE_ON = "select set_config('request.jwt.claims', %s, true), set_config('role', 'authenticated', true)"
_POST = "insert into public.chat_messages (room_id, user_id, client_id, content) values (%s, %s, %s, %s)"
_MINE = "where room_id = %s and user_id = %s and client_id = %s"
_EDIT = f"update public.chat_messages set content = %s, edited_at = now() {_MINE}"
_DELETE = f"update public.chat_messages set content = '', deleted_at = now() {_MINE}"

_REACT = (
    "insert into public.message_reactions (message_id, user_id, emoji)"
    f" select id, user_id, '👍' from public.chat_messages {_MINE}"
)


class App:
    """A `load.System`: one room of ours, written to as its owner under row-level security."""

    name = "app"

    def __init__(
        self, servers: list[Server], owner: Someone, room_id: UUID, cookies: list[str], older: int = 0
    ) -> None:
        self.servers, self.owner, self.room_id, self.cookies, self.older = servers, owner, room_id, cookies, older
        self.posted: list[str] = []
        self._connection: psycopg.AsyncConnection[TupleRow] | None = None

    def viewers(self, count: int) -> list[Viewer]:
        return [self._viewer(number) for number in range(count)]

    async def post(self, text: str) -> float:
        client_id = str(uuid4())
        committed = await self._as_owner(_POST, (self.room_id, self.owner.id, client_id, text))
        self.posted.append(client_id)
        return committed

    async def edit(self, text: str) -> float:
        """Give a message of this run that nothing was done to yet the new text."""
        return await self._as_owner(_EDIT, (text, *self._next()))

    async def delete(self, _: str) -> float:
        return await self._as_owner(_DELETE, self._next())

    async def react(self, _: str) -> float:
        return await self._as_owner(_REACT, self._next())

    async def has_reactions(self) -> bool:
        async with await psycopg.AsyncConnection.connect(settings.current().owner_url) as connection:
            found = await connection.execute("select to_regclass('public.message_reactions') is not null")
            return bool((await found.fetchone() or [False])[0])

    def _next(self) -> tuple[UUID, UUID, str]:
        return self.room_id, self.owner.id, self.posted.pop()

    def cpu(self) -> float:
        return sum(processes.cpu_seconds(server.pid) for server in self.servers)

    def memory(self) -> int:
        return sum(processes.memory(server.pid) for server in self.servers)

    async def close(self) -> None:
        if self._connection:
            await self._connection.close()

    async def _as_owner(self, statement: str, values: tuple[object, ...]) -> float:
        """Run one statement with the owner's rights; answers when it was committed."""
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(settings.current().app_url)
        claims = json.dumps({"sub": str(self.owner.id), "role": "authenticated"})
        async with self._connection.pipeline():
            await self._connection.execute(_TAKE_ON, (claims,))
            done = await self._connection.execute(statement, values)
        await self._connection.commit()
        assert done.rowcount == 1, "row-level security hid the row"
        return time.perf_counter()

    def _viewer(self, number: int) -> AppTab:
        return AppTab(
            "localhost",
            self.servers[number % len(self.servers)].port,
            cookie=self.cookies[number % len(self.cookies)],
            room_id=str(self.room_id),
            load_older=f"{TAB}.load_older",
            older=self.older,
        )


@asynccontextmanager
async def project(data: Path) -> AsyncIterator[int]:
    """A stand-in with our schema, as this process's project; its process id."""
    await asyncio.to_thread(use, data)
    try:
        await migrate.migrate()
        record = load_record(data)
        assert record
        yield record.pid
    finally:
        await client.dispose()
        await db.dispose()


def use(data: Path) -> None:
    """Start the stand-in of `data` and make it this process's project."""
    made = lifecycle.ensure(data, api_port=free_port(), db_port=free_port())
    settings.use(settings_of(made))


def superuser_url(data: Path) -> str:
    """The address of who may do without triggers: the stand-in's own login, which no project gives out."""
    record = load_record(data)
    assert record
    return f"postgresql://{SUPERUSER}:{record.superuser_password}@127.0.0.1:{record.db_port}/postgres"


def leave(data: Path) -> None:
    """Stop the stand-in of `data`, and keep what is in it."""
    lifecycle.release(data, stop_if_last=True)


@asynccontextmanager
async def backend(data: Path, port: int = PORT, pages: bool = False, **environment: str) -> AsyncIterator[Server]:
    """A backend on a stand-in."""
    server = Server({"STANDIN_DATA": str(data), **environment}, data.parent / f"server-{port}.log", port, pages)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)


@asynccontextmanager
async def furnished(*servers: Server, messages: int = 0) -> AsyncIterator[App]:
    """A new room with its people, and so many messages in it."""
    owner, *others = [await someone(f"Person {number}") for number in range(PEOPLE)]
    room_id = await room(owner, *others, name="Bench")
    cookies = [await accounts.redeem(await accounts.sign_in(who.email, who.password)) for who in others]
    app = App(list(servers), owner, room_id, cookies)
    try:
        for number in range(messages):
            await app.post(f"message {number}".ljust(100, "x"))
        app.posted.clear()
        yield app
    finally:
        await app.close()
