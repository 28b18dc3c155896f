"""The real app for tests: one backend process on one port, and the front end, built once, for those who look at it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / ".web-tests"
PORT = int(os.environ.get("TEST_PORT", "18651"))
"""Built into the front end, which must know where its backend is; another one means another build."""
URL = f"http://localhost:{PORT}"
START_SECONDS = 60
PARTS = ("chatapp", "assets", "rxconfig.py", "requirements.lock", ".npmrc", "reflex.lock")


class Server:
    """One backend process, with `pages` one that also serves those built. Killed and started again by tests.

    On another port than the one built into the pages, browsers reach it through a proxy only (tests/network.py).
    """

    def __init__(self, environment: Mapping[str, str], log: Path, port: int = PORT, pages: bool = False) -> None:
        # A starting app writes its own address into its pages: those that browsers look at are not for every server.
        where = {} if pages else {"REFLEX_WEB_WORKDIR": str(log.parent / "web")}
        mount = {"__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "1" if pages else "0"}
        self._environment, self._log, self.port = {**where, **mount, **environment}, log, port
        self._counts = log.with_suffix(".counts")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> Server:
        """Start, and wait until it answers. Raises RuntimeError with the log's end."""
        if not port_is_free(self.port):  # said here, since the old one would answer us for the new
            raise RuntimeError(f"Port {self.port} is taken: end what listens on it.")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.counted", "--port", str(self.port)],
                cwd=ROOT,
                env={**environment(), "COUNTS": str(self._counts), **self._environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()
        return self

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its workers without a chance to say anything."""
        self._end(signal.SIGKILL)

    def counts(self) -> dict[str, int]:
        """What it holds right now; see tests/counted.py."""
        self._counts.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        until(self._counts.exists, "The app does not say what it holds.")
        answer: dict[str, int] = json.loads(self._counts.read_text())
        return answer

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        os.killpg(self._process.pid, how)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
        self._process = None
        until(
            lambda: port_is_free(self.port), "The app's workers did not end."
        )  # they end after the process that we wait for

    def _wait(self) -> None:
        until(lambda: self._answers() or self._has_ended(), "The app does not answer.")
        if self._has_ended():
            raise RuntimeError("The app did not start:\n" + self._log.read_text()[-4000:])

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def until(condition: Callable[[], bool], complaint: str, seconds: float = START_SECONDS) -> None:
    """Wait for something outside of this process. Raises RuntimeError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(complaint)
        time.sleep(0.02)


def environment() -> dict[str, str]:
    """What build and server share: the port, their own web folder, production mode."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SUPABASE_", "DATABASE_"))},
        "REFLEX_API_URL": URL,
        "REFLEX_DEPLOY_URL": URL,
        "REFLEX_FRONTEND_PORT": str(PORT),
        "REFLEX_BACKEND_PORT": str(PORT),
        "REFLEX_WEB_WORKDIR": str(WEB),
        "REFLEX_ENV_MODE": "prod",
        "__REFLEX_SKIP_COMPILE": "1",
        "PYTHONPATH": str(ROOT),
    }


def build() -> None:
    """Build the front end for `PORT`, unless the one that is there was made from the same sources."""
    stamp, sources = WEB / "built-from", fingerprint()
    if stamp.exists() and stamp.read_text() == sources:
        return
    variables = {name: value for name, value in environment().items() if not name.startswith("__REFLEX")}
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError("The front end could not be built:\n" + done.stdout[-4000:] + done.stderr[-4000:])
    stamp.write_text(sources)


def fingerprint() -> str:
    """Changes whenever a file that the front end is built from does."""
    digest = hashlib.sha256(str(PORT).encode())
    for path in sorted(file for part in PARTS for file in _files(ROOT / part)):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def port_is_free(port: int = PORT) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _files(part: Path) -> list[Path]:
    if part.is_file():
        return [part]
    skipped = {"__pycache__", "standin", "external"}
    return [path for path in part.rglob("*") if path.is_file() and not skipped & set(path.parts)]
