"""What stands beside every page of somebody who is signed in."""

from __future__ import annotations

import reflex as rx

from chatapp.direct import view as direct
from chatapp.direct.state import NewMessage
from chatapp.presence import view as presence
from chatapp.rooms import switcher
from chatapp.rooms import view as rooms
from chatapp.search import view as search


def sidebar(*, box: bool = True) -> rx.Component:
    """My rooms and what opens around them, the keys, and the watch on whether I am here; the `box` to search in, where
    the page has none of its own.
    """
    above = rx.fragment(switcher.button(), search.box()) if box else switcher.button()
    return rx.fragment(
        rooms.sidebar(above, direct.button()),
        rooms.dialogs(),
        direct.new_message(),
        switcher.everywhere(on_write=NewMessage.show(True)),
        presence.watch(),
    )
