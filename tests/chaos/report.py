"""Figures as JSON lines, in a file that a run which was cut short goes on with; progress for whoever waits."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

BEGAN = time.monotonic()


class Report:
    """A run's figures. Those of a phase that was finished by an earlier run with the same settings are kept."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path, head = path, {"run": settings}
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        if lines[:1] != [head]:
            lines = [head]
        done = [number for number, line in enumerate(lines) if "done" in line]
        self._lines = lines[: done[-1] + 1] if done else lines[:1]
        path.write_text("".join(json.dumps(line) + "\n" for line in self._lines))
        for line in self.figures:
            print(json.dumps(line), flush=True)

    @property
    def figures(self) -> list[dict[str, Any]]:
        return [line for line in self._lines if "name" in line]

    @property
    def bad(self) -> list[str]:
        """Names of the figures beyond their limits."""
        return [line["name"] for line in self.figures if line["limit"] is not None and line["value"] > line["limit"]]

    def has(self, phase: str) -> bool:
        """Whether a phase was finished before."""
        return {"done": phase} in self._lines

    def done(self, phase: str) -> None:
        self._write({"done": phase})

    def figure(self, name: str, value: float, unit: str, limit: float | None = None) -> None:
        ratio = round(value / limit, 3) if limit else None
        line = {"name": name, "value": round(value, 3), "unit": unit, "limit": limit, "peer": None, "ratio": ratio}
        self._write(line)
        print(json.dumps(line), flush=True)

    def _write(self, line: dict[str, Any]) -> None:
        self._lines.append(line)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def progress(text: str) -> None:
    print(f"{time.monotonic() - BEGAN:7.1f} s  {text}", file=sys.stderr, flush=True)


def quantile(values: list[float], part: float) -> float:
    """The value that `part` of all do not exceed (nearest rank); 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run until done or told to stop; stopping leaves nothing behind."""

    async def stoppable() -> int:
        task = asyncio.current_task()
        assert task
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await main

    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        progress("Stopped; the next run goes on from here.")
        return 130
