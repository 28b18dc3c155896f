"""The parts of a conversation that run in the browser, as Python sees them (assets/conversation.js, changes.js)."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.accounts.state import Viewer
from chatapp.messages.model import CONTENT_LIMIT
from chatapp.messages.state import CHANGED, MESSAGES, NEWEST, WINDOW, Composer, QuoteRow, ReactionRow, Window
from chatapp.rooms.state import MEMBERS
from chatapp.ui.browser import call, hook, trigger

MODULE = "$/public/conversation.js"
CHANGES = "$/public/changes.js"


class View(TypedDict):
    """A message as a viewer sees it: what was received, or a local echo of what is being sent."""

    key: str
    id: str
    seq: int
    user_id: str
    client_id: str
    author: str
    content: str
    html: str
    large: bool
    created_at: str
    time: str
    full_time: str
    day: str
    starts_group: bool
    edited: bool
    deleted: bool
    pinned: bool
    reactions: list[ReactionRow]
    quote: QuoteRow
    replies: int
    last_reply: str
    parent: str
    reply_seq: int
    first: bool
    pending: bool
    failed: bool
    reason: str


def open_room_id() -> Var:
    """The id in the address of a room's page."""
    return rx.State.room_id  # Reflex adds it with the route /chat/[room_id]


def shown() -> Var:
    """The window on the open room as this tab can show it, no further back than there are slots."""
    newest, slots = NEWEST.or_default("0"), Var.create(MESSAGES.slots)
    return call(MODULE, "windowOf", WINDOW.value, newest, slots).to(Window)


def timeline() -> Var:
    """The open room's messages, oldest first, with the local echoes last; empty until the room is here."""
    return hook(
        "timelineRows",
        MESSAGES.call(
            MODULE,
            "useTimeline",
            CHANGED.prefix,
            shown(),
            open_room_id(),
            Composer.outcomes,
            Viewer.me.id,
            Viewer.me.name,
        ),
        list[View],
    )


class Chip(TypedDict):
    """A reaction as a viewer sees it. `names` are of those who gave it, `label` says all of it in words."""

    emoji: str
    count: int
    names: str
    mine: bool
    label: str


def pointed() -> Var:
    """The message that has the toolbar: under the pointer, or with the focus. Its fields are undefined for none."""
    return hook("pointedAt", call(CHANGES, "usePointed"), View)


def chosen() -> Var:
    """The message that an open dialog is about."""
    return hook("chosenOne", call(CHANGES, "useChosen"), View)


def choose() -> Var:
    """For a trigger that opens a dialog: it is about the message that has the toolbar."""
    return trigger(CHANGES, "choose")


def editing() -> Var:
    """The id of the message that is being edited in its row."""
    return hook("editedId", call(CHANGES, "useEditing"), str)


def edit(message_id: Var) -> Var:
    """For a button: edit a message in its row."""
    return trigger(CHANGES, "edit", message_id)


def stop_editing() -> Var:
    """For a button: give the change up."""
    return trigger(CHANGES, "stopEditing")


def chips(reactions: Var) -> Var:
    """A message's reactions, as this viewer sees them."""
    return call(CHANGES, "chipsOf", reactions, MEMBERS.or_default("[]"), Viewer.me.id).to(list[Chip])


def wanted(reactions: Var, emoji: Var) -> Var:
    """What pressing an emoji asks for: to have it, not to have it, or null for the opposite of what there is."""
    return call(CHANGES, "wanted", reactions, emoji, Viewer.me.id)


def following() -> Var:
    """Whether the log follows the newest message."""
    return hook("logFollowing", call(MODULE, "useFollowing"), bool)


def unseen() -> Var:
    """How many messages have come since the viewer scrolled up."""
    return hook("logUnseen", call(MODULE, "useUnseen"), int)


def jump_to(message_id: Var, seq: Var) -> Var:
    """For a button: show a message of the open room, wherever in its history it is."""
    return trigger(MODULE, "jumpTo", message_id, seq)


def link_to(message_id: Var) -> Var:
    """The address of a message of the open room."""
    return call(MODULE, "linkTo", message_id).to(str)


def quoting() -> Var:
    """What the box is about to quote; null for nothing."""
    return hook("quotedNext", call(MODULE, "useQuoting", open_room_id()), QuoteRow)


def words_of(view: Any) -> Var:
    """What a message says without its marks, for where there is room for words alone."""
    return call(MODULE, "wordsOf", view).to(str)


def quote(view: Any) -> Var:
    """For a button: quote a message with what is written next."""
    return trigger(MODULE, "quote", open_room_id(), view)


def stop_quoting() -> Var:
    """For a button: quote nothing after all."""
    return trigger(MODULE, "stopQuoting")


def jump_to_latest() -> Var:
    """For a button: back to the newest message."""
    return trigger(MODULE, "jumpToLatest")


def retry(client_id: Var) -> Var:
    """For a button of a failed message: send it again."""
    return trigger(MODULE, "retry", client_id)


def discard(client_id: Var) -> Var:
    """For a button of a failed message: give it up."""
    return trigger(MODULE, "discard", client_id)


class Log(rx.Component):
    """The scrolling list of messages: opens where the window says, follows the bottom, else keeps still.

    It asks for older pages ahead of the top, and for newer ones where its end is not the room's.
    """

    library = MODULE
    tag = "Log"
    shown: Var[Any]
    opened: Var[Any] = WINDOW.or_default("null")
    newest: Var[int] = NEWEST.or_default("0")
    count: Var[int]
    on_older: rx.EventHandler[rx.event.no_args_event_spec]
    on_newer: rx.EventHandler[rx.event.no_args_event_spec]
    on_latest: rx.EventHandler[rx.event.no_args_event_spec]
    on_jump: rx.EventHandler[lambda message_id: [message_id]]
    on_seen: rx.EventHandler[lambda room, seq, turn: [room, seq, turn]]


class Toolbar(rx.Component):
    """The tools of the message pointed at, put into its row; a finger's long press opens the dialog `sheet` instead."""

    library = CHANGES
    tag = "Toolbar"
    sheet: Var[str]


class EditForm(rx.Component):
    """A form around a textarea named `edit`: Enter saves, Escape gives up, what was refused stays."""

    library = CHANGES
    tag = "EditForm"
    message: Var[str]
    content: Var[str]
    limit: Var[int] = Var.create(CONTENT_LIMIT)
    on_save: rx.EventHandler[lambda message_id, content: [message_id, content]]


def _said(  # noqa: PLR0917  # as the browser gives them
    room: Var, client_id: Var, content: Var, attempt: Var, me: Var, parent: Var, quote: Var
) -> list[Var]:
    return [room, client_id, content, attempt, me, parent, quote]


class ComposerForm(rx.Component):
    """A form around a textarea with id and name `message`: Enter sends, the draft is kept, what was refused stays."""

    library = MODULE
    tag = "ComposerForm"
    room: Var[str]
    me: Var[str]
    limit: Var[int] = Var.create(CONTENT_LIMIT)
    on_send: rx.EventHandler[_said]
