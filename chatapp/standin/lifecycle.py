"""Start a stand-in, or join the one that runs, and leave it again.

`ensure(data)` gives a running project and counts the caller as its user until the process ends or calls
`release`. The server runs detached: it outlives whoever started it, and stops `STANDIN_GRACE` seconds (5
unless set) after its last user left, however that one ended. From async code: `await
asyncio.to_thread(ensure, data)`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .account import place_recorded
from .errors import StandinError
from .locks import Deadline, FileLock, is_held
from .processes import import_path, last_line, open_log
from .record import Record, load_record

START_SECONDS = 30.0
STOP_SECONDS = 20.0

_used: dict[Path, FileLock] = {}


@dataclass(frozen=True)
class Project:
    """What an application needs to know of a Supabase project."""

    url: str
    publishable_key: str
    secret_key: str
    database_url: str


def ensure(data: Path, *, api_port: int | None = None, db_port: int | None = None) -> Project:
    """Return the running stand-in of `data`, starting one if none runs, and become its user.

    Ports are only a wish for the first start (54321 and 54322 unless given): afterwards `data` remembers
    them. Safe to call from many processes at once. Raises StandinError, after 30 s at the latest.
    """
    data = make_folder(data)
    deadline = Deadline(START_SECONDS)
    with FileLock(data / "start.lock") as start:
        _take(start.try_alone, deadline, data)
        _become_user(data, deadline)
        try:
            return _running(data, deadline) or _spawn(data, deadline, api_port, db_port)
        except BaseException:
            release(data, stop_if_last=False)
            raise


def attach(data: Path) -> Project:
    """Return the running stand-in of `data` and become its user. Raises StandinError when none runs."""
    data = data.resolve()
    if not is_held(data / "server.lock"):
        raise StandinError(f"No stand-in runs in {data}: start it with `python -m chatapp.standin start`.")
    return ensure(data)


def find(data: Path) -> Project | None:
    """Return the running stand-in of `data` without becoming its user, None when none runs."""
    data = data.resolve()
    record = load_record(data) if is_held(data / "server.lock") else None
    return _project(record) if record and _answers(record) else None


def release(data: Path, *, stop_if_last: bool = True) -> None:
    """Stop being a user; with `stop_if_last`, stop the stand-in at once if nobody else uses it.

    Does nothing for a process that is no user of `data`.
    """
    data = data.resolve()
    lock = _used.pop(data, None)
    if lock is None:
        return
    with lock:
        lock.unlock()
        if stop_if_last and not is_kept(data) and lock.try_alone():
            _stop_server(data)


def stop(data: Path) -> bool:
    """Stop the stand-in of `data`, whoever uses it; return False when none ran."""
    data = data.resolve()
    if not is_held(data / "server.lock"):
        return False
    _stop_server(data)
    return True


def reset(data: Path) -> None:
    """Stop the stand-in and delete all of its data."""
    data = data.resolve()
    stop(data)
    if elsewhere := place_recorded(data):
        shutil.rmtree(elsewhere, ignore_errors=True)
    if (data / "users.lock").exists():  # never delete a folder that is not ours
        shutil.rmtree(data)


def keep(data: Path) -> None:
    """Let the server that runs now stay without users, until `stop`."""
    record = load_record(data.resolve())
    (data / "keep").write_text(str(record.pid if record else 0))


def is_kept(data: Path) -> bool:
    """Tell whether the server that runs now was asked to stay: the note names its process, so it ends with
    it.
    """
    record, note = load_record(data), data / "keep"
    return bool(record and note.exists() and note.read_text() == str(record.pid))


def make_folder(data: Path) -> Path:
    """Make the data folder: closed to others, but enterable by the account that runs Postgres for root."""
    data = data.resolve()
    try:
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        FileLock(data / "start.lock").release()
    except OSError as error:
        raise StandinError(
            f"Cannot write to {data} ({error.strerror}): allow it, or choose another folder in STANDIN_DATA."
        ) from error
    return data


def _become_user(data: Path, deadline: Deadline) -> None:
    if data in _used:
        return
    lock = FileLock(data / "users.lock")
    _take(lock.try_shared, deadline, data)
    _used[data] = lock


def _take(attempt: Callable[[], bool], deadline: Deadline, data: Path) -> None:
    while not attempt():
        if deadline.passed:
            raise StandinError(
                f"Another process has been starting or stopping the stand-in in {data} for 30 s: end it."
            )
        time.sleep(0.02)


def _running(data: Path, deadline: Deadline) -> Project | None:
    """Return the project once the server that holds the lock answers; None when no server holds it."""
    while is_held(data / "server.lock"):
        record = load_record(data)
        if record and _answers(record):
            return _project(record)
        _check_time(deadline, data)
        time.sleep(0.02)
    return None


def _spawn(data: Path, deadline: Deadline, api_port: int | None, db_port: int | None) -> Project:
    server = _start_server(data, api_port, db_port)
    while server.poll() is None:
        record = load_record(data)
        if record and record.pid == server.pid and _answers(record):
            return _project(record)
        if deadline.passed:
            server.terminate()
        _check_time(deadline, data)
        time.sleep(0.02)
    raise StandinError(last_line(data / "standin.log").removeprefix("standin: "))


def _start_server(data: Path, api_port: int | None, db_port: int | None) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own: a Ctrl-C for the application is not meant for it."""
    ports = [f"--{name}={port}" for name, port in (("api-port", api_port), ("db-port", db_port)) if port]
    with open_log(data / "standin.log") as log:
        return subprocess.Popen(
            [sys.executable, "-m", __package__ or "", "--data", str(data), "serve", "--while-used", *ports],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env={"MALLOC_ARENA_MAX": "1", **import_path()},  # glibc: each thread's own heap would be kept for good
        )


def _check_time(deadline: Deadline, data: Path) -> None:
    if deadline.passed:
        log = data / "standin.log"
        raise StandinError(f"The stand-in did not answer within 30 s (last said: {last_line(log)}): see {log}.")


def _answers(record: Record) -> bool:
    """Ask the server who it is: another program may have taken the port meanwhile."""
    connection = http.client.HTTPConnection("127.0.0.1", record.api_port, timeout=2)
    try:
        connection.request("GET", "/health")
        answer = json.loads(connection.getresponse().read())
        return bool(answer == {"project": record.project, "status": "ok"})
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def _project(record: Record) -> Project:
    return Project(record.url, record.publishable_key, record.secret_key, record.database_url)


def _stop_server(data: Path) -> None:
    """Ask the server to stop and wait until it is gone."""
    deadline = Deadline(STOP_SECONDS)
    while is_held(data / "server.lock"):
        _terminate(data)
        if deadline.passed:
            raise StandinError(f"The stand-in in {data} did not stop within 20 s: see {data / 'standin.log'}.")
        time.sleep(0.05)


def _terminate(data: Path) -> None:
    """The server wrote its process id before it took its port, and its lock proves that it lives."""
    record = load_record(data)
    if record and record.pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGTERM)
