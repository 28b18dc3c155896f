"""What starting a child process takes: an import path, a log that stays small, and its last words."""

from __future__ import annotations

import os
from io import BufferedWriter
from pathlib import Path

LOG_LIMIT = 5_000_000  # bytes; a larger log is begun anew at the next start


def import_path() -> dict[str, str]:
    """Return an environment in which a child finds this package, whatever folder it runs in."""
    root = Path(__file__).resolve().parents[len((__package__ or "").split("."))]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def open_log(path: Path) -> BufferedWriter:
    """Open a log to append to, closed to others: a failed statement may be quoted in it."""
    large = path.exists() and path.stat().st_size > LOG_LIMIT
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if large else os.O_APPEND), 0o600)
    return os.fdopen(descriptor, "wb")


def last_line(path: Path) -> str:
    """Return the last line that says anything in a log."""
    return last_of(path.read_text(errors="replace")[-4000:]) if path.exists() else "no log"


def last_of(text: str) -> str:
    """Return the last line of `text` that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
