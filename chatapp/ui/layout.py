"""How a page is laid out: alone, or beside the sidebar."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from chatapp.ui import art, kit

Place = Literal["rooms", "inside"]


def page(*children: rx.Component, nav: rx.Component) -> rx.Component:
    """A page without a sidebar: a bar with the mark and a few links, and something in the middle."""
    bar = rx.el.header(art.mark(34), rx.el.nav(nav, custom_attrs={"aria-label": "Main"}), class_name="topbar")
    return rx.el.div(bar, rx.el.main(*children, class_name="page-main"), class_name="page")


def shell(sidebar: rx.Component, main: rx.Component, place: Place = "inside") -> rx.Component:
    """Sidebar and page side by side. Phones show one of them: the sidebar at `rooms`, else the page."""
    return rx.el.div(sidebar, main, class_name=f"shell shell-{place}")


def main(*children: rx.Component) -> rx.Component:
    """What stands beside the sidebar."""
    return rx.el.main(*children, class_name="main")


def column(title: str, back_to: str, *children: rx.Component) -> rx.Component:
    """A page of things to read or choose from, in one column."""
    head = rx.el.div(kit.back("Back to rooms", back_to), rx.el.h1(title), class_name="column-title")
    return rx.el.div(rx.el.div(head, *children, class_name="column-inner"), class_name="column")


def card(title: str, lead: kit.Content, *children: rx.Component) -> rx.Component:
    """The one thing to do on a page."""
    return rx.el.div(rx.el.h1(title), rx.el.p(lead, class_name="card-lead"), *children, class_name="card")


def card_foot(*children: Any) -> rx.Component:
    """The way out of a card."""
    return rx.el.p(*children, class_name="card-foot")


def rule(words: str) -> rx.Component:
    """A line between two ways of doing the same."""
    return rx.el.div(words, class_name="rule")
