"""`python -m chatapp.serve`: the backend in production, with the built pages where they are there. One process.

uvicorn rather than Reflex's default, granian: a tab's connection costs 20 KiB instead of 160, and frames can be written
directly (see `chatapp.fanout`). docs/decisions/0007-*.md has the figures.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from chatapp.fanout import EXTENSION

log = logging.getLogger(__name__)

APP = "chatapp.chatapp:app"

MOST_WAITING = 1024 * 1024
"""Bytes that may wait for one tab, whatever its network does. One that lags more has to be seen to catch up."""

STALLED = 10.0
"""Seconds in which the network of a tab that lags more must have taken something."""

MOST_EVER = 4 * MOST_WAITING
"""Bytes that wait for one tab at most. One that lags more is disconnected: to load anew is less."""


class Connection(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which also takes whole frames: the ASGI extension `chatapp.frames`."""

    _written = _taken = 0
    _took_at = 0.0

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if extensions := getattr(self, "scope", {}).get("extensions"):  # without a scope the handshake has failed
            extensions[EXTENSION] = self

    def write(self, frame: bytes) -> None:
        """Send a frame, or disconnect a tab that lags too far. Does nothing once the connection ends."""
        if self.transport.is_closing() or self.close_sent:
            return
        waiting = self.transport.get_write_buffer_size()
        if waiting > MOST_WAITING and not self._catches_up(waiting):
            log.info("A tab lags by %d bytes and is disconnected: it will reconnect and load anew.", waiting)
            self.transport.abort()
            return
        self.transport.write(frame)
        self._written += len(frame)

    def _catches_up(self, waiting: int) -> bool:
        """Whether a tab that lags far is worth waiting for: a slow link is not a dead one."""
        now, taken = time.monotonic(), self._written - waiting
        if taken > self._taken:
            self._taken, self._took_at = taken, now
        return waiting <= MOST_EVER and now - self._took_at <= STALLED

    def drop(self) -> None:
        """End the connection; what the network does not take at once is lost."""
        self.transport.abort()


def options(host: str, port: int) -> dict[str, Any]:
    """How uvicorn is to run."""
    return {
        "app": APP,
        "factory": True,
        "host": host,
        "port": port,
        "ws": Connection,
        "ws_ping_interval": None,  # engine.io has pings of its own
        "ws_per_message_deflate": False,  # it costs more CPU and memory than it saves wire
        "log_level": "warning",
        "timeout_graceful_shutdown": 5,
    }


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m chatapp.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args()
    for name, value in surroundings().items():
        os.environ.setdefault(name, value)
    uvicorn.run(**options(chosen.host, chosen.port))


def surroundings() -> dict[str, str]:
    """What Reflex is told by the environment: production, and the pages as they were built, if they are here."""
    pages = Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web"), "build", "client").is_dir()
    if not pages:
        log.warning("No pages are built here, so only the backend is served. `reflex export` builds them.")
    mount = "1" if pages else "0"
    return {"REFLEX_ENV_MODE": "prod", "__REFLEX_SKIP_COMPILE": "1", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": mount}


if __name__ == "__main__":
    main()
