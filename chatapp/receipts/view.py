"""Who has seen what."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx

from chatapp.accounts.state import Viewer
from chatapp.receipts.state import MARKERS, ReadMarkers
from chatapp.rooms.browser import MODULE, set_back
from chatapp.rooms.state import MEMBERS, ROOM
from chatapp.ui import kit
from chatapp.ui.browser import hook

UNREAD = "Mark unread from here"


class Receipt(TypedDict):
    """The last message that somebody else has seen, by its key, and the names of those who have."""

    key: str
    names: str


def seen_by(rows: Any, view: Any) -> rx.Component:
    """Below the last message that others have seen: who they are."""
    receipt = _receipt(rows)
    # Not read aloud by the log that it stands in: it changes with every glance of everybody.
    line = rx.el.p("Seen by ", receipt.names, class_name="receipt", dir="auto", custom_attrs={"aria-live": "off"})
    return rx.cond(view.key == receipt.key, line)


def mark_unread(view: Any) -> rx.Component:
    """Among the tools of a message."""
    return rx.cond(~view.parent, kit.icon_button(UNREAD, "mail", on_click=_set_back(view)))


def mark_unread_words(done: Any) -> Any:
    """The same under a finger, where `done` closes the sheet."""

    def words(view: Any) -> rx.Component:
        button = kit.button(UNREAD, kind="quiet", picture="mail", on_click=[done, *_set_back(view)])
        return rx.cond(~view.parent, button)

    return words


def _set_back(view: Any) -> list[Any]:
    room = ROOM.value.id.to(str)
    return [set_back(room, view.seq), ReadMarkers.mark_unread(room, view.seq)]


def _receipt(rows: Any) -> Any:
    room = rx.State.room_id  # Reflex adds it with the route /chat/[room_id]
    asked = MARKERS.call(MODULE, "seenBy", rows, MEMBERS.or_default("[]"), room, Viewer.me.id)
    return hook("receipt", asked, Receipt)
