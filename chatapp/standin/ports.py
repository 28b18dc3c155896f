"""Choosing the two ports: the one remembered, else the one wished for, else any that is free."""

from __future__ import annotations

import socket

API_PORT = 54321  # the Supabase CLI's local ports
DATABASE_PORT = 54322


def bound_socket(remembered: int, wished: int) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, at the remembered port or the wished one if that is free."""
    for port in (remembered or wished, 0):
        # Said to be TCP: asyncio sends small answers at once (TCP_NODELAY) on sockets that say so, else 40 ms later.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()  # at once: until one of them listens, two may be bound to the same port
        except OSError:
            listener.close()
            continue
        return listener
    raise OSError("no free port on 127.0.0.1")


def free_port(remembered: int, wished: int) -> int:
    """Return a port that was free a moment ago, for a program that binds it itself."""
    with bound_socket(remembered, wished) as probe:
        return port_of(probe)


def port_of(listener: socket.socket) -> int:
    """Return the port a socket is bound to."""
    return int(listener.getsockname()[1])
