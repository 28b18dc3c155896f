"""The stand-in's own connections to Postgres."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[DictRow]
Row = dict[str, Any]


class Database:
    """A small pool of connections. It checks each before use, so it heals when Postgres was restarted."""

    def __init__(self, url: str) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[DictRow],
            min_size=1,
            max_size=8,
            timeout=10,
            reconnect_timeout=30,
            open=False,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True, "row_factory": dict_row, "application_name": "standin"},
        )

    async def open(self) -> None:
        await self._pool.open(wait=True, timeout=10)

    async def close(self) -> None:
        await self._pool.close(timeout=2)

    @contextlib.asynccontextmanager
    async def transaction(self, *, rollback: bool = False) -> AsyncIterator[Connection]:
        """Give a connection inside a transaction; with `rollback`, nothing of it will have happened."""
        async with self._pool.connection() as connection, connection.transaction(force_rollback=rollback):
            yield connection

    async def one(self, query: str, *values: object) -> Row | None:
        """Run one statement and return its first row."""
        async with self._pool.connection() as connection:
            return await one(connection, query, *values)

    async def run(self, query: str, *values: object) -> int:
        """Run one statement and return how many rows it touched."""
        async with self._pool.connection() as connection:
            return (await connection.execute(query, values)).rowcount


async def one(connection: Connection, query: str, *values: object) -> Row | None:
    """Run one statement on `connection` and return its first row, None when it has none."""
    cursor = await connection.execute(query, values)
    return await cursor.fetchone() if cursor.description else None


async def only(connection: Connection, query: str, *values: object) -> Row:
    """Run a statement that has a row whatever happens, such as an insert, and return it."""
    row = await one(connection, query, *values)
    if row is None:
        raise LookupError("the statement returned no row")
    return row


async def every(connection: Connection, query: str, *values: object) -> list[Row]:
    """Run one statement on `connection` and return all its rows."""
    return await (await connection.execute(query, values)).fetchall()


async def impersonate(connection: Connection, claims: Mapping[str, Any], topic: str = "") -> None:
    """Continue this transaction as the API would for somebody with `claims`: policies see them now."""
    settings = {
        "realtime.topic": topic,
        "request.jwt.claims": json.dumps(claims, default=str),
        "request.jwt.claim.sub": claims.get("sub", ""),
        "request.jwt.claim.role": claims["role"],
        "role": claims["role"],  # last: it takes our own rights away
    }
    calls = ", ".join(["set_config(%s, %s, true)"] * len(settings))
    values = [part for setting in settings.items() for part in setting]
    await connection.execute(f"select {calls}", values)
