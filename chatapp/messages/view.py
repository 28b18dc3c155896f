"""The log of a room, row by row, and the composer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from chatapp.accounts.state import Viewer
from chatapp.messages import browser
from chatapp.messages.browser import View
from chatapp.messages.rich import rich_text
from chatapp.messages.state import WINDOW, Composer, MessageTools, QuoteRow
from chatapp.messages.writing import emoji_button, emoji_dialog, suggestions
from chatapp.rooms import browser as unread
from chatapp.rooms.snapshots import DIRECT, MemberSnapshot
from chatapp.rooms.state import MEMBERS, ROOM
from chatapp.ui import browser as kit_browser
from chatapp.ui import kit

Part = Callable[[Any], rx.Component]
"""Draws a part of one message, given its view."""
After = Callable[[Any, Any], rx.Component]
"""Draws what stands after a message, given all views and its own."""


def log(*, row: Any, tools: rx.Component, after: After, **handlers: Any) -> rx.Component:
    """The open room's messages, or their shape while they are on their way.

    `row` draws a message, `tools` are shown at the one that is pointed at, `after` draws what stands below it.
    """
    rows = browser.timeline()

    def entry(view: Any) -> rx.Component:
        return _entry(rows, view, row, after)

    return browser.Log.create(
        rx.el.div(
            rx.cond(_here(), rx.fragment(_top(), rx.foreach(rows, entry)), kit.skeleton(6)),
            tools,
            class_name="rows",
        ),
        shown=browser.shown(),
        count=rows.length(),
        **handlers,
        class_name="log",
        custom_attrs={"role": "log", "aria-label": "Messages"},
    )


def composer() -> rx.Component:
    """The box to write in, with the way back to the newest message above it."""
    box = rx.el.textarea(
        id="message",
        name="message",
        placeholder="Type a message...",
        rows=1,
        dir="auto",
        custom_attrs={"aria-label": "Message"},
    )
    form = browser.ComposerForm.create(
        _latest(),
        _about_to_quote(),
        suggestions(),
        rx.el.div(box, emoji_button("message"), _send(), class_name="composer-box"),
        rx.el.p("Enter to send, Shift + Enter for a new line", class_name="composer-hint"),
        room=browser.open_room_id(),
        me=Viewer.me.id,
        on_send=Composer.send,
        class_name="composer",
    )
    still = rx.el.p(
        kit.icon("archive", 16), "This room is archived. Nothing can be added to it.", class_name="composer-still"
    )
    return rx.cond(ROOM.known & ROOM.value.archived, still, rx.fragment(form, emoji_dialog("message")))


def _here() -> rx.Var[bool]:
    """Whether the window in the browser is that of the room in the address."""
    return WINDOW.known & (WINDOW.value.room.to(str) == browser.open_room_id())


def _send() -> rx.Component:
    return rx.el.button(
        kit.icon("arrow-up", 18),
        rx.el.span("Send", class_name="button-label"),
        type="submit",
        disabled=True,  # until there is something to send: conversation.js
        class_name="button button-primary",
    )


def _latest() -> rx.Component:
    """What has come since the viewer scrolled up, and the way there. The count is always listened to."""
    counted = rx.fragment(browser.unseen(), rx.cond(browser.unseen() == 1, " new message", " new messages"))
    jump = kit.button(
        "Jump to latest", kind="quiet", look="small", picture="arrow-down", on_click=browser.jump_to_latest()
    )
    pill = rx.el.div(
        rx.el.span(rx.cond(browser.unseen() > 0, counted), role="status", class_name="latest-count"),
        rx.cond(browser.following(), rx.fragment(), jump),
        class_name="latest-pill",
    )
    return rx.el.div(pill, class_name="latest")


def _top() -> rx.Component:
    """Above the first row: the room's beginning, or the sign that older messages are being fetched."""
    whose = rx.cond(ROOM.value.kind == DIRECT, "Only the people here can read this.", "This is where the room begins.")
    beginning = rx.el.div(
        rx.el.span(kit.icon("messages-square", 22), class_name="glyph"),
        rx.el.strong(unread.room_name(), dir="auto"),
        rx.el.p(whose),
        class_name="beginning",
    )
    older = rx.el.div(rx.el.span(class_name="spinner"), class_name="history", custom_attrs={"aria-hidden": "true"})
    return rx.cond(browser.shown().first.to(int) <= 1, beginning, older)


def _entry(rows: Any, view: Any, message_row: Any, after: After) -> rx.Component:
    """A message, under its day if it is the first of it. The day stands outside the row: the row must not move."""
    day = rx.el.div(rx.el.span(view.day), class_name="day")
    new = rx.el.div(rx.el.span("New"), class_name="day day-new", role="separator", custom_attrs={"aria-label": "New"})
    first_new = unread.first_new(rows, browser.open_room_id(), Viewer.me.id)
    return rx.fragment(
        rx.cond(view.day, day),
        rx.cond(view.key == first_new, new),
        drawn(message_row, view),
        after(rows, view),
        key=view.key,
    )


def drawn(message_row: Any, view: Any) -> rx.Component:
    """A message as `row` draws it, with what is known of its author now."""
    author = kit_browser.person_of(MEMBERS.value, view.user_id, MemberSnapshot)
    says = unread.says(author)
    # The row has the name that the author had when it was sent here, which is all there is of those who left.
    return message_row(
        view=view,
        author=author.name | view.author,
        picture=author.avatar_url | "",
        mood=says.emoji,
        says=says.words,
        edited=(view.id != "") & (view.id == browser.editing()) & ~view.first,
    )


