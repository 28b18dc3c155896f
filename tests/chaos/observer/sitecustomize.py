"""Counts what the server holds, from inside: put this folder on PYTHONPATH, and Python imports this file by itself.

So the process that is observed is the real one, started as ever, and the product has no code for being observed.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

EVERY = 5.0


def counts() -> dict[str, float]:
    """Everything that must not pile up; -1 for what cannot be counted."""
    from tests import held  # noqa: PLC0415  # once the app is there: this file is imported before everything

    # Blocks are what Python's objects take: memory that grows without them is the allocator's, not the product's.
    questions = {**held.QUESTIONS, "threads": threading.active_count, "blocks": sys.getallocatedblocks}
    return {name: _answer(question) for name, question in questions.items()}


def _answer(question) -> float:
    try:
        return question()
    except Exception:  # noqa: BLE001  # it looks at inner parts of others while they change
        return -1


def _report(path: Path) -> None:
    while True:
        time.sleep(EVERY)
        if "chatapp.chatapp" not in sys.modules:
            continue
        try:
            half = path.with_suffix(".half")
            half.write_text(json.dumps({"pid": os.getpid(), **counts()}))
            half.replace(path)
        except Exception:  # noqa: BLE001, S110  # the next time, then
            pass


def _start() -> None:
    threading.Thread(target=_report, args=(Path(os.environ["OBSERVER_FILE"]),), name="observer", daemon=True).start()


if "OBSERVER_FILE" in os.environ:
    _start()
    os.register_at_fork(after_in_child=_start)  # a server's workers may be forks, and threads stay with the parent
