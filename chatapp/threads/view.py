"""Threads: the way into one below its first message, and the panel that shows it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from chatapp.accounts.state import Viewer
from chatapp.messages import browser as message_browser
from chatapp.messages import view as messages
from chatapp.messages.writing import emoji_button, emoji_dialog, suggestions
from chatapp.rooms.state import ROOM
from chatapp.threads import browser
from chatapp.threads.state import Threads
from chatapp.ui import browser as kit_browser
from chatapp.ui import dialog, kit

REPLY = "Reply in thread"
BOX = "reply"
"""The id of the box to reply in; in assets/threads.js, too."""


def reply(view: Any) -> rx.Component:
    """Among the tools of a message that is no reply itself."""
    button = kit.icon_button(REPLY, "message-square-reply", on_click=browser.reply_to(view.id))
    return rx.cond(_moves() & ~view.parent, button)


def reply_words(done: Any) -> Any:
    """The same under a finger, where `done` closes the sheet."""

    def words(view: Any) -> rx.Component:
        press = [done, browser.reply_to(view.id)]
        button = kit.button(REPLY, kind="quiet", picture="message-square-reply", on_click=press)
        return rx.cond(_moves() & ~view.parent, button)

    return words


def replies(view: Any) -> rx.Component:
    """Below a message: how many replies it has, and the way to them."""
    return rx.cond(
        (view.replies > 0) & ~view.first, thread_link(message_id=view.id, replies=view.replies, last=view.last_reply)
    )


@rx.memo
def thread_link(message_id: rx.Var[str], replies: rx.Var[int], last: rx.Var[str]) -> rx.Component:
    """Drawn again only when its thread has changed, or been read."""
    unread = browser.unread_in(message_id, replies)
    return rx.el.button(
        kit.icon("message-square-text", 15),
        rx.el.span(_counted(replies), class_name="thread-count"),
        rx.el.span("Last reply ", last, class_name="thread-last"),
        rx.cond(unread > 0, rx.el.span(unread, " new", class_name="thread-new")),
        type="button",
        on_click=browser.open_thread(message_id),
        class_name="thread-link",
    )


def unread_button() -> rx.Component:
    """In the room's header, while a thread that I follow has something new: the way to it."""
    unread = browser.unread_threads()
    button = kit.button(
        "Unread threads",
        kind="quiet",
        picture="message-square-dot",
        on_click=browser.open_thread(unread[0]),
    )
    watch = browser.ThreadWatch.create(on_learn=Threads.learn)
    return rx.fragment(rx.cond(unread.length() > 0, button), watch)


def panel(row: Any, tools: rx.Component) -> rx.Component:
    """The open thread, beside the conversation, or over it on phones."""
    done = kit_browser.hide(browser.PANEL)
    panel = dialog.side(
        "Thread",
        _log(row, tools),
        rx.cond(ROOM.known & ROOM.value.archived, rx.fragment(), _box()),
        name=browser.PANEL,
        on_dismiss=done,
        class_name="panel panel-thread",
    )
    return rx.fragment(panel, emoji_dialog(BOX))


def _log(row: Any, tools: rx.Component) -> rx.Component:
    first, rows = browser.first(), browser.replies()

    def entry(view: Any) -> rx.Component:
        return rx.fragment(messages.drawn(row, view), key=view.key)

    whole = rx.fragment(
        messages.drawn(row, first),
        rx.el.div(rx.el.span(_begun(first)), class_name="day"),
        rx.foreach(rows, entry),
    )
    return browser.ThreadLog.create(
        rx.el.div(rx.cond(first.id, whole, kit.skeleton(3)), tools, class_name="rows"),
        room=message_browser.open_room_id(),
        last=first.replies | 0,
        count=rows.length(),
        on_open=Threads.open,
        on_older=Threads.older,
        on_read=Threads.read,
        class_name="log",
        custom_attrs={"role": "log", "aria-label": "Thread"},
    )


def _box() -> rx.Component:
    box = rx.el.textarea(
        id=BOX,
        name=BOX,
        placeholder="Reply...",
        rows=1,
        dir="auto",
        custom_attrs={"aria-label": "Reply", "data-focus": "keys"},
    )
    send = rx.el.button(
        kit.icon("arrow-up", 18),
        rx.el.span("Send reply", class_name="button-label"),
        type="submit",
        disabled=True,  # until there is something to send: conversation.js
        class_name="button button-primary",
    )
    return browser.ReplyForm.create(
        suggestions(),
        rx.el.div(box, emoji_button(BOX, "Emoji for the reply"), send, class_name="composer-box"),
        room=message_browser.open_room_id(),
        me=Viewer.me.id,
        class_name="composer",
    )


def _counted(count: Any) -> Any:
    return rx.fragment(count, rx.cond(count == 1, " reply", " replies"))


def _begun(first: Any) -> Any:
    return rx.cond(first.replies > 0, _counted(first.replies), "No replies yet")


def _moves() -> rx.Var[bool]:
    """Whether anything can be said here; in an archived room nothing can."""
    return ROOM.known & ~ROOM.value.archived
