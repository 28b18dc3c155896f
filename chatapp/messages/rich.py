"""A message's HTML in the page (assets/text.js), as `chatapp.messages.markdown` made it."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.accounts.state import Viewer


class RichText(rx.Component):
    """Sanitised HTML, with a button at each block of code, and mentions of `me` set apart."""

    library = "$/public/text.js"
    tag = "RichText"
    html: Var[str]
    me: Var[str]


def rich_text(html: Any, *children: Any) -> rx.Component:
    """What a message says, and what stands after it."""
    return RichText.create(*children, html=html, me=Viewer.me.id, class_name="text rich", dir="auto")
