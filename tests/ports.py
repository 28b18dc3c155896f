"""Ports for tests, which several processes look for at the same time."""

from __future__ import annotations

import itertools
import os
import socket

FIRST, COUNT = 20_000, 12_000
"""Below those that the system gives to outgoing connections: nothing takes one between looking and listening."""

_next = itertools.count(os.getpid() * 37)


def free_port() -> int:
    """Return a port that nobody listens on, and that this process was not given before."""
    while True:
        port = FIRST + next(_next) % COUNT
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
