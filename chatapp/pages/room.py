"""A room's page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from chatapp.invites import view as invites
from chatapp.live import Tab
from chatapp.messages import browser, tools
from chatapp.messages import view as messages
from chatapp.pages import missing, side
from chatapp.presence import view as presence
from chatapp.reactions import view as reactions
from chatapp.receipts import view as receipts
from chatapp.receipts.state import ReadMarkers
from chatapp.rooms import running
from chatapp.rooms import view as rooms
from chatapp.threads import view as threads
from chatapp.typing_indicator import view as typing_indicator
from chatapp.ui import layout
from chatapp.ui.browser import hide


def page() -> rx.Component:
    """`/chat/[room_id]`"""
    return layout.shell(side.sidebar(), layout.main(rx.cond(_missing(), missing.content(), _room())))


def title() -> rx.Var[str]:
    """The room's name, once it is known. Doesn't ask for the address: that var is made together with the route."""
    return rx.cond(Tab.missing, missing.TITLE, rooms.page_title())


def _missing() -> rx.Var[bool]:
    """The same answer for a room that is not there and one that is not for this person."""
    return (Tab.missing != "") & (Tab.missing == browser.open_room_id())


def _room() -> rx.Component:
    row = messages.row(under=lambda view: rx.fragment(reactions.chips(view), threads.replies(view)))
    toolbar = tools.toolbar(
        first=lambda view: rx.fragment(reactions.quick(view), threads.reply(view)), more=receipts.mark_unread
    )
    conversation = rx.el.div(
        rooms.header(presence.online(), threads.unread_button(), tools.pins_button(), invites.button()),
        messages.log(
            row=row,
            on_older=Tab.load_older,
            on_newer=Tab.load_newer,
            on_latest=Tab.show_latest,
            on_jump=Tab.jump,
            on_seen=ReadMarkers.advance,
            tools=toolbar,
            after=receipts.seen_by,
        ),
        typing_indicator.below(messages.composer(), room=browser.open_room_id()),
        class_name="conversation",
    )
    return rx.el.div(
        conversation,
        threads.panel(row=row, tools=toolbar),
        rooms.members_panel(presence.members(running.tools), running.settings_button()),
        invites.invite(),
        running.settings(),
        *_message_dialogs(),
        class_name="room",
    )


def _message_dialogs() -> list[rx.Component]:
    return [
        tools.sheet(first=_first_of_sheet, more=receipts.mark_unread_words(hide(tools.SHEET))),
        tools.delete_question(),
        tools.pins_dialog(),
        reactions.picker(),
    ]


def _first_of_sheet(view: Any) -> rx.Component:
    quick = reactions.quick_sheet(tools.SHEET)
    return rx.fragment(quick(view), threads.reply_words(hide(tools.SHEET))(view))
