"""The change stream on its own, in this process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.pq.abc import PGconn

from chatapp.standin.lifecycle import Project
from chatapp.standin.realtime import wal
from chatapp.standin.realtime.pgoutput import Change
from chatapp.standin.realtime.wal import WalStream
from chatapp.standin.record import Record, load_record


@asynccontextmanager
async def stream_of(data: Path) -> AsyncIterator[tuple[WalStream, asyncio.Queue[Change]]]:
    record = load_record(data)
    assert record
    changes: asyncio.Queue[Change] = asyncio.Queue()
    stream = WalStream(superuser(record), changes.put_nowait)
    running = asyncio.create_task(stream.run())
    await asyncio.wait_for(stream.ready.wait(), 10)
    try:
        yield stream, changes
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_stream_that_was_cut_is_heard_again_and_not_only_at_its_next_report(
    project: Project, shared_data: Path, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The socket of a lost connection once stayed in the loop, and the next connection, given the same number, was
    # read only when a report to Postgres was due. Here none ever is.
    monkeypatch.setattr(wal, "STATUS_SECONDS", 3600)
    opened: list[PGconn] = []
    open_stream = wal._open_stream

    def noted(url: str) -> PGconn:
        opened.append(open_stream(url))
        return opened[-1]

    monkeypatch.setattr(wal, "_open_stream", noted)
    async with stream_of(shared_data) as (stream, changes):
        for number in range(3):
            await send(database, f"before {number}")
            await heard(changes, f"before {number}")
            cut(opened[-1].socket)
            async with asyncio.timeout(10):
                while len(opened) < number + 2:  # noqa: ASYNC110  # nobody announces a second connection
                    await asyncio.sleep(0.01)
                await stream.ready.wait()
            await send(database, f"after {number}")
            await heard(changes, f"after {number}")


def cut(number: int) -> None:
    """End a connection as a killed server does: without a word."""
    with socket.socket(fileno=os.dup(number)) as connection:
        connection.shutdown(socket.SHUT_RDWR)


def superuser(record: Record) -> str:
    return f"postgresql://supabase_admin:{record.superuser_password}@127.0.0.1:{record.db_port}/postgres"


async def send(database: psycopg.Connection, event: str) -> None:
    await asyncio.to_thread(database.execute, "select realtime.send('{}'::jsonb, %s, 'wal-test', false)", (event,))


async def heard(changes: asyncio.Queue[Change], event: str) -> None:
    async with asyncio.timeout(5):
        while (await changes.get()).new.get("event") != event:
            pass
