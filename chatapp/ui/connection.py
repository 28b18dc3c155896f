"""What is said while the server cannot be reached, on every page (assets/connection.js notices and mends it)."""

from __future__ import annotations

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.ui import kit

MODULE = "$/public/connection.js"


class ConnectionBanner(rx.Component):
    """A live region, empty while connected."""

    library = MODULE
    tag = "ConnectionBanner"
    offline: Var[str]
    reconnecting: Var[str]


def banner() -> rx.Component:
    """Calm, and over the page's upper edge: nothing below it moves."""
    return ConnectionBanner.create(
        kit.icon("wifi-off", 16),
        offline="You're offline. Messages will be sent when you're back.",
        reconnecting="Reconnecting…",
        class_name="connection",
    )
