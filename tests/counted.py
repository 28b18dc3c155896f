"""`chatapp.serve`, which also says what it holds: SIGUSR1 makes it write its counts to the file `COUNTS`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sized
from pathlib import Path
from typing import Any

from chatapp import serve
from chatapp.shared import NAMESPACE


def counts() -> dict[str, int]:
    """How many there are of everything that a tab makes the process hold."""
    from chatapp import live  # noqa: PLC0415  # the app is imported once uvicorn has set everything up
    from chatapp.chatapp import app  # noqa: PLC0415

    assert app.sio is not None
    rooms: dict[Any, Sized] = app.sio.manager.rooms.get(NAMESPACE, {})
    hub = live._following
    return {
        "sockets": len(app.sio.eio.sockets),
        "places in socket rooms": sum(len(room) for room in rooms.values()),
        "socket rooms": len(rooms),
        "environments": len(app.sio.environ),
        "tasks": len(asyncio.all_tasks()),
        "hub rooms": len(hub._rooms) if hub else 0,
        "hub pumps": len(hub._pumps) if hub else 0,
        "states": len(app.state_manager.states),  # type: ignore[attr-defined]  # kept in memory
        "tokens": len(app.event_namespace.token_to_sid) if app.event_namespace else 0,
    }


def tell(*_: object) -> None:
    """Write the counts, all at once."""
    target = Path(os.environ["COUNTS"])
    half = target.with_suffix(".half")
    half.write_text(json.dumps(counts()))
    half.replace(target)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell)
    serve.main()
