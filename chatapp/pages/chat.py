"""The chat's pages without an open room."""

from __future__ import annotations

import reflex as rx

from chatapp.pages import side
from chatapp.rooms import switcher
from chatapp.rooms import view as rooms
from chatapp.ui import layout


def rooms_page() -> rx.Component:
    """`/chat`"""
    return layout.shell(side.sidebar(), layout.main(rooms.choose(switcher.hints())), place="rooms")


def browse_page() -> rx.Component:
    """`/chat/browse`"""
    return layout.shell(side.sidebar(), layout.main(rooms.browse()))
