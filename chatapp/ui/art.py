"""The few drawings of our own. Colours come from the tokens, so they follow the theme."""

from __future__ import annotations

from typing import Any

import reflex as rx

svg = rx.el.svg


def mark(size: int) -> rx.Component:
    """The product's mark: two bubbles, one listening, one about to speak."""
    return _drawing("0 0 32 32", *_bubbles(), class_name="mark", width=str(size), height=str(size))


def talk() -> rx.Component:
    """A conversation at rest."""
    return _drawing(
        "0 0 160 112",
        _bubble(58, 6, 96, 50, fill="var(--marigold)", opacity="0.92"),
        _line(76, 24, 60),
        _line(76, 37, 38),
        _bubble(6, 42, 104, 56, fill="var(--accent)"),
        _tail(),
        *(_dot(x) for x in (38, 58, 78)),
        class_name="art",
    )


def nothing_there() -> rx.Component:
    """A bubble that nobody is in."""
    return _drawing(
        "0 0 160 112",
        svg.rect(
            x="24",
            y="14",
            width="112",
            height="68",
            rx="30",
            fill="none",
            stroke="var(--outline)",
            stroke_width="2.5",
            stroke_dasharray="1 9",
            stroke_linecap="round",
        ),
        svg.path(d="M52 84l-9 17 22-14", fill="var(--marigold)"),
        svg.path(d="M66 38l28 22M94 38L66 60", stroke="var(--accent)", stroke_width="6", stroke_linecap="round"),
        class_name="art",
    )


def _drawing(view_box: str, *shapes: rx.Component, **props: Any) -> rx.Component:
    return svg(*shapes, view_box=view_box, fill="none", custom_attrs={"aria-hidden": "true"}, **props)


FRONT = (
    "M10 9.5h6.5a8 8 0 0 1 8 8v1a8 8 0 0 1-8 8H9.8l-4.6 3.2a.8.8 0 0 1-1.26-.72l.2-4.1"
    "A8 8 0 0 1 2 18.5v-1a8 8 0 0 1 8-8Z"
)
"""The bubble in front, with its tail."""


def _bubbles() -> tuple[rx.Component, ...]:
    dots = (svg.circle(cx=str(x), cy="18", r="1.55", fill="var(--paper)") for x in (8.6, 13.3, 18))
    behind = svg.rect(x="11", y="3", width="19", height="16", rx="7.5", fill="var(--marigold)")
    return (behind, svg.path(d=FRONT, fill="var(--accent)"), *dots)


def _bubble(x: int, y: int, width: int, height: int, **props: Any) -> rx.Component:
    place = {"x": str(x), "y": str(y), "width": str(width), "height": str(height)}
    return svg.rect(**place, rx=str(max(height // 2 - 2, 2)), **props)


def _line(x: int, y: int, width: int) -> rx.Component:
    return _bubble(x, y, width, 5, fill="var(--paper)", opacity="0.85")


def _dot(x: int) -> rx.Component:
    return svg.circle(cx=str(x), cy="70", r="5", fill="var(--accent-ink)")


def _tail() -> rx.Component:
    return svg.path(d="M24 88l-8 20 26-12", fill="var(--accent)")
