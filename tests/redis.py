"""A Redis for tests with several backends. `python -m tests.redis` prints the program, or fails when there is none."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from tests.server import until

NAMES = ("redis-server", "valkey-server")


def executable() -> str:
    """Return the program: REDIS_SERVER, else the system's. Raises RuntimeError."""
    chosen = os.environ.get("REDIS_SERVER")
    for name in [chosen] if chosen else NAMES:
        if found := shutil.which(name):
            return found
    raise RuntimeError("No Redis was found: install redis-server (`make redis`), or set REDIS_SERVER to its program.")


class Redis:
    """One that keeps nothing, on a port of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._port, self.url = port, f"redis://127.0.0.1:{port}"
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
        self._process = subprocess.Popen([executable(), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, "Redis does not answer.")

    def forget(self) -> None:
        """Lose everything, as when all that is in it expires."""
        with socket.create_connection(("127.0.0.1", self._port)) as connection:
            connection.sendall(b"FLUSHALL\r\n")
            assert connection.recv(64) == b"+OK\r\n"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


if __name__ == "__main__":
    try:
        print(executable())
    except RuntimeError as error:
        sys.exit(str(error))
