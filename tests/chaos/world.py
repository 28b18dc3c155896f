"""What chaos is done to: stand-in, backend, a bad network in between, people with tabs; and the faults themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

from chatapp import db, migrate, settings
from chatapp.accounts import actions as accounts
from chatapp.standin import lifecycle
from chatapp.supabase import auth, client
from tests.chaos.checker import Message
from tests.chaos.client import Client, Person, told
from tests.chaos.proxy import Proxy
from tests.conftest import settings_of
from tests.folders import data_folder
from tests.ports import free_port
from tests.server import URL, Server

PASSWORD = "correct horse battery staple"  # of people who live for one run
TRIES = 200
PAUSE = 0.1

Sql = psycopg.AsyncConnection[dict[str, Any]]


@dataclass
class World:
    """One project, one backend, and everybody in it."""

    data: Path
    server: Server
    proxy: Proxy
    dice: random.Random
    people: list[Person] = field(default_factory=list)
    rooms: list[str] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    _connection: Sql | None = None

    # ------------------------------------------------------------------------------------------------ setting

    async def populate(self, people: int, rooms: int) -> None:
        """Make people with sessions, and rooms that all of them are in."""
        self.people += [await a_person(f"Person {number}") for number in range(len(self.people), people)]
        for number in range(len(self.rooms), rooms):
            room = str(uuid4())
            owner = str(self.people[number % len(self.people)].user_id)
            await self.write(
                "insert into chat_rooms (id, name, created_by) values (%s, %s, %s)", room, f"Room {number}", owner
            )
            everybody = [str(person.user_id) for person in self.people]
            await self.write(
                "insert into room_members (room_id, user_id) select %s, unnest(%s::uuid[])", room, everybody
            )
            self.rooms.append(room)

    async def open_tabs(self, tabs: int) -> None:
        """One tab a person, spread over the rooms."""
        for number in range(len(self.clients), tabs):
            person, room = self.people[number % len(self.people)], self.rooms[number % len(self.rooms)]
            made = Client(URL, person, random.Random(self.dice.random())).start(f"/chat/{room}")
            self.clients.append(made)
        for made in self.clients:
            await made.until_shown(room_of(made))

    def forget(self) -> None:
        """What the tabs have noticed so far has been reported."""
        for each in self.clients:
            each.watch.faults.clear()

    async def close_tabs(self) -> None:
        await asyncio.gather(*(each.end() for each in self.clients))
        self.clients.clear()

    # ------------------------------------------------------------------------------------------------ database

    async def write(self, statement: str, *values: object) -> None:
        """Commit a statement as the owner at a prompt; again while the database is away, so it must be repeatable."""
        await self._repeat(statement, values)

    async def read(self, statement: str, *values: object) -> list[dict[str, Any]]:
        return await self._repeat(statement, values, fetch=True)

    async def _repeat(self, statement: str, values: tuple[object, ...], fetch: bool = False) -> list[dict[str, Any]]:
        for attempt in range(TRIES):
            try:
                cursor = await (await self._connected()).execute(statement, values)
                return await cursor.fetchall() if fetch else []
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await self.hang_up()
                if attempt == TRIES - 1:
                    raise
            await asyncio.sleep(PAUSE)
        raise AssertionError

    async def _connected(self) -> Sql:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                settings.current().owner_url, autocommit=True, row_factory=dict_row, connect_timeout=2
            )
        return self._connection

    async def hang_up(self) -> None:
        if self._connection:
            await self._connection.close()
        self._connection = None

    async def stored(self, rooms: Iterable[str]) -> dict[str, list[Message]]:
        """What the database has of each room, in order."""
        found: dict[str, list[Message]] = {room: [] for room in rooms}
        rows = await self.read(
            "select * from chat_messages where room_id = any(%s::uuid[]) order by room_id, seq", list(found)
        )
        for row in rows:
            found[str(row["room_id"])].append(message(row))
        return found

    async def join(self, room: str, person: Person) -> None:
        await self.write(
            "insert into room_members (room_id, user_id) values (%s, %s) on conflict do nothing",
            room,
            str(person.user_id),
        )

    async def remove(self, room: str, person: Person) -> None:
        await self.write("delete from room_members where room_id = %s and user_id = %s", room, str(person.user_id))

    async def say(self, room: str, person: Person, content: str) -> None:
        """Write a message by hand."""
        await self.write(
            "insert into chat_messages (room_id, user_id, client_id, content) values (%s, %s, %s, %s)",
            room,
            str(person.user_id),
            str(uuid4()),
            content,
        )

    # ------------------------------------------------------------------------------------------------ faults

    async def kill_backend(self) -> None:
        """SIGKILL, and start again; back when it answers."""
        await asyncio.to_thread(self.server.kill)
        await asyncio.to_thread(self.server.start)

    async def kill_postgres(self) -> None:
        """Postgres's immediate shutdown: no checkpoint, no goodbye. Back when it answers again."""
        postmaster = next(self.data.rglob("postmaster.pid"))
        old = postmaster.read_text().split()[0]
        os.kill(int(old), signal.SIGQUIT)
        for _ in range(600):
            with contextlib.suppress(OSError, IndexError):
                if postmaster.read_text().split()[0] != old:
                    break
            await asyncio.sleep(0.05)
        await self.read("select 1 as one")

    async def cut_realtime(self, seconds: float = 1.0) -> None:
        """Lose the connection to Realtime and find it closed for a while; back when it is open again."""
        self.proxy.open = False
        await self.proxy.cut()
        await asyncio.sleep(seconds)
        self.proxy.open = True


