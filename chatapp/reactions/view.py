"""Reactions: chips under a message, a few at hand in its tools, and many to choose from."""

from __future__ import annotations

from typing import Any

import reflex as rx

from chatapp.messages import browser
from chatapp.messages.browser import Chip
from chatapp.messages.state import ReactionRow
from chatapp.messages.writing import EmojiPicker
from chatapp.reactions.state import Reactions
from chatapp.ui import browser as kit_browser
from chatapp.ui import dialog, kit

PICKER = "reactions"
QUICK = ("👍", "❤️", "😂", "🎉", "😮")


def chips(view: Any) -> rx.Component:
    """What people have given a message; pressing one adds mine or takes it back."""
    return rx.cond(view.reactions.length() > 0, reaction_chips(message_id=view.id, reactions=view.reactions))


@rx.memo
def reaction_chips(message_id: rx.Var[str], reactions: rx.Var[list[ReactionRow]]) -> rx.Component:
    """Drawn again only when a message's reactions have changed, or the room's members."""
    return rx.el.div(
        rx.foreach(browser.chips(reactions), lambda chip: _chip(message_id, reactions, chip)),
        class_name="reactions",
        role="group",
        custom_attrs={"aria-label": "Reactions"},
    )


def quick(view: Any) -> rx.Component:
    """A few emoji at hand, and the way to more."""
    more = kit.icon_button("Add reaction", "smile-plus", on_click=[browser.choose(), kit_browser.show(PICKER)])
    return rx.fragment(*(_emoji(view, emoji) for emoji in QUICK), more)


def quick_sheet(sheet: str) -> Any:
    """The same for a dialog, which it closes."""

    def row(view: Any) -> rx.Component:
        done = kit_browser.hide(sheet)
        more = kit.icon_button("Add reaction", "smile-plus", on_click=[done, kit_browser.show(PICKER)])
        return rx.el.div(*(_emoji(view, emoji, done) for emoji in QUICK), more, class_name="quick")

    return row


def picker() -> rx.Component:
    """All emoji to choose from."""
    view, done = browser.chosen(), kit_browser.hide(PICKER)

    def give(emoji: Any) -> list[Any]:
        return [done, Reactions.give(view.id, emoji, browser.wanted(view.reactions, emoji))]

    return dialog.dialog(
        "Add reaction",
        EmojiPicker.create(label="React with", on_pick=give, class_name="emoji-picker"),
        name=PICKER,
        open=kit_browser.is_open(PICKER),
        on_dismiss=done,
    )


def _emoji(view: Any, emoji: str, *then: Any) -> rx.Component:
    give = Reactions.give(view.id, emoji, browser.wanted(view.reactions, rx.Var.create(emoji)))
    face = rx.el.span(emoji, class_name="emoji", custom_attrs={"aria-hidden": "true"})
    return kit.icon_button(f"React with {emoji}", face, on_click=[*then, give])


def _chip(message_id: Any, reactions: Any, chip: Chip) -> rx.Component:
    give = Reactions.give(message_id, chip.emoji, browser.wanted(reactions, chip.emoji))
    return rx.el.button(
        rx.el.span(chip.emoji, class_name="emoji", custom_attrs={"aria-hidden": "true"}),
        rx.el.span(chip.count, class_name="reaction-count"),
        type="button",
        title=chip.names,
        on_click=give,
        class_name="reaction",
        key=chip.emoji,
        custom_attrs={"aria-label": chip.label, "aria-pressed": rx.cond(chip.mine, "true", "false")},
    )
