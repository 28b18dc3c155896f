"""Follow Postgres's write-ahead log: every committed change, as it is committed, without polling.

psycopg has no replication interface, but its libpq wrapper can speak COPY_BOTH, so the stream is one more
socket in the event loop. The slot is temporary: it goes with the connection and never holds the log back.
What is committed while the connection is down is not told again, as on a hosted project: a hint may be lost.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
from collections.abc import Callable

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn

from .pgoutput import Change, Decoder

PUBLICATIONS = "supabase_realtime_messages_publication,supabase_realtime"
STATUS_SECONDS = 10.0  # Postgres hangs up on a reader that is silent for 60
RETRY_SECONDS = 0.2
log = logging.getLogger(__name__)


class StreamLostError(Exception):
    """Postgres ended the stream."""


class WalStream:
    """A stream that is opened again whenever it breaks. `ready` is set while it flows."""

    def __init__(self, superuser_url: str, on_change: Callable[[Change], None]) -> None:
        self._url = f"{superuser_url}?replication=database&application_name=standin-realtime"
        self._on_change = on_change
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._follow()
            except (psycopg.Error, StreamLostError) as error:
                log.warning("the change stream broke and is opened again: %s", error)
            except Exception:  # a fault of ours must not end the stream for good
                log.exception("a change could not be told")
            finally:
                self.ready.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        connection = await asyncio.to_thread(_open_stream, self._url)
        loop = asyncio.get_running_loop()
        # A lost connection does not tell its socket any more, and a number left in the loop would leave the next
        # connection that gets it unheard.
        reader, number = _Reader(connection, self._on_change, loop.create_future()), connection.socket
        loop.add_reader(number, reader.read)
        self.ready.set()
        try:
            await reader.report_until_lost()
        finally:
            loop.remove_reader(number)
            connection.finish()


class _Reader:
    """One connection's reading end. Changes are handled where the loop finds the socket readable: a task to wake would
    make everybody wait for one more round of the loop.
    """

    def __init__(self, connection: PGconn, on_change: Callable[[Change], None], lost: asyncio.Future[None]) -> None:
        self._connection, self._on_change, self._lost = connection, on_change, lost
        self._decoder, self._position = Decoder(), 0

    def read(self) -> None:
        """Handle everything that has arrived, then tell Postgres."""
        try:
            self._connection.consume_input()
            self._drain()
            self._report()
        except Exception as error:  # noqa: BLE001 - to whoever follows
            if not self._lost.done():
                self._lost.set_exception(error)

    async def report_until_lost(self) -> None:
        """Tell Postgres how far we are from time to time, also when nothing arrives. Raises what ended the stream."""
        while not self._lost.done():
            self.read()
            await asyncio.wait([self._lost], timeout=STATUS_SECONDS)
        self._lost.result()

    def _drain(self) -> None:
        while (size_and_data := self._connection.get_copy_data(1))[0] > 0:
            message = bytes(size_and_data[1])
            self._position = max(self._position, _position(message))
            if message[:1] == b"w" and (change := self._decoder.feed(message[25:])):
                self._on_change(change)
        if size_and_data[0] < 0:
            raise StreamLostError("Postgres ended it")

    def _report(self) -> None:
        """Postgres lets go of the log before that."""
        at = self._position
        self._connection.put_copy_data(b"r" + struct.pack(">QQQQB", at, at, at, 0, 0))
        self._connection.flush()


def _open_stream(url: str) -> PGconn:
    connection = pq.PGconn.connect(url.encode())
    if connection.status != pq.ConnStatus.OK:
        raise StreamLostError(connection.get_error_message().strip())
    slot = f"standin_{os.getpid()}"
    _run(
        connection,
        f"CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT",
        pq.ExecStatus.TUPLES_OK,
    )
    options = f"proto_version '1', publication_names '{PUBLICATIONS}'"
    _run(connection, f"START_REPLICATION SLOT {slot} LOGICAL 0/0 ({options})", pq.ExecStatus.COPY_BOTH)
    return connection


def _run(connection: PGconn, command: str, expected: pq.ExecStatus) -> None:
    result = connection.exec_(command.encode())
    if result.status != expected:
        message = result.get_error_message().strip()
        connection.finish()
        raise StreamLostError(message)


def _position(message: bytes) -> int:
    """Return how far into the log a message is: XLogData carries start and end, a keepalive the end."""
    at = 9 if message[:1] == b"w" else 1
    return int(struct.unpack(">Q", message[at : at + 8])[0]) if message[:1] in (b"w", b"k") else 0
