"""The kit's fields. A label is wrapped around its input, so that no id is needed to tie them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from chatapp.ui import kit


def field(label: str, name: str, **props: Any) -> rx.Component:
    """One line of text under its label."""
    return rx.el.label(
        rx.el.span(label, class_name="field-label"),
        rx.el.input(name=name, class_name="input", **props),
        class_name="field",
    )


def choice(label: str, name: str, options: list[rx.Component]) -> rx.Component:
    """One of a few, the first to begin with."""
    return rx.el.label(
        rx.el.span(label, class_name="field-label"),
        rx.el.span(
            rx.el.select(*options, name=name, class_name="input"), kit.icon("chevron-down", 16), class_name="choice"
        ),
        class_name="field",
    )


def search(label: str, **props: Any) -> rx.Component:
    """A search field; its label is its name and its placeholder."""
    return rx.el.span(
        kit.icon("search"),
        rx.el.input(type="search", placeholder=label, class_name="input", custom_attrs={"aria-label": label}, **props),
        class_name="searchbox",
    )


def switch(label: str, name: str, explained: str, **props: Any) -> rx.Component:
    """On or off, with a sentence on what on means."""
    described = {"aria-describedby": f"about-{name}"}
    box = rx.el.input(type="checkbox", role="switch", name=name, custom_attrs=described, **props)
    return rx.el.div(
        rx.el.label(rx.el.span(label, class_name="switch-text"), box, class_name="switch"),
        kit.hint(explained, custom_attrs={"id": f"about-{name}"}),
    )
