"""Kill the stand-in's processes at random moments while it is written to: what was acknowledged must be there.

`python -m tests.standin.killing` kills 50 times (`KILLS`), `KILL_SEED` repeats the choices. The suite kills less often.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from chatapp.standin.errors import StandinError
from chatapp.standin.lifecycle import Project, ensure, find
from tests.folders import data_folder
from tests.standin.helpers import wait_until

KINDS = ("server", "leash", "postgres", "backend")
WRITERS = 3


@dataclass
class Writers:
    """People who write rows and files all the time, and remember what they were told is stored."""

    project: Project
    rows: list[tuple[int, int]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    failures: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._write_rows, args=(number,)) for number in range(WRITERS)]
        threads.append(threading.Thread(target=self._write_files))
        for thread in threads:
            thread.start()
        return threads

    def end(self, threads: list[threading.Thread]) -> None:
        self._over.set()
        for thread in threads:
            thread.join()

    def _write_rows(self, writer: int) -> None:
        number = 0
        while not self._over.is_set():
            try:
                with psycopg.connect(self.project.database_url, autocommit=True, connect_timeout=5) as connection:
                    while not self._over.is_set():
                        number += 1  # never tried twice: an answer that was lost says nothing of its row
                        connection.execute("insert into kept (writer, number) values (%s, %s)", (writer, number))
                        self.rows.append((writer, number))
            except psycopg.Error:
                self._missed()

    def _write_files(self) -> None:
        key = {"apikey": self.project.secret_key, "authorization": f"Bearer {self.project.secret_key}"}
        with httpx.Client(base_url=f"{self.project.url}/storage/v1", headers=key, timeout=5) as http:
            for number in range(10**9):
                if self._over.is_set():
                    return
                try:
                    answer = http.post(f"/object/kept/{number}", content=f"file {number}".encode())
                except httpx.HTTPError:
                    self._missed()
                    continue
                if answer.status_code == 200:
                    self.files.append(str(number))
                time.sleep(0.01)  # each is read again at the end: many are wanted, not all that the disk takes

    def _missed(self) -> None:
        self.failures += 1
        time.sleep(0.05)  # nobody says when it is back, and asking without a pause would hold that up


def run(kills: int, seed: str) -> Counter[str]:
    """Kill so many times, then compare. Raises AssertionError when anything acknowledged is missing."""
    chance, killed = random.Random(seed), Counter[str]()
    with data_folder("kill") as data:
        project = ensure(data)
        _furnish(project)
        writers = Writers(project)
        threads = writers.start()
        try:
            for number in range(kills):
                time.sleep(chance.uniform(0, 0.5))  # where in its work it is hit is what chance decides
                kind = chance.choice(KINDS)
                if _kill(data, kind, chance):
                    killed[kind] += 1
                _await_recovery(data, project)
                print(f"kill {number + 1}: {kind}, {len(writers.rows)} rows, {len(writers.files)} files", flush=True)
        finally:
            writers.end(threads)
        _compare(project, writers)
        return killed


def _furnish(project: Project) -> None:
    with psycopg.connect(project.database_url, autocommit=True) as connection:
        connection.execute("create table kept (writer int, number int, primary key (writer, number))")
        connection.execute("alter publication supabase_realtime add table kept")
    key = {"apikey": project.secret_key, "authorization": f"Bearer {project.secret_key}"}
    httpx.post(f"{project.url}/storage/v1/bucket", headers=key, json={"name": "kept"}).raise_for_status()


def _kill(data: Path, kind: str, chance: random.Random) -> bool:
    """Kill one process of that kind; False when there was none at this moment."""
    pids = _processes(data)[kind]
    if not pids:
        return False
    os.kill(chance.choice(pids), signal.SIGKILL)
    return True


def _processes(data: Path) -> dict[str, list[int]]:
    """The server, the leash, Postgres, and Postgres's own processes, as they are now."""
    listing = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=3) for line in listing.stdout.splitlines()]
    alive = [(int(pid), int(parent), args) for pid, parent, stat, args in rows if stat[0] != "Z"]
    about = [(pid, parent, args) for pid, parent, args in alive if str(data) in args]
    found: dict[str, list[int]] = {
        "server": [json.loads((data / "standin.json").read_text())["pid"]],
        "leash": [pid for pid, _, args in about if "standin.leash" in args],
        "postgres": [pid for pid, _, args in about if "standin.leash" not in args and "/postgres -D" in args],
    }
    found["backend"] = [pid for pid, parent, _ in alive if parent in found["postgres"]]
    found["server"] = [pid for pid, _, args in about if pid in found["server"] and "standin.leash" not in args]
    return found


def _await_recovery(data: Path, project: Project) -> None:
    """A killed server is started by its next user, the rest heals by itself; either way the project is the same."""
    wait_until(lambda: _up(data) == project, 30)


def _up(data: Path) -> Project | None:
    try:
        up = find(data) or ensure(data)
        with psycopg.connect(up.database_url, connect_timeout=5) as connection:
            connection.execute("select 1")
        return up
    except (psycopg.Error, StandinError):
        return None


def _compare(project: Project, writers: Writers) -> None:
    with psycopg.connect(project.database_url) as connection:
        rows = set(connection.execute("select writer, number from kept").fetchall())
    lost = set(writers.rows) - rows
    assert not lost, f"{len(lost)} acknowledged rows are gone: {sorted(lost)[:10]}"
    key = {"apikey": project.secret_key, "authorization": f"Bearer {project.secret_key}"}
    with httpx.Client(base_url=f"{project.url}/storage/v1", headers=key) as http:
        for name in writers.files:
            answer = http.get(f"/object/kept/{name}")
            assert (answer.status_code, answer.text) == (200, f"file {name}"), f"file {name} is gone: {answer.text}"
    assert writers.rows, "nothing was written"
    assert writers.files, "nothing was stored"
    print(
        f"{len(writers.rows)} rows and {len(writers.files)} files were acknowledged, all are there; "
        f"{writers.failures} attempts met a killed process"
    )


if __name__ == "__main__":
    chosen = os.environ.get("KILL_SEED") or secrets.token_hex(4)
    print(f"KILL_SEED={chosen}")
    print(dict(run(int(os.environ.get("KILLS", "50")), chosen)))
    sys.exit(0)
