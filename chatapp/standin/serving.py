"""The services over HTTP, until told to stop or until nobody uses the stand-in any more; Postgres is healed meanwhile.

Apart from `server`, which starts Postgres meanwhile: loading what is needed here takes as long as that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import uvicorn

from .app import make_app
from .auth.service import Auth
from .database import Database
from .errors import StandinError
from .keys import load_keys
from .lifecycle import is_kept
from .locks import FileLock
from .postgres import Postgres
from .realtime.changes import Changes
from .realtime.channels import Services
from .realtime.hub import Hub
from .realtime.limits import Usage, limits_from_environment
from .realtime.service import deliver, sweep
from .realtime.wal import WalStream
from .record import Record
from .rest.service import Rest
from .storage.files import Files
from .storage.resumable import sweep as sweep_uploads
from .storage.routes import open_storage
from .storage.service import Storage

WATCH_SECONDS = 1.0
HEAL_SECONDS = 0.25
SOCKET_MESSAGE_LIMIT = 4_000_000  # bytes; a hosted broadcast may have 3 MB
log = logging.getLogger(__name__)


async def serve_http(
    listener: socket.socket, data: Path, record: Record, postgres: Postgres, *, while_used: bool
) -> None:
    """Serve on `listener` for as long as `postgres` is to run."""
    async with _opened(postgres.superuser_url) as database, _opened(record.authenticator_url) as callers:
        await _serve(listener, data, record, postgres, database=database, callers=callers, while_used=while_used)


@contextlib.asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _serve(
    listener: socket.socket,
    data: Path,
    record: Record,
    postgres: Postgres,
    *,
    database: Database,
    callers: Database,
    while_used: bool,
) -> None:
    keys, hub = load_keys(data, record), Hub()
    changes, usage = Changes(database, postgres.superuser_url), Usage(limits_from_environment())
    services = Services(database, keys, hub, changes, usage)
    stream = WalStream(postgres.superuser_url, partial(deliver, services))
    health = _Health(postgres, stream)
    storage = Storage(database, keys, Files(data / "storage"))
    await open_storage(storage)
    app = make_app(Auth(database, keys), Rest(callers, keys), services, storage, health.is_good)
    server = health.server = _Server(uvicorn.Config(app, **_HTTP))
    jobs = [stream.run(), services.changes.run(), sweep(database), sweep_uploads(storage), _heal(postgres)]
    async with _background(jobs + ([_stop_when_unused(data, server.stop)] if while_used else [])):
        await asyncio.wait_for(stream.ready.wait(), 10)
        _stop_on_signals(server.stop)
        await server.serve(sockets=[listener])


_HTTP: dict[str, Any] = {
    "ws": "websockets-sansio",
    "ws_max_size": SOCKET_MESSAGE_LIMIT,
    "ws_per_message_deflate": False,  # costs CPU and memory, and saves nothing on one machine
    "lifespan": "off",
    "access_log": False,  # the clients put the API key into the socket's address: it must not reach a log
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": 1,
}


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling, which would kill us before Postgres was shut down."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


@dataclass
class _Health:
    """Whether a newcomer may rely on this server. One that stops says so: the newcomer waits and starts its
    own.
    """

    postgres: Postgres
    stream: WalStream
    server: _Server | None = None

    def is_good(self) -> bool:
        stopping = self.server is None or self.server.should_exit
        return not stopping and self.postgres.running and self.stream.ready.is_set()


def _stop_on_signals(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def _heal(postgres: Postgres) -> None:
    """Start Postgres again whenever it ended: the pool and the stream find it by themselves."""
    while True:
        await asyncio.sleep(HEAL_SECONDS)
        if postgres.running:
            continue
        log.warning("Postgres ended and is started again")
        try:
            await asyncio.to_thread(_restart, postgres)
        except (StandinError, psycopg.Error) as error:
            log.error("Postgres could not be started again: %s", error)


def _restart(postgres: Postgres) -> None:
    postgres.prepare()
    postgres.start()


async def _stop_when_unused(data: Path, stop: Callable[[], None]) -> None:
    """Stop once nobody held `users.lock` for the grace period.

    The lock is kept from then on, so that a newcomer waits until this process is gone and then starts its
    own.
    """
    lock, grace, alone_since = FileLock(data / "users.lock"), _grace_seconds(), time.monotonic()
    while True:
        await asyncio.sleep(min(WATCH_SECONDS, grace))
        if is_kept(data) or not lock.try_alone():
            alone_since = time.monotonic()
        elif time.monotonic() - alone_since >= grace:
            log.warning("nobody uses the stand-in any more: it stops")
            return stop()
        else:
            lock.unlock()


def _grace_seconds() -> float:
    return float(os.environ.get("STANDIN_GRACE", "5"))


@contextlib.asynccontextmanager
async def _background(jobs: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(job) for job in jobs]
    for task in tasks:
        task.add_done_callback(_tell_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_failure(task: asyncio.Task[None]) -> None:
    """A job that fails must be seen at once, not when the process ends."""
    if not task.cancelled() and (error := task.exception()):
        log.error("a background job failed", exc_info=error)
