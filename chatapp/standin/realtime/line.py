"""One connection of our own to Postgres in the event loop: prepared statements, one at a time, a round trip each.

What a pool does around a statement (a check, BEGIN, ROLLBACK) and what psycopg's async connection does inside it cost
several times what the statement itself does, and `postgres_changes` asks one for each change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn, PGresult

MOST_STATEMENTS = 200  # Postgres keeps a plan for each
OPTIONS = "-c%20timezone%3DUTC%20-c%20client_min_messages%3Derror%20-c%20statement_timeout%3D"
SUCCESS = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)

Row = list[str | None]


class LineError(Exception):
    """Postgres refused a statement; `str` is what it said."""


class LineLostError(Exception):
    """The connection broke, or none could be made. Whoever only reads may ask again: the next try connects anew."""


class Line:
    """A connection that is opened when it is needed. For one task at a time."""

    def __init__(self, superuser_url: str, *, timeout: str) -> None:
        self._url = f"{superuser_url}?application_name=standin-changes&options={OPTIONS}{timeout}"
        self._connection: PGconn | None = None
        self._names: dict[str, str] = {}

    async def prepare(self, statement: str) -> str:
        """Return the name under which `statement` is prepared; SQL's EXECUTE knows it too, until `tidy` or a loss."""
        if statement not in self._names:
            name = f"standin_{len(self._names)}"
            await self._run(lambda connection: connection.send_prepare(name.encode(), statement.encode()))
            self._names[statement] = name
        return self._names[statement]

    async def ask(self, statement: str, values: list[str | None]) -> Row:
        """Run a statement and return its first row, as text; an empty list when it has none."""
        name = (await self.prepare(statement)).encode()
        texts = [None if each is None else each.encode() for each in values]
        result = await self._run(lambda connection: connection.send_query_prepared(name, texts))
        return [_text(result.get_value(0, number)) for number in range(result.nfields)] if result.ntuples else []

    def tidy(self) -> None:
        """Begin anew when so much was prepared that most of it must be out of use."""
        if len(self._names) >= MOST_STATEMENTS:
            self.close()

    def close(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        self._names.clear()
        if connection:
            connection.finish()

    async def _run(self, send: Callable[[PGconn], None]) -> PGresult:
        try:
            connection = await self._connected()
            send(connection)
            result = await _answer(connection)
        except psycopg.OperationalError as error:
            self.close()
            raise LineLostError(str(error)) from error
        except BaseException:  # cancelled: the answer to this would be taken for the next one's
            self.close()
            raise
        if result.status not in SUCCESS:
            raise LineError(result.get_error_message().strip())
        return result

    async def _connected(self) -> PGconn:
        if self._connection is None:
            connection = await asyncio.to_thread(pq.PGconn.connect, self._url.encode())
            if connection.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError(connection.get_error_message().strip())
            connection.nonblocking = 1
            self._connection = connection
        return self._connection


async def _answer(connection: PGconn) -> PGresult:
    """Send what is queued, wait for everything that comes back, and return its first part, which is all there is."""
    loop, number = asyncio.get_running_loop(), connection.socket
    done: asyncio.Future[PGresult] = loop.create_future()
    results: list[PGresult] = []

    def step() -> None:
        try:
            connection.consume_input()
            if not connection.flush():
                loop.remove_writer(number)
            while not done.done() and not connection.is_busy():
                result = connection.get_result()
                if result is None:
                    done.set_result(results[0])
                else:
                    results.append(result)
        except Exception as error:  # noqa: BLE001 - to whoever waits
            if not done.done():
                done.set_exception(error)

    if connection.flush():  # a long value does not fit into the socket at once
        loop.add_writer(number, step)
    loop.add_reader(number, step)
    try:
        return await done
    finally:
        loop.remove_reader(number)
        loop.remove_writer(number)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()
