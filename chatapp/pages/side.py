"""What stands beside every page of somebody who is signed in."""

from __future__ import annotations

import reflex as rx

from chatapp.direct import view as direct
from chatapp.presence import view as presence
from chatapp.rooms import view as rooms


def sidebar() -> rx.Component:
    """My rooms, the dialog to write to somebody, and the watch on whether I am here."""
    return rx.fragment(rooms.sidebar(direct.button()), direct.new_message(), presence.watch())
