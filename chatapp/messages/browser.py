"""The parts of a conversation that run in the browser, as Python sees them (assets/conversation.js)."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex.vars import FunctionVar, VarData
from reflex_base.event import EventChain
from reflex_base.utils.imports import ImportVar
from reflex_base.vars.base import Var

from chatapp.accounts.state import Viewer
from chatapp.messages.model import CONTENT_LIMIT
from chatapp.messages.state import MESSAGES, NEWEST, WINDOW, Composer, Window
from chatapp.ui.browser import hook

MODULE = "$/public/conversation.js"


class View(TypedDict):
    """A message as a viewer sees it: what was received, or a local echo of what is being sent."""

    key: str
    id: str
    seq: int
    user_id: str
    client_id: str
    author: str
    content: str
    created_at: str
    time: str
    full_time: str
    day: str
    starts_group: bool
    edited: bool
    deleted: bool
    pending: bool
    failed: bool
    reason: str


def open_room_id() -> Var:
    """The id in the address of a room's page."""
    return rx.State.room_id  # Reflex adds it with the route /chat/[room_id]


def shown() -> Var:
    """The window on the open room as this tab can show it, no further back than there are slots."""
    newest, slots = NEWEST.or_default("0"), Var.create(MESSAGES.slots)
    return _call("windowOf", WINDOW.value, newest, slots).to(Window)


def timeline() -> Var:
    """The open room's messages, oldest first, with the local echoes last; empty until the room is here."""
    return hook(
        "timelineRows",
        MESSAGES.call(MODULE, "useTimeline", shown(), open_room_id(), Composer.outcomes, Viewer.me.id, Viewer.me.name),
        list[View],
    )


def following() -> Var:
    """Whether the log follows the newest message."""
    return hook("logFollowing", _call("useFollowing"), bool)


def unseen() -> Var:
    """How many messages have come since the viewer scrolled up."""
    return hook("logUnseen", _call("useUnseen"), int)


def jump_to_latest() -> Var:
    """For a button: back to the newest message."""
    return _function("jumpToLatest")


def retry(client_id: Var) -> Var:
    """For a button of a failed message: send it again."""
    return _function("retry", client_id)


def discard(client_id: Var) -> Var:
    """For a button of a failed message: give it up."""
    return _function("discard", client_id)


class Log(rx.Component):
    """The scrolling list of messages: follows the bottom, else keeps still; asks for older pages ahead of the top."""

    library = MODULE
    tag = "Log"
    shown: Var[Any]
    newest: Var[int] = NEWEST.or_default("0")
    count: Var[int]
    on_older: rx.EventHandler[rx.event.no_args_event_spec]
    on_latest: rx.EventHandler[rx.event.no_args_event_spec]


class ComposerForm(rx.Component):
    """A form around a textarea with id and name `message`: Enter sends, the draft is kept, what was refused stays."""

    library = MODULE
    tag = "ComposerForm"
    room: Var[str]
    me: Var[str]
    limit: Var[int] = Var.create(CONTENT_LIMIT)
    on_send: rx.EventHandler[lambda room, client_id, content, attempt, me: [room, client_id, content, attempt, me]]


def _call(function: str, *arguments: Var) -> Var:
    return Var(_written(function, arguments), _var_data=_needs(function, arguments))


def _function(name: str, *arguments: Var) -> Var:
    """A browser function to hang on an event trigger."""
    call = f"(() => {_written(name, arguments)})"
    return Var(call, _var_data=_needs(name, arguments)).to(FunctionVar, EventChain)


def _written(function: str, arguments: tuple[Var, ...]) -> str:
    return f"{function}({', '.join(str(argument) for argument in arguments)})"


def _needs(function: str, arguments: tuple[Var, ...]) -> VarData | None:
    imports = VarData(imports={MODULE: [ImportVar(tag=function)]})
    return VarData.merge(imports, *(argument._get_all_var_data() for argument in arguments))
