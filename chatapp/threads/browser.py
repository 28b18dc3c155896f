"""The parts of threads that run in the browser, as Python sees them (assets/threads.js)."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.accounts.state import Viewer
from chatapp.messages.browser import View, open_room_id
from chatapp.messages.model import CONTENT_LIMIT
from chatapp.messages.state import MESSAGES, WINDOW, Composer
from chatapp.threads.state import COUNTS, MARKS, NEWS, REPLIES, SHOWN
from chatapp.ui.browser import hook, trigger

MODULE = "$/public/threads.js"
PANEL = "thread"
"""The panel's name among what is open on the page; in assets/threads.js, too."""


def first() -> Var:
    """The message that the open thread began with; its fields are undefined until it is here."""
    return hook("threadFirst", REPLIES.call(MODULE, "useFirst", NEWS.prefix), View)


def replies() -> Var:
    """The open thread's replies, oldest first, with the local echoes last."""
    shown = (SHOWN.or_default("null"), open_room_id())
    me = (Composer.outcomes, Viewer.me.id, Viewer.me.name)
    return hook("threadReplies", REPLIES.call(MODULE, "useReplies", NEWS.prefix, *shown, *me), list[View])


def open_thread(message_id: Var) -> Var:
    """For a button: open the thread that begins with a message, to read."""
    return trigger(MODULE, "openThread", message_id)


def reply_to(message_id: Var) -> Var:
    """For a button: open the thread that begins with a message, to add to it."""
    return trigger(MODULE, "replyTo", message_id)


def unread_in(message_id: Var, count: Var) -> Var:
    """How many replies to a message are unread, where I follow them."""
    return hook("unreadReplies", MARKS.call(MODULE, "useUnreadIn", COUNTS.prefix, message_id, count), int)


def unread_threads() -> Any:
    """The ids of the open room's threads with something unread for me."""
    known = (MESSAGES.held, MESSAGES.prefix, open_room_id())
    return hook("unreadThreads", MARKS.call(MODULE, "useUnreadThreads", COUNTS.prefix, *known), list[str])


class ThreadWatch(rx.Component):
    """Asks which threads of a room I follow when it opens, and closes the panel with it."""

    library = MODULE
    tag = "ThreadWatch"
    room: Var[str] = rx.cond(WINDOW.known, WINDOW.value.room.to(str), "")
    on_learn: rx.EventHandler[lambda room: [room]]


class ThreadLog(rx.Component):
    """The scrolling part of the panel: follows the last reply, else keeps still; asks for the replies before."""

    library = MODULE
    tag = "ThreadLog"
    room: Var[str]
    shown: Var[Any] = SHOWN.or_default("null")
    last: Var[int]
    count: Var[int]
    on_open: rx.EventHandler[lambda room, parent: [room, parent]]
    on_older: rx.EventHandler[lambda room, parent, below: [room, parent, below]]
    on_read: rx.EventHandler[lambda parent, reply_seq: [parent, reply_seq]]


class ReplyForm(rx.Component):
    """A form around a textarea with id and name `reply`: Enter sends, the draft is kept, what was refused stays."""

    library = MODULE
    tag = "ReplyForm"
    room: Var[str]
    me: Var[str]
    limit: Var[int] = Var.create(CONTENT_LIMIT)
