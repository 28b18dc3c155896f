"""A chart of a few lines as SVG: nothing to install, and a browser shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 360, 60, 40, 40
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2")
Points = Sequence[tuple[float, float]]


def draw(path: Path, title: str, across: str, up: str, lines: Mapping[str, Points]) -> None:
    """Write a chart of `lines` from zero to their highest point; nothing where there are no points."""
    points = [point for line in lines.values() for point in line]
    if not points:
        return
    most_x, most_y = max(1e-9, *(x for x, _ in points)), max(1e-9, *(y for _, y in points)) * 1.05
    parts = [_text(LEFT, 20, f"{title} ({up})"), *_grid(most_x, most_y, across)]
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        drawn = " ".join(f"{_x(x, most_x):.1f},{_y(y, most_y):.1f}" for x, y in line)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{drawn}"/>')
        parts.append(_text(LEFT + 10 + 150 * number, TOP, name, colour))
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    path.write_text(f'{frame}<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n')


def _grid(most_x: float, most_y: float, across: str) -> list[str]:
    parts = []
    for part in (0, 0.25, 0.5, 0.75, 1):
        y, x = _y(part * most_y, most_y), _x(part * most_x, most_x)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 20}" stroke="#ddd"/>')
        parts += [_text(5, y + 4, f"{part * most_y:.4g}"), _text(x - 10, HEIGHT - 20, f"{part * most_x:.4g}")]
    return [*parts, _text(WIDTH - 120, HEIGHT - 5, across)]


def _x(value: float, most: float) -> float:
    return LEFT + value / most * (WIDTH - LEFT - 20)


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP)


def _text(x: float, y: float, text: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{colour}">{escape(text)}</text>'
