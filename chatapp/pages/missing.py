"""What is not there."""

from __future__ import annotations

import reflex as rx

from chatapp.accounts import view as accounts
from chatapp.ui import art, kit, layout

TITLE = "Page not found · Chat"


def page() -> rx.Component:
    """Any address that leads nowhere."""
    return layout.page(content(), nav=accounts.navigation())


def content() -> rx.Component:
    """Also what a room's page shows to those who are not in it."""
    return kit.empty_state(
        art.nothing_there(),
        "Page not found",
        "There is nothing at this address, or it isn't for you.",
        kit.link_button("Chat Rooms", to="/chat", kind="primary"),
    )
