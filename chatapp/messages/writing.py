"""What helps with writing: what is offered while one types (assets/suggest.js), and the emoji picker (emoji.js)."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.accounts.state import Viewer
from chatapp.messages.model import CONTENT_LIMIT
from chatapp.rooms.state import MEMBERS
from chatapp.ui import browser as kit_browser
from chatapp.ui import dialog, kit


class Suggestions(rx.Component):
    """A listbox above the textarea of the form it stands in: members after `@`, emoji after `:`."""

    library = "$/public/suggest.js"
    tag = "Suggestions"
    people: Var[Any]
    me: Var[str]


class TooLong(rx.Component):
    """A sentence while the textarea of its form holds more than a message may."""

    library = "$/public/suggest.js"
    tag = "TooLong"
    limit: Var[int] = Var.create(CONTENT_LIMIT)


class EmojiPicker(rx.Component):
    """Every emoji in groups, with a search. `label` begins their names; with `into` they go into the box of that id."""

    library = "$/public/emoji.js"
    tag = "EmojiPicker"
    label: Var[str]
    into: Var[str]
    on_pick: rx.EventHandler[lambda emoji: [emoji]]


def suggestions() -> rx.Component:
    """To be put into a form with one textarea."""
    return rx.fragment(
        Suggestions.create(people=MEMBERS.or_default("[]"), me=Viewer.me.id, class_name="suggestions"),
        TooLong.create(class_name="too-long"),
    )


def emoji_button(into: str, label: str = "Emoji") -> rx.Component:
    """Opens `emoji_dialog` for the box of that id."""
    opens = kit_browser.show(_picker(into))
    return kit.icon_button(label, "smile", on_click=opens, custom_attrs={"aria-haspopup": "dialog"})


def emoji_dialog(into: str) -> rx.Component:
    """The picker for the box of that id."""
    name, done = _picker(into), kit_browser.hide(_picker(into))
    picker = EmojiPicker.create(label="Insert", into=into, on_pick=done, class_name="emoji-picker")
    return dialog.dialog("Emoji", picker, name=name, open=kit_browser.is_open(name), on_dismiss=done)


def _picker(into: str) -> str:
    """The name of a box's picker, among what may be open in a tab."""
    return f"emoji-{into}"
