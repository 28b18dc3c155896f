"""What a serving process holds, counted from inside it: everything that a tab makes it hold, and that must not pile up.

Asked by tests/counted.py, in the process's own loop, and by tests/chaos/observer, from a thread beside it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import Any


def counts() -> dict[str, int]:
    """Everything, counted at once. Raises whatever stands in the way."""
    return {name: question() for name, question in QUESTIONS.items()}


def _app() -> Any:
    return sys.modules["chatapp.shared"].wire()._app  # never imported from here: the server decides when


def _hub() -> Any:
    return sys.modules["chatapp.live"]._following


def _socket_rooms() -> dict[Any, Any]:
    found: dict[Any, Any] = _app().sio.manager.rooms.get(sys.modules["chatapp.shared"].NAMESPACE, {})
    return found


def _tasks() -> Iterable[Any]:
    # Python 3.11's name, then that of later ones. Not all_tasks(): that wants a loop, and a thread has none.
    return list(getattr(asyncio.tasks, "_all_tasks" if sys.version_info < (3, 12) else "_scheduled_tasks"))


QUESTIONS: dict[str, Callable[[], int]] = {
    "sockets": lambda: len(_app().sio.eio.sockets),
    "places in socket rooms": lambda: sum(len(room) for room in list(_socket_rooms().values())),
    "socket rooms": lambda: len(_socket_rooms()),
    "environments": lambda: len(_app().sio.environ),
    "tasks": lambda: sum(not task.done() for task in _tasks()),
    "hub rooms": lambda: len(_hub()._rooms) if _hub() else 0,
    "hub pumps": lambda: len(_hub()._pumps) if _hub() else 0,
    "states": lambda: len(_app().state_manager.states),
    "tokens": lambda: len(_app().event_namespace.token_to_sid),
}
"""What is counted, by name."""
