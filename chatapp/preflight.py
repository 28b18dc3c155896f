"""What can be wrong on this machine before the app starts, each in one sentence with its cure.

Every check returns when all is well and raises ChatError otherwise. The launcher prints the message and ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from chatapp.errors import Misconfigured

LOCK = ".chatapp.lock"
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Ports:
    """The two ports of a development server: pages, and the socket they talk to."""

    pages: int = 3000
    backend: int = 8000


def ports(environment: Mapping[str, str]) -> Ports:
    """Return the ports asked for by PORT and BACKEND_PORT, or by Reflex's own names for them."""
    return Ports(
        _port(environment, "PORT", "REFLEX_FRONTEND_PORT", default=Ports.pages),
        _port(environment, "BACKEND_PORT", "REFLEX_BACKEND_PORT", default=Ports.backend),
    )


def check_ports(wanted: Ports) -> None:
    """Raise Misconfigured when a port is taken, naming who has it and a free one."""
    for name, port in (("PORT", wanted.pages), ("BACKEND_PORT", wanted.backend)):
        if not _is_free(port):
            free = next(number for number in range(port + 1, HIGHEST_PORT) if _is_free(number))
            raise Misconfigured(
                f"Port {port} is taken by {_holder(port)}: stop that, or choose another port, "
                f"as in `make run {name}={free}`."
            )


@contextlib.contextmanager
def only_one(folder: Path, address: str) -> Iterator[None]:
    """Hold the folder's lock, for one app at a time; the kernel drops it however this process ends.

    Raises Misconfigured when another holds it, or when nothing can be written here.
    """
    try:
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise _not_writable(folder, error.strerror) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _runs_already(folder) from None
        file.truncate(0)
        file.write(f"{address} {os.getpid()}\n")
        file.flush()
        yield


def check_writable(folder: Path) -> None:
    """Raise Misconfigured when an earlier run, as another user perhaps, left something that cannot be written to."""
    for path in (folder, folder / ".web", folder / ".standin"):
        if path.exists() and not os.access(path, os.W_OK):
            raise _not_writable(path, "Permission denied")


def _port(environment: Mapping[str, str], *names: str, default: int) -> int:
    for name in names:
        if text := environment.get(name):
            if not text.isdecimal() or not 0 < int(text) <= HIGHEST_PORT:
                raise Misconfigured(f"{name} is {text!r}: it must be a number from 1 to {HIGHEST_PORT}.")
            return int(text)
    return default


def _is_free(port: int) -> bool:
    """Try every address of both families, as Reflex does: `localhost` may be either."""
    return _can_bind(socket.AF_INET, port) and (not socket.has_ipv6 or _can_bind(socket.AF_INET6, port))


def _can_bind(family: socket.AddressFamily, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(("", port))
    except OSError as error:
        # No IPv6 on this machine: then nobody can hold the port there either.
        return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True


def _holder(port: int) -> str:
    """Name the program that listens on `port`, as far as this account may know."""
    with contextlib.suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr.port == port and each.pid:
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    return "another program"


def _runs_already(folder: Path) -> Misconfigured:
    address, _, pid = (folder / LOCK).read_text().strip().partition(" ")
    return Misconfigured(
        f"The app already runs from this folder, at {address} (process {pid}): use that one, or stop it with Ctrl-C."
    )


def _not_writable(path: Path, reason: str | None) -> Misconfigured:
    return Misconfigured(
        f"Cannot write to {path.resolve()} ({reason}): make it yours, as in `sudo chown -R $USER .`, "
        "or copy the project to a folder of your own."
    )
