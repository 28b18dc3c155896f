"""What stands beside every page of somebody who is signed in."""

from __future__ import annotations

import reflex as rx

from chatapp.presence import view as presence
from chatapp.rooms import view as rooms


def sidebar() -> rx.Component:
    """My rooms, and the watch on whether I am here."""
    return rx.fragment(rooms.sidebar(), presence.watch())