def row(under: Part) -> Any:
    """What draws one message, again only when it has changed. `under` draws what stands below its text."""

    @rx.memo
    def message_row(  # noqa: PLR0917  # Reflex calls it, by names
        view: rx.Var[View],
        author: rx.Var[str],
        picture: rx.Var[str],
        mood: rx.Var[str],
        says: rx.Var[str],
        edited: rx.Var[bool],
    ) -> rx.Component:
        return rx.el.article(
            rx.cond(view.starts_group, _face(view, author, picture), _time(view, "message-time")),
            rx.el.div(
                rx.cond(view.starts_group, _head(view, author, _mood(mood, says))),
                rx.cond(view.pinned, rx.el.div(kit.icon("pin", 12), "Pinned", class_name="mark-pinned")),
                rx.cond(view.quote, message_quote(quote=view.quote)),
                rx.cond(edited & ~view.deleted, _edit(view), _text(view)),
                under(view),
                rx.cond(view.failed, _failure(view)),
                class_name="message-body",
            ),
            class_name=_row_class(view),
            custom_attrs={
                "data-row": view.key,
                "data-seq": view.seq,
                "data-reply": view.reply_seq,
                "aria-label": f"{author}, {view.time}",
                "aria-busy": rx.cond(view.pending, "true", rx.Var("undefined")),
            },
        )

    return message_row


@rx.memo
def message_quote(quote: rx.Var[QuoteRow]) -> rx.Component:
    """What a message quotes, and the way there."""
    return rx.el.button(
        _quoted(quote),
        type="button",
        title="Show the quoted message",
        on_click=browser.jump_to(quote.id, quote.seq),
        class_name="quote",
    )


def _quoted(quote: Any) -> rx.Component:
    person = kit_browser.person_of(MEMBERS.value, quote.user_id, MemberSnapshot)
    said = rx.cond(quote.deleted, rx.el.em("This message was deleted"), quote.content)
    return rx.fragment(
        rx.el.span(person.name | quote.author, class_name="quote-author", dir="auto"),
        rx.el.span(said, class_name="quote-text", dir="auto"),
    )


def _about_to_quote() -> rx.Component:
    """Above the box: what the next message quotes."""
    quote = browser.quoting()
    bar = rx.el.div(
        rx.el.div(_quoted(quote), class_name="quote"),
        kit.icon_button("Remove quote", "x", on_click=browser.stop_quoting()),
        class_name="quote-bar",
        role="group",
        custom_attrs={"aria-label": "Quoting"},
    )
    return rx.cond(quote, bar)


def _row_class(view: Any) -> str:
    first = rx.cond(view.starts_group, " message-first", "")
    condition = rx.cond(
        view.failed,
        " message-failed",
        rx.cond(view.pending, " message-pending", rx.cond(view.deleted, " message-deleted", "")),
    )
    return f"message{first}{condition}"  # an f-string of vars is a var to Reflex


def _face(view: Any, author: Any, picture: Any) -> rx.Component:
    return kit.avatar(author, kit_browser.initials_of(author), kit_browser.colour_of(view.user_id), picture)


def _head(view: Any, author: Any, mood: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.strong(author, class_name="author", dir="auto"), mood, _time(view), class_name="message-head"
    )


def _mood(emoji: Any, says: Any) -> rx.Component:
    """The author's status as it is now, beside their name: all of it for whoever asks."""
    return rx.cond(
        emoji, rx.el.span(emoji, role="img", title=says, class_name="mood", custom_attrs={"aria-label": says})
    )


def _time(view: Any, class_name: str = "") -> rx.Component:
    return rx.el.time(view.time, date_time=view.created_at, title=view.full_time, class_name=class_name)


def _text(view: Any) -> rx.Component:
    """The text, exactly as it was written, or the tombstone."""
    edited = rx.cond(view.edited, rx.el.span("(edited)", class_name="mark-edited"))
    written = rx.fragment(view.content, edited)
    plain = rx.el.div(
        rx.cond(view.deleted, "This message was deleted", written),
        class_name=rx.cond(view.large, "text text-large", "text"),
        dir="auto",
    )
    return rx.cond(view.html, rich_text(view.html, edited), plain)


def _edit(view: Any) -> rx.Component:
    """The text as a box to change it in."""
    box = rx.el.textarea(
        name="edit", rows=1, dir="auto", class_name="input", custom_attrs={"aria-label": "Edit message"}
    )
    save = rx.el.button("Save", type="submit", class_name="button button-primary button-small")
    buttons = rx.el.div(kit.button("Cancel", look="small", on_click=browser.stop_editing()), save, class_name="actions")
    return browser.EditForm.create(
        suggestions(), box, buttons, message=view.id, content=view.content, on_save=MessageTools.edit, class_name="edit"
    )


def _failure(view: Any) -> rx.Component:
    return rx.el.div(
        kit.icon("circle-alert", 15),
        rx.el.span(view.reason),
        kit.button("Retry", look="small", on_click=browser.retry(view.client_id)),
        kit.button("Discard", kind="quiet", look="small", on_click=browser.discard(view.client_id)),
        class_name="failure",
    )
