"""Run a command that never outlives its owner: `python -m chatapp.standin.leash [options] -- COMMAND…`

The owner keeps the other end of this process's stdin. When that pipe closes, be it that the owner closed it,
crashed or was killed with -9, or when SIGTERM or SIGINT arrives, the command's whole group is signalled
(`--signal`, TERM unless told), and killed after `--grace` seconds. When the command ends by itself, whatever
it left behind is ended too, and the leash exits with the command's code (128 + n for signal n).

Standard library only, and little of it: this has to run before anything else does.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36
LEFTOVERS_GRACE = 1.0  # seconds between TERM and KILL for what the command left behind


class _Account(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def main() -> int:
    """Hold the command until it ends or the owner is gone; return its exit code."""
    options = _options()
    wakeups = _wake_on_signals()
    _adopt_orphans()
    child = _start(options)
    if not _wait_for_exit(child, wakeups):
        _end(child, options.signal, options.grace)
    _end_leftovers(child.pid)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="leash", description="Run a command that never outlives its owner.")
    parser.add_argument("--signal", type=_signal, default=signal.SIGTERM, help="what ends the command: TERM, INT…")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds before the command is killed")
    parser.add_argument("--user", help="the account the command runs as (needs root)")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _signal(name: str) -> signal.Signals:
    return signal.Signals["SIG" + name.upper().removeprefix("SIG")]


def _wake_on_signals() -> int:
    """Return a descriptor that turns readable whenever a child ends or somebody asks us to stop."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return read


def _adopt_orphans() -> None:
    """On Linux, grandchildren whose parent died become ours, so that they can be found and ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _start(options: argparse.Namespace) -> subprocess.Popen[bytes]:
    command = options.command
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent(options.signal),  # noqa: PLW1509 - one thread here
            **_account(options.user),
        )
    except OSError as error:
        print(f"leash: cannot run {command[0]}: {error.strerror}", file=sys.stderr)
        raise SystemExit(127) from error


def _account(user: str | None) -> _Account:
    """Return Popen's arguments for dropping to `user`, without root's supplementary groups."""
    if user is None:
        return {}
    import pwd  # noqa: PLC0415 - not on every system, and not needed by most

    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Let the kernel signal the command if the leash itself is killed with -9.

    Popen runs this after it changed the user: the kernel forgets the setting on a change of credentials.
    """
    if sys.platform != "linux":
        return None
    prctl, leash = ctypes.CDLL(None).prctl, os.getpid()

    def arrange() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != leash:  # it died before the line above
            os._exit(127)

    return arrange


def _wait_for_exit(child: subprocess.Popen[bytes], wakeups: int) -> bool:
    """Return True once the command ended by itself, False when it has to be ended."""
    while child.poll() is None:
        ready, _, _ = select.select([wakeups, 0], [], [])
        if 0 in ready and not os.read(0, 4096):
            return False
        if wakeups in ready and set(os.read(wakeups, 4096)) - {signal.SIGCHLD}:
            return False
        _reap(_children_except(child.pid))
    return True


def _end(child: subprocess.Popen[bytes], number: signal.Signals, grace: float) -> None:
    _signal_group(child.pid, number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(grace)
        return
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _end_leftovers(group: int) -> None:
    """End what is left of the command's group, and every orphan it handed to us."""
    for number, grace in ((signal.SIGTERM, LEFTOVERS_GRACE), (signal.SIGKILL, LEFTOVERS_GRACE)):
        deadline = time.monotonic() + grace
        if not (_signal_group(group, number) | _signal_each(_children_except(group), number)):
            return
        while _reap(_children_except(group)) and time.monotonic() < deadline:
            time.sleep(0.01)


def _signal_group(group: int, number: signal.Signals) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def _signal_each(pids: list[int], number: signal.Signals) -> bool:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return bool(pids)


def _children_except(command: int) -> list[int]:
    return [pid for pid in _children() if pid != command]


def _children() -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def _reap(pids: list[int]) -> list[int]:
    """Collect those of `pids` that ended; return those that still run."""
    running = []
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                running.append(pid)
    return running


if __name__ == "__main__":
    sys.exit(main())
