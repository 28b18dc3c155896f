"""`python -m tests.bench.plot results.jsonl`: the app beside its peers, as docs/benchmarks.svg."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.report import number, read
from tests.server import ROOT

PICTURE = ROOT / "docs" / "benchmarks.svg"
SYSTEMS = ("app", "room", "ejabberd", "prosody", "nicegui")
CHARTS = (
    ("Deliveries a second, p99 within 1 s, 200 viewers", "sustained"),
    ("Milliseconds to a viewer, p50, 200 viewers", "200 viewers, p50"),
    ("Bytes on the wire a delivery of 100 bytes", "200 viewers, a delivery"),
)
WIDTH, BAR, GAP, LEFT, RIGHT = 760, 20, 6, 90, 90
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f } .head { font-weight: 600 }
rect { fill: #8c959f } .app { fill: #2563eb }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } rect { fill: #6e7681 } .app { fill: #60a5fa } }
</style>"""


def main() -> None:
    """Draw the picture anew."""
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m tests.bench.plot results.jsonl")
    lines = Path(sys.argv[1]).read_text().splitlines()
    PICTURE.write_text(svg(read(lines)))


def svg(figures: Iterable[dict[str, Any]]) -> str:
    """Horizontal bars, one chart below the other; a system without a figure is left out."""
    values = {figure["name"]: figure["value"] for figure in figures}
    parts, y = [], 24
    for title, what in CHARTS:
        bars = [(who, values[f"{who}: {what}"]) for who in SYSTEMS if f"{who}: {what}" in values]
        if bars:
            parts.append(f'<text class="head" x="0" y="{y}">{escape(title)}</text>')
            parts += _bars(bars, y + 10)
            y += 46 + len(bars) * (BAR + GAP)
    size = f'viewBox="0 0 {WIDTH} {y - 24}" width="{WIDTH}" role="img" aria-label="The app beside other chat servers"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{STYLE}\n' + "\n".join(parts) + "\n</svg>\n"


def _bars(bars: list[tuple[str, float]], top: int) -> list[str]:
    most = max(value for _, value in bars) or 1
    return [_bar(who, value, value / most, top + place * (BAR + GAP)) for place, (who, value) in enumerate(bars)]


def _bar(who: str, value: float, part: float, y: int) -> str:
    length = round(part * (WIDTH - LEFT - RIGHT), 1)
    mark = ' class="app"' if who == "app" else ""
    return (
        f'<text x="0" y="{y + 15}">{escape(who)}</text>'
        f'<rect{mark} x="{LEFT}" y="{y}" width="{length}" height="{BAR}" rx="3"/>'
        f'<text x="{LEFT + length + 8}" y="{y + 15}">{number(value)}</text>'
    )


if __name__ == "__main__":
    main()
