"""What can be done to a message: the toolbar at its row, the sheet under a finger, the questions, the pinned ones.

What leaf slices add to it (reactions) is handed in.
"""

from __future__ import annotations

from typing import Any

import reflex as rx

from chatapp.accounts.state import Viewer
from chatapp.messages import browser
from chatapp.messages.state import PINS, MessageTools, Pin
from chatapp.messages.view import Part
from chatapp.rooms.snapshots import MemberSnapshot
from chatapp.rooms.state import MEMBERS, ROOM
from chatapp.ui import browser as kit_browser
from chatapp.ui import dialog, kit

SHEET = "message-tools"
DELETING = "delete-message"
PINNED = "pinned"


def toolbar(first: Part, more: Part) -> rx.Component:
    """The tools of the message pointed at. `first` and `more` draw what leaf slices put before and among them."""

    @rx.memo
    def message_toolbar() -> rx.Component:
        view = browser.pointed()
        return browser.Toolbar.create(
            rx.cond(_moves(), first(view)),
            rx.cond(_editable(view), kit.icon_button("Edit", "pencil", on_click=browser.edit(view.id))),
            rx.cond(_moves(), _pin_icon(view)),
            rx.cond(_moves() & ~view.parent, kit.icon_button("Quote", "quote", on_click=browser.quote(view))),
            kit.icon_button("Copy text", "copy", on_click=_copy(view)),
            kit.icon_button("Copy link", "link", on_click=_copy_link(view)),
            more(view),
            rx.cond(_deletable(view), kit.icon_button("Delete", "trash-2", on_click=_ask(DELETING))),
            sheet=SHEET,
            class_name="tools",
            custom_attrs={"role": "toolbar", "aria-label": "Message actions"},
        )

    return message_toolbar()


def sheet(first: Part, more: Part) -> rx.Component:
    """The same under a finger, with words."""

    @rx.memo
    def message_sheet() -> rx.Component:
        view = browser.chosen()
        done = kit_browser.hide(SHEET)
        delete = kit.button("Delete", kind="danger", picture="trash-2", on_click=[done, kit_browser.show(DELETING)])
        return dialog.dialog(
            "Message",
            rx.cond(_moves(), first(view)),
            rx.cond(
                _editable(view),
                kit.button("Edit", kind="quiet", picture="pencil", on_click=[done, browser.edit(view.id)]),
            ),
            rx.cond(_moves(), _pin_words(view, done)),
            rx.cond(
                _moves() & ~view.parent,
                kit.button("Quote", kind="quiet", picture="quote", on_click=[done, browser.quote(view)]),
            ),
            kit.button("Copy text", kind="quiet", picture="copy", on_click=[done, *_copy(view)]),
            kit.button("Copy link", kind="quiet", picture="link", on_click=[done, *_copy_link(view)]),
            more(view),
            rx.cond(_deletable(view), delete),
            name=SHEET,
            open=kit_browser.is_open(SHEET),
            on_dismiss=done,
        )

    return rx.el.div(message_sheet(), class_name="sheet")


def delete_question() -> rx.Component:
    """Before a message is deleted."""
    view, done = browser.chosen(), kit_browser.hide(DELETING)
    return dialog.dialog(
        "Delete this message?",
        rx.el.blockquote(browser.words_of(view), class_name="quoted", dir="auto"),
        rx.el.p("Everybody will see that it was deleted. It cannot be brought back.", class_name="dialog-text"),
        rx.el.div(
            kit.button("Keep", on_click=done),
            kit.button("Delete", kind="danger", on_click=[done, MessageTools.delete(view.id)]),
            class_name="actions",
        ),
        name=DELETING,
        open=kit_browser.is_open(DELETING),
        on_dismiss=done,
    )


def pins_button() -> rx.Component:
    """Opens the pinned messages; not there while there are none."""
    known = PINS.or_default("[]")
    button = kit.button(
        "Pinned",
        kind="quiet",
        picture="pin",
        on_click=kit_browser.show(PINNED),
        custom_attrs={"aria-haspopup": "dialog"},
    )
    return rx.cond(known.length() > 0, button)


def pins_dialog() -> rx.Component:
    """The room's pinned messages, the last pinned first."""
    done = kit_browser.hide(PINNED)
    pins = PINS.or_default("[]")
    some = rx.el.ul(rx.foreach(pins, _pin), class_name="pins")
    none = rx.el.p("Nothing is pinned here.", class_name="dialog-text")
    return dialog.dialog(
        "Pinned messages",
        rx.cond(pins.length() > 0, some, none),
        name=PINNED,
        open=kit_browser.is_open(PINNED),
        on_dismiss=done,
    )


def _pin(pin: Pin) -> rx.Component:
    person = kit_browser.person_of(MEMBERS.value, pin.user_id, MemberSnapshot)
    day = rx.el.time(kit_browser.day_of(pin.created_at), date_time=pin.created_at)
    unpin = kit.icon_button("Unpin", "pin-off", on_click=MessageTools.pin(pin.id, False))
    show = [kit_browser.hide(PINNED), browser.jump_to(pin.id, pin.seq)]
    return rx.el.li(
        rx.el.div(
            rx.el.strong(person.name | pin.author, class_name="author", dir="auto"), day, class_name="message-head"
        ),
        rx.el.p(pin.content, class_name="text", dir="auto"),
        rx.el.div(
            kit.icon_button("Show in conversation", "arrow-up-right", on_click=show),
            rx.cond(_moves(), unpin),
            class_name="pin-tools",
        ),
        class_name="pin",
        key=pin.id,
    )


def _moves() -> rx.Var[bool]:
    """Whether anything can be changed here; in an archived room nothing can."""
    return ROOM.known & ~ROOM.value.archived


def _editable(view: Any) -> rx.Var[bool]:
    """Where it stands in the room: above its thread it would be a second box for the same."""
    return _moves() & _mine(view) & ~view.first


def _mine(view: Any) -> rx.Var[bool]:
    return view.user_id == Viewer.me.id


def _deletable(view: Any) -> rx.Var[bool]:
    """For the buttons alone; whether it is allowed the server decides."""
    me = kit_browser.person_of(MEMBERS.value, Viewer.me.id, MemberSnapshot)
    return _mine(view) | (me.role == "owner") | (me.role == "admin")


def _pin_icon(view: Any) -> rx.Component:
    return rx.cond(
        view.pinned,
        kit.icon_button("Unpin", "pin-off", on_click=MessageTools.pin(view.id, False)),
        kit.icon_button("Pin", "pin", on_click=MessageTools.pin(view.id, True)),
    )


def _pin_words(view: Any, done: Any) -> rx.Component:
    return rx.cond(
        view.pinned,
        kit.button("Unpin", kind="quiet", picture="pin-off", on_click=[done, MessageTools.pin(view.id, False)]),
        kit.button("Pin", kind="quiet", picture="pin", on_click=[done, MessageTools.pin(view.id, True)]),
    )


def _ask(name: str) -> list[Any]:
    return [browser.choose(), kit_browser.show(name)]


def _copy(view: Any) -> list[Any]:
    return [rx.set_clipboard(view.content), rx.toast.success("Copied")]


def _copy_link(view: Any) -> list[Any]:
    return [rx.set_clipboard(browser.link_to(view.id)), rx.toast.success("Copied")]
