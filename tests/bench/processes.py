"""Programs that a measurement starts: each ends with it, and what it costs is read from the system."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil


class Program:
    """One program and its children. On a leash: however the bench ends, none of them stays."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "chatapp.standin.leash", "--", *command],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_port(self, port: int, seconds: float = 30) -> None:
        """Wait until it listens. Raises RuntimeError with the log's end."""
        deadline = time.monotonic() + seconds
        while not listens(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not start: {self._log.read_text(errors='replace')[-600:].strip()}")
            time.sleep(0.05)

    def end(self) -> None:
        """Let go of the leash, and wait until all of them have ended."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)


@contextlib.contextmanager
def running(command: Sequence[str], port: int, environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """A program that has been started and listens on `port`; ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="chatapp-bench-") as folder:
        program = Program(command, Path(folder) / "log", environment)
        try:
            program.wait_for_port(port)
            yield program
        finally:
            program.end()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its children so far, of those too that have ended."""
    return sum(measured(process, lambda each: sum(each.cpu_times()[:4])) for process in family(pid))


def memory(pid: int) -> int:
    """Resident bytes of a process and its children."""
    return int(sum(measured(process, lambda each: each.memory_info().rss) for process in family(pid)))


def measured(process: psutil.Process, read: Callable[[psutil.Process], float]) -> float:
    """What is read of a process, 0 when it has just ended: its parent counts it from then on."""
    try:
        return read(process)
    except psutil.NoSuchProcess:
        return 0


def family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def busy(seconds: float = 2) -> float:
    """Per cent of all cores that are in use: before a section, the weather that it is measured in."""
    return float(psutil.cpu_percent(seconds))
