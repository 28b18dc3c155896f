"""The kit's drawer: beside the page on wide screens, over it on narrow ones (assets/drawer.js)."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.ui import browser, kit

MODULE = "$/public/drawer.js"


class Drawer(rx.Component):
    """<aside>; `browser.show(name)` opens it where it does not stand open anyway."""

    library = MODULE
    tag = "Drawer"
    name: Var[str]


def drawer(*children: rx.Component, name: str, label: str, **props: Any) -> rx.Component:
    """What is in it is in it on all screens."""
    return Drawer.create(*children, name=name, custom_attrs={"aria-label": label}, **props)


def opener(label: str, name: str, *marks: rx.Component) -> rx.Component:
    """The button that opens it, on narrow screens only; `marks` may say that there is news in it."""
    opened = {"aria-expanded": rx.cond(browser.is_open(name), "true", "false"), "aria-controls": name}
    return rx.el.span(
        kit.icon_button(label, "panel-left", on_click=browser.show(name), custom_attrs=opened),
        *marks,
        class_name="drawer-opener only-narrow",
    )
