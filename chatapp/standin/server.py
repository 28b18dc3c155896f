"""The stand-in's own process: Postgres on a leash, and the services beside it.

Little is loaded here on purpose: everything else is, while Postgres starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from .errors import StandinError
from .locks import FileLock
from .ports import API_PORT, DATABASE_PORT, bound_socket, free_port, port_of
from .postgres import PortTakenError, Postgres
from .record import Record, load_record, new_record, save_record


async def serve(data: Path, *, api_port: int | None, db_port: int | None, while_used: bool) -> None:
    """Serve `data` until told to stop or, if `while_used`, until the last user left. Raises StandinError."""
    # Never given back: the kernel does so when this process is gone, which is what those wait for who stop it.
    if not FileLock(data / "server.lock").try_alone():
        raise StandinError(f"A stand-in runs in {data} already: stop it first.")
    # At once: who stops us signals this process id, and an old one may be somebody else's by now.
    record = save_record(data, load_record(data) or new_record(), pid=os.getpid())
    with bound_socket(record.api_port, api_port or API_PORT) as listener:
        await _serve_on(listener, data, record, db_port, while_used)


async def _serve_on(listener: socket.socket, data: Path, record: Record, db_port: int | None, while_used: bool) -> None:
    loading = asyncio.create_task(asyncio.to_thread(importlib.import_module, f"{__package__}.serving"))
    async with _postgres(data, record, db_port) as postgres:
        record = save_record(data, record, api_port=port_of(listener), db_port=postgres.port)
        await loading
        from .serving import serve_http  # noqa: PLC0415 - loaded while Postgres started

        await serve_http(listener, data, record, postgres, while_used=while_used)


@contextlib.asynccontextmanager
async def _postgres(data: Path, record: Record, db_port: int | None) -> AsyncIterator[Postgres]:
    """A Postgres that is up and looks like a hosted project, for as long as the block runs."""
    postgres = Postgres(data, record.db_port, record.superuser_password)
    try:
        await asyncio.to_thread(_start, postgres, record, db_port)
        yield postgres
    finally:
        await asyncio.to_thread(postgres.stop)


def _start(postgres: Postgres, record: Record, db_port: int | None) -> None:
    postgres.prepare()  # first: a predecessor that shuts down still holds the port
    for is_last in (False, False, True):
        postgres.port = free_port(record.db_port, db_port or DATABASE_PORT)
        postgres.spawn()
        from .bootstrap import bootstrap  # noqa: PLC0415 - psycopg is loaded while Postgres starts

        try:
            postgres.await_answer()
            break
        except PortTakenError:  # by another that starts at the same moment
            if is_last:
                raise
    bootstrap(postgres.superuser_url, record.postgres_password)