@asynccontextmanager
async def world(seed: int, data: Path | None = None, **environment: str) -> AsyncIterator[World]:
    """A stand-in, a backend that reaches it through a bad network, and nobody in it yet. Reads no configuration."""
    async with AsyncExitStack() as stack:
        data = data or stack.enter_context(data_folder("chaos"))
        project = await asyncio.to_thread(lifecycle.ensure, data, api_port=free_port(), db_port=free_port())
        stack.callback(lifecycle.release, data)
        settings.use(settings_of(project))
        await migrate.migrate()
        stack.push_async_callback(client.dispose)
        stack.push_async_callback(db.dispose)
        dice = random.Random(seed)
        proxy = Proxy(urlsplit(project.url).port or 0, random.Random(seed + 1))
        await stack.enter_async_context(proxy.serving())
        server = Server({**_environment(project, proxy.port), **environment}, data.parent / "server.log")
        stack.push_async_callback(asyncio.to_thread, server.stop)
        await asyncio.to_thread(server.start)
        made = World(data, server, proxy, dice)
        stack.push_async_callback(made.hang_up)
        stack.push_async_callback(made.close_tabs)
        yield made


async def a_person(name: str) -> Person:
    """An account with a session."""
    email = f"{secrets.token_hex(8)}@example.com"
    user_id = await auth.create_account(name, email, PASSWORD)
    return Person(user_id, await accounts.redeem(await accounts.sign_in(email, PASSWORD)))


def room_of(tab: Client) -> str:
    """The room of a tab's address."""
    return tab.path.rpartition("/")[2]


def message(row: Mapping[str, Any]) -> Message:
    """A row of the table as the checker compares it."""
    return Message(
        seq=row["seq"],
        rev=row["rev"],
        user_id=str(row["user_id"] or ""),
        client_id=row["client_id"],
        content=row["content"],
        edited=row["edited_at"] is not None,
        deleted=row["deleted_at"] is not None,
        reactions=told(row["reactions"]) if "reactions" in row else None,
    )


def _environment(project: lifecycle.Project, port: int) -> dict[str, str]:
    """A project like a hosted one, whose services are reached through the proxy."""
    return {
        "SUPABASE_URL": urlunsplit(urlsplit(project.url)._replace(netloc=f"127.0.0.1:{port}")),
        "SUPABASE_PUBLISHABLE_KEY": project.publishable_key,
        "SUPABASE_SECRET_KEY": project.secret_key,
        "DATABASE_URL": project.database_url,
    }
