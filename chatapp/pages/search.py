"""Searching in my rooms."""

from __future__ import annotations

import reflex as rx

from chatapp.pages import side
from chatapp.search import view as search
from chatapp.ui import layout


def page() -> rx.Component:
    """`/search`"""
    return layout.shell(side.sidebar(box=False), layout.main(search.page()))
