"""The line above the composer that says who is typing, and the watch on the composer's keys."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.accounts.state import Viewer
from chatapp.typing_indicator.state import TYPISTS, Typing
from chatapp.ui.browser import call, hook

MODULE = "$/public/people.js"


class KeyWatch(rx.Component):
    """Around a composer (assets/people.js): tells of keys at most every two seconds, and when they have stopped."""

    library = MODULE
    tag = "KeyWatch"
    room: Var[str]
    on_press: rx.EventHandler[lambda room: [room]]
    on_stop: rx.EventHandler[lambda room: [room]]


def below(composer: rx.Component, *, room: Any) -> rx.Component:
    """The line, and below it the composer."""
    return KeyWatch.create(_line(), composer, room=room, on_press=Typing.press, on_stop=Typing.stop)


def _line() -> rx.Component:
    """Always there and always as high. What is seen changes often, what is read aloud does not."""
    text = call(MODULE, "typingOf", TYPISTS.or_default("[]"), Viewer.me.id, kind=str)
    said = hook("typingSaid", call(MODULE, "useCalm", text), str)
    dots = rx.el.span(rx.el.i(), rx.el.i(), rx.el.i(), class_name="typing-dots")
    shown = rx.fragment(dots, rx.el.span(text, class_name="typing-words", dir="auto"))
    return rx.el.div(
        rx.el.div(rx.cond(text, shown), class_name="typing-shown", custom_attrs={"aria-hidden": "true"}),
        rx.el.span(said, role="status", class_name="sr-only"),
        class_name="typing",
    )
