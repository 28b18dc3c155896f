"""A figure and its line of JSON, and the arithmetic of the bench."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO


class Skip(Exception):  # noqa: N818  # no error: a section is left out for this reason
    """Raised by a section that cannot be measured on this machine."""


@dataclass(frozen=True)
class Peer:
    """Somebody else's value for the same thing, measured in the same run."""

    name: str
    value: float


@dataclass(frozen=True)
class Figure:
    """One measured value. `limit` is what it is held against: at most, or `at_least`; `ratio` is to the peer."""

    name: str
    value: float
    unit: str
    goal: str = ""
    limit: float | None = None
    at_least: bool = False
    peer: Peer | None = None

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the peer's, where there is no peer of the limit."""
        base = self.peer.value if self.peer else self.limit
        return None if not base else self.value / base

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        """The figure as one line of JSON."""
        return json.dumps(
            {
                "name": self.name,
                "value": _short(self.value),
                "unit": self.unit,
                "limit": _short(self.limit),
                "peer": {"name": self.peer.name, "value": _short(self.peer.value)} if self.peer else None,
                "ratio": _short(self.ratio),
                "goal": self.goal,
                "at_least": self.at_least,
                "met": self.met,
            }
        )


class Report:
    """Where figures go, one line each as they come, and what later figures of the run compare themselves with."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self.values: dict[str, float] = {}
        self.failed: list[str] = []

    def figure(self, name: str, value: float, unit: str, **more: Any) -> None:
        """Print a figure; `more` are the further fields of `Figure`."""
        self.values[name] = value
        print(Figure(name, value, unit, **more).line(), file=self._out, flush=True)

    def peer(self, who: str, what: str) -> Peer | None:
        """What a peer reached earlier in this run; None when it did not take part."""
        value = self.values.get(f"{who}: {what}")
        return None if value is None else Peer(who, value)

    def skip(self, what: str, why: Skip) -> None:
        """Say on standard error what is not measured, and why."""
        note(f"{what} skipped: {why}")

    def fail(self, what: str, error: Exception) -> None:
        """Say on standard error that a section broke, and remember it for the exit status."""
        self.failed.append(what)
        note(f"{what} failed: " + "".join(traceback.format_exception(error)))


def note(text: str) -> None:
    """Tell the person at the terminal what goes on; standard output is for figures."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def quantile(values: Sequence[float], part: float) -> float:
    """The value that `part` of all are at or below (nearest rank). Raises ValueError when there are none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _short(value: float | None) -> float | None:
    """Four significant digits, or all of a whole number: more would claim what a shared machine cannot give."""
    if value is None:
        return None
    return round(value) if abs(value) >= 1000 else float(f"{value:.4g}")
