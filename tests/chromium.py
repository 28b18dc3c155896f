"""Which browser the tests drive. `python -m tests.chromium` prints it, or fails when there is none."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import sync_playwright

# The first has no windows to keep: it opens a page in half the time.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
)
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = [
    "--no-sandbox",  # root, as in CI, has no other way; the tests visit our own pages only
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing but the tests' own traffic: no updates, no sync, no look-ups.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str:
    """Return the program: CHROME, else the system's, else the one Playwright downloaded. Raises RuntimeError."""
    if chosen := os.environ.get("CHROME"):
        candidates = [shutil.which(chosen) or chosen]
    else:
        candidates = [*filter(None, map(shutil.which, NAMES)), *MAC]
    for path in candidates:
        if _is_program(path):
            return path
    if not chosen and _is_program(path := _playwrights_own()):
        return path
    raise RuntimeError("No Chromium or Chrome was found: run `make browser`, or set CHROME to one.")


def _is_program(path: str) -> bool:
    return os.access(path, os.X_OK) and Path(path).is_file()


def _playwrights_own() -> str:
    """Ask on a thread of its own: Playwright's blocking half refuses to work where a loop runs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_ask_playwright).result()


def _ask_playwright() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


if __name__ == "__main__":
    try:
        print(executable())
    except RuntimeError as error:
        sys.exit(str(error))
