"""The kit's dialogs: native ones, so the browser itself keeps the focus inside and the page behind inert."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.ui import browser, kit


class Dialog(rx.Component):
    """<dialog>, open while `open`; `docked` ones stand beside the page on wide screens."""

    library = browser.MODULE
    tag = "Dialog"
    open: Var[bool]
    docked: Var[bool] = Var.create(False)
    on_dismiss: rx.EventHandler[rx.event.no_args_event_spec]


def dialog(title: Any, *children: rx.Component, name: str, open: Any, on_dismiss: Any) -> rx.Component:  # noqa: A002  # HTML's word
    """A question in the middle of the page. Escape, the cross and a click beside it dismiss it."""
    return Dialog.create(
        rx.el.div(_title(title, name), _cross(on_dismiss), class_name="dialog-head"),
        rx.el.div(*children, class_name="dialog-body"),
        open=open,
        on_dismiss=on_dismiss,
        class_name="dialog",
        custom_attrs={"aria-labelledby": _title_id(name)},
    )


def palette(title: str, *children: rx.Component, name: str) -> rx.Component:
    """Something to type into and choose from, in the upper part of the page. `browser.show(name)` opens it."""
    return Dialog.create(
        rx.el.h2(title, class_name="sr-only", custom_attrs={"id": _title_id(name)}),
        *children,
        open=browser.is_open(name),
        on_dismiss=browser.hide(name),
        class_name="dialog palette",
        custom_attrs={"aria-labelledby": _title_id(name), "id": name},
    )


def panel(title: str, *children: rx.Component, name: str, foot: rx.Component) -> rx.Component:
    """Something that stands beside the page, and over its lower part on phones. `browser.toggle(name)` opens it."""
    return Dialog.create(
        rx.el.div(_title(title, name), _cross(browser.hide(name)), class_name="panel-head"),
        rx.el.div(*children, class_name="panel-body", tab_index=0),
        rx.el.div(foot, class_name="panel-foot"),
        open=browser.is_open(name),
        docked=True,
        on_dismiss=browser.hide(name),
        class_name="panel",
        custom_attrs={"aria-labelledby": _title_id(name), "id": name},
    )


def side(title: str, *children: rx.Component, name: str, on_dismiss: Any, class_name: str = "panel") -> rx.Component:
    """Something that stands beside the page with a part of its own that scrolls."""
    return Dialog.create(
        rx.el.div(_title(title, name), _cross(on_dismiss), class_name="panel-head"),
        *children,
        open=browser.is_open(name),
        docked=True,
        on_dismiss=on_dismiss,
        class_name=class_name,
        custom_attrs={"aria-labelledby": _title_id(name), "id": name},
    )


def _title(title: Any, name: str) -> rx.Component:
    return rx.el.h2(title, custom_attrs={"id": _title_id(name)})


def _title_id(name: str) -> str:
    return f"{name}-title"


def _cross(on_click: Any) -> rx.Component:
    return kit.icon_button("Close", "x", on_click=on_click)
