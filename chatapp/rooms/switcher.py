"""Getting about by keyboard: the switcher of rooms, the keys of every page, and the dialog that lists them."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.rooms import browser as unread
from chatapp.rooms import view
from chatapp.rooms.browser import ListedRoom
from chatapp.rooms.snapshots import DIRECT
from chatapp.ui import browser, dialog, kit

MODULE = "$/public/shortcuts.js"
SWITCHER, HELP, CHOICES = "switcher", "shortcuts", "switcher-choices"
"""Names, in the browser alone, of what opens, and of the list in it."""

PAGES = [
    {"key": "write", "path": "", "name": "New message"},
    {"key": "browse", "path": "/chat/browse", "name": "Browse rooms"},
    {"key": "search", "path": "/search", "name": "Search messages"},
    {"key": "rooms", "path": "/chat", "name": "All rooms"},
]
"""Where else one may want to go; without a path, what opens there is handed in."""

COMMAND = "command"
KEYS = [
    ("Switch to another room", (COMMAND, "K")),
    ("Previous or next room", ("Alt", "↑", "↓")),
    ("Previous or next unread room", ("Alt", "Shift", "↑", "↓")),
    ("Send the message", ("Enter",)),
    ("Begin a new line", ("Shift", "Enter")),
    ("Edit my last message, in an empty box", ("↑",)),
    ("Close what is open, stop editing", ("Esc",)),
    ("Show these shortcuts", (COMMAND, "/")),
]


class Choice(ListedRoom):
    """A place to go to that fits what has been typed."""

    key: str
    path: str
    active: bool


class Switcher(rx.Component):
    """Around the box and its choices: arrows and Enter."""

    library = MODULE
    tag = "Switcher"
    name: Var[str]


class Shortcuts(rx.Component):
    """Invisible: the keys of every page."""

    library = MODULE
    tag = "Shortcuts"
    rooms: Var[list[ListedRoom]]
    switcher: Var[str]
    help: Var[str]


def everywhere(on_write: Any) -> rx.Component:
    """What every page with a sidebar has: the keys, and what they open; `on_write` is the way to whom one writes to."""
    return rx.fragment(
        Shortcuts.create(rooms=unread.my_rooms(), switcher=SWITCHER, help=HELP),
        switcher(on_write),
        shortcuts(),
    )


def button() -> rx.Component:
    """The switcher's place in the sidebar: it looks like what it opens, and says by which keys."""
    return rx.el.button(
        kit.icon("search", 16),
        rx.el.span("Jump to…", class_name="jump-words"),
        rx.el.span(_keys((COMMAND, "K")), class_name="only-keyboard", custom_attrs={"aria-hidden": "true"}),
        type="button",
        on_click=browser.show(SWITCHER),
        class_name="jump",
        custom_attrs={"aria-keyshortcuts": "Control+K Meta+K", "aria-haspopup": "dialog"},
    )


def hints() -> rx.Component:
    """The two keys to begin with, where there is a keyboard."""
    first = (KEYS[0], KEYS[-1])
    return rx.el.div(
        *(rx.el.span(words, _keys(names)) for words, names in first), class_name="start-keys only-keyboard"
    )


def switcher(on_write: Any) -> rx.Component:
    """The dialog that Ctrl+K opens: a box, and the rooms and people that fit what is typed into it."""
    found = Switcher.create(_box(), _choices(on_write), name=SWITCHER, class_name="switcher")
    return dialog.palette("Go to a room", found, name=SWITCHER)


def shortcuts() -> rx.Component:
    """The dialog `Keyboard shortcuts`."""
    rows = (rx.el.div(rx.el.dt(words), rx.el.dd(_keys(names))) for words, names in KEYS)
    return dialog.dialog(
        "Keyboard shortcuts",
        rx.el.dl(*rows, class_name="key-list"),
        name=HELP,
        open=browser.is_open(HELP),
        on_dismiss=browser.hide(HELP),
    )


def _box() -> rx.Component:
    named = {"aria-label": "Go to a room", "aria-autocomplete": "list", "aria-expanded": "true", "data-focus": ""}
    refers = {"aria-controls": CHOICES, "aria-activedescendant": browser.call(MODULE, "activeIn", choices(), kind=str)}
    box = rx.el.input(
        type="text",
        placeholder="Go to a room or a person",
        auto_complete="off",
        spell_check=False,
        role="combobox",
        custom_attrs={**named, **refers},
    )
    return rx.el.div(kit.icon("search", 18), box, class_name="switcher-box")


def _choices(on_write: Any) -> rx.Component:
    found = choices()
    listbox = {"id": CHOICES, "aria-label": "Rooms"}
    each = rx.foreach(found, lambda choice: rx.cond(choice.path, _place(choice), _write(choice, on_write)))
    some = rx.el.div(each, role="listbox", class_name="choices", custom_attrs=listbox)
    none = rx.el.p("No room or person goes by that name.", class_name="choices-none", custom_attrs={"id": CHOICES})
    count = rx.el.p(found.length(), " found", role="status", class_name="sr-only")
    return rx.fragment(rx.cond(found.length() > 0, some, none), count)


def _place(choice: Choice) -> rx.Component:
    there = f"choice-presence-{choice.key}"
    picture = rx.match(
        choice.key,
        ("browse", kit.icon("compass", 16)),
        ("rooms", kit.icon("list", 16)),
        ("search", kit.icon("search", 16)),
        view.kind_icon(choice, 16),
    )
    return kit.link(
        rx.cond(
            choice.kind == DIRECT,
            view.portrait(choice, there),
            rx.el.span(picture, class_name="glyph"),
        ),
        rx.el.span(choice.name, class_name="room-name", dir="auto"),
        rx.cond(choice.unread > 0, view.count(choice, f"choice-unread-{choice.key}")),
        to=choice.path,
        class_name="choice-row",
        key=choice.key,
        custom_attrs=_option(choice),
    )


def _write(choice: Choice, on_write: Any) -> rx.Component:
    return rx.el.button(
        rx.el.span(kit.icon("square-pen", 16), class_name="glyph"),
        rx.el.span(choice.name, class_name="room-name"),
        type="button",
        on_click=on_write,
        class_name="choice-row",
        key=choice.key,
        custom_attrs=_option(choice),
    )


def _option(choice: Choice) -> dict[str, Any]:
    return {
        "id": choice.id,
        "role": "option",
        "tabIndex": -1,  # the focus stays in the box
        "aria-selected": rx.cond(choice.active, "true", "false"),
    }


def choices() -> Var:
    """The rooms and pages that fit what has been typed."""
    asked = browser.call(MODULE, "useChoices", unread.my_rooms(), Var.create(PAGES), kind=list[Choice])
    return browser.hook("choices", asked, list[Choice])


def _keys(names: tuple[str, ...]) -> rx.Component:
    return kit.keys(*(browser.command_key() if name == COMMAND else name for name in names))
