"""`reflex run` as a child that never outlives us, its output held back until it is of use to a person."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import psutil

from chatapp.errors import ChatError, Unavailable
from chatapp.preflight import Ports

GRACE = 8.0
"""Seconds Reflex gets to end in peace; it needs one or two."""
PATIENCE = 60.0
"""Seconds after which a slow start is remarked upon."""
MARK = "CHATAPP_RUN"
"""In the environment of everything this run started, so that it can be found again."""
GAVE_UP = re.compile(r"Unexpected exit from worker")
"""What the backend's supervisor says; it then waits for the code to be mended, which is of no use at the start."""
RAISED = re.compile(r"^Process granian-worker:$|ASGI lifespan startup failed", re.MULTILINE)
"""What is said of a backend that could not run its code, or not start to serve."""
AGAIN = 30.0
"""Seconds after its revival in which a backend that ends once more is left to be mended."""
TOLD = re.compile(r"^chatapp\.errors\.\w+: (.+)$", re.MULTILINE)
"""The last line of a traceback: a sentence meant for a person."""
NO_NETWORK = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|E?TIMEDOUT|ENOTCACHED)\b"
)


class Server:
    """One development server; use it as a context manager. It runs while the context lasts, or until it ends itself."""

    def __init__(self, ports: Ports, environment: Mapping[str, str]) -> None:
        self._ports = ports
        self._mark = secrets.token_hex(8)
        self._environment = {
            **environment,
            MARK: self._mark,
            "REFLEX_FRONTEND_PORT": str(ports.pages),
            "REFLEX_BACKEND_PORT": str(ports.backend),
        }
        self._output = Output()
        self._parent = os.getppid()
        self._revived = -AGAIN

    def __enter__(self) -> Self:
        """Start. A session of its own keeps Ctrl-C from it: we pass that on, once, by closing its stdin."""
        leash = [sys.executable, "-m", "chatapp.standin.leash", "--signal", "INT", "--grace", str(GRACE), "--"]
        self._leash = subprocess.Popen(
            [*leash, sys.executable, "-m", "reflex", "run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment,
            start_new_session=True,
        )
        self._output.follow(self._leash)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._output.discard()
        if self._leash.stdin:
            self._leash.stdin.close()
        self._leash.wait()
        self._end_strays()

    def wait_until_ready(self) -> None:
        """Return once pages and backend answer. Raises ChatError when the server ends instead."""
        late = time.monotonic() + PATIENCE
        while not (_answers(self._ports.pages, "/") and _answers(self._ports.backend, "/ping")):
            if self._ended_within(0.1) or self._output.says(GAVE_UP):
                raise self._failure()
            if time.monotonic() > late:
                late = float("inf")
                print("This takes longer than usual. `.venv/bin/reflex run` would show what it is at.", flush=True)
        self._output.show_new()

    def wait(self, each_second: Callable[[], None]) -> int:
        """Return the exit code once the server ends by itself, or 0 once whoever started us is gone."""
        while not self._ended_within(1.0):
            if self._is_deserted():
                return 0
            self._revive_backend()
            each_second()
        return self._leash.returncode

    def _ended_within(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._leash.wait(seconds)
            self._output.finish()
            return True
        return False

    def _revive_backend(self) -> None:
        """Have Reflex start a backend anew that has died: by itself it would wait until the code changes.

        For one that cannot run its code that is right, and Reflex has shown why.
        """
        said = self._output.take(GAVE_UP)
        if said and not RAISED.search(said) and time.monotonic() - self._revived > AGAIN:
            self._revived = time.monotonic()
            print("chatapp: The backend has ended unexpectedly. It is started again.", flush=True)
            self._signal_reflex(signal.SIGHUP)  # its supervisor takes that for: new workers, please

    def _signal_reflex(self, number: signal.Signals) -> None:
        """Reflex is the leash's oldest child; others are orphans that it has adopted."""
        with contextlib.suppress(psutil.Error, ValueError):
            min(psutil.Process(self._leash.pid).children(), key=psutil.Process.create_time).send_signal(number)

    def _is_deserted(self) -> bool:
        """Tell whether the `make` that started us was killed. A shell may leave us behind: nohup is for that."""
        return "MAKELEVEL" in self._environment and os.getppid() != self._parent

    def _failure(self) -> ChatError:
        """Say why it did not start: in one sentence if we know, else after all that it said."""
        if cause := self._output.says(TOLD):
            return Unavailable(cause[1])
        if cause := self._output.says(NO_NETWORK):
            return Unavailable(
                f"The pages' JavaScript packages could not be downloaded ({cause[1]}): connect this machine to the "
                "network, or set npm's registry or proxy, and start again. Later starts do without."
            )
        self._output.show_all()
        return Unavailable("The app did not start; what Reflex said is above.")

    def _end_strays(self) -> None:
        """End what is left when the leash itself was killed: it can no longer do it."""
        strays = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in strays:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(strays, timeout=GRACE)

    def _is_ours(self, process: psutil.Process) -> bool:
        """The stand-in may carry our mark too, if the backend started it, but it is not ours to end."""
        with contextlib.suppress(psutil.Error, OSError):
            marked = process.environ().get(MARK) == self._mark
            return marked and not any("chatapp.standin" in part for part in process.cmdline())
        return False


class Output:
    """What a process says: kept, shown, or dropped, line by line, on a thread of its own."""

    def __init__(self, kept: int = 500) -> None:
        self._lines: deque[str] = deque(maxlen=kept)
        self._lock = threading.Lock()
        self._show = self._drop = False

    def says(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Look for `pattern` in what was said so far, or in the end of it."""
        with self._lock:
            return pattern.search("".join(self._lines))

    def take(self, pattern: re.Pattern[str]) -> str:
        """Return all that was said, if `pattern` is in it, and begin anew; else ""."""
        with self._lock:
            said = "".join(self._lines)
            if not pattern.search(said):
                return ""
            self._lines.clear()
            return said

    def finish(self) -> None:
        """Wait for the last words of processes that ended, though not for one that kept the pipe open."""
        self._reader.join(timeout=1)

    def follow(self, process: subprocess.Popen[str]) -> None:
        """Read until the process and everybody it gave its output to are gone."""
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()

    def show_all(self) -> None:
        """Show what was said so far, and from now on."""
        with self._lock:
            if not self._show:
                print("".join(self._lines), end="", flush=True)
            self._show = True

    def show_new(self) -> None:
        """Show what is said from now on."""
        with self._lock:
            self._show = True

    def discard(self) -> None:
        """Say no more: how many processes end, and in what order, is nobody's concern."""
        self._drop = True

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            with self._lock:
                self._lines.append(line)
                if self._show and not self._drop:
                    print(line, end="", flush=True)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
