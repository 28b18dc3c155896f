"""`python -m tests.bench.report results.jsonl`: put the figures of a run into the table of docs/benchmarks.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.server import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = ("Figure", "Value", "Limit", "Beside", "Ratio", "Goal", "Met")


def main() -> None:
    """Rewrite the page, from one run: figures of several were not measured beside each other."""
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m tests.bench.report results.jsonl")
    lines = Path(sys.argv[1]).read_text().splitlines()
    PAGE.write_text(between(PAGE.read_text(), table(read(lines))))


def read(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The figures among the lines; of one measured twice the later."""
    figures = [json.loads(line) for line in lines if line.startswith("{")]
    return list({figure["name"]: figure for figure in figures}.values())


def table(figures: Iterable[dict[str, Any]]) -> str:
    """The figures as a table of Markdown, in their order."""
    rows = [HEAD, ("---",) * len(HEAD), *map(_row, figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def between(page: str, content: str) -> str:
    """The page with `content` between its two comments. Raises ValueError when they are not there."""
    begin, end = "<!-- figures -->", "<!-- /figures -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"the page has no {begin} … {end}")
    return f"{before}{begin}\n{content}\n{end}{after}"


def _row(figure: dict[str, Any]) -> tuple[str, ...]:
    peer, limit = figure["peer"], figure["limit"]
    sign = "≥" if figure["at_least"] else "≤"
    return (
        figure["name"],
        f"{number(figure['value'])} {figure['unit']}",
        "" if limit is None else f"{sign} {number(limit)}",
        f"{peer['name']}: {number(peer['value'])}" if peer else "",
        "" if figure["ratio"] is None else number(figure["ratio"]),
        figure["goal"],
        {None: "", True: "yes", False: "**no**"}[figure["met"]],
    )


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    return f"{round(value):,}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
