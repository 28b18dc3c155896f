"""The parts of presence that run in the browser, as Python sees them (assets/people.js)."""

from __future__ import annotations

from typing import TypedDict

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.presence.state import PEOPLE
from chatapp.rooms.snapshots import MemberSnapshot
from chatapp.rooms.state import MEMBERS
from chatapp.ui.browser import hook

MODULE = "$/public/people.js"


class MemberView(TypedDict):
    """A member with their status: `online`, `away` or `offline`, in `words` for everybody, and since when."""

    member: MemberSnapshot
    status: str
    ago: str
    words: str


class Members(TypedDict):
    """The open room's members, those who are there apart from those who are not."""

    online: list[MemberView]
    offline: list[MemberView]


def members() -> Var:
    """Who is there, by the viewer's clock."""
    return hook("roomPresence", PEOPLE.call(MODULE, "usePresence", MEMBERS.value), Members)


class AwayWatch(rx.Component):
    """Invisible: tells when nobody has used the tab for five minutes, and when somebody does again."""

    library = MODULE
    tag = "AwayWatch"
    socket: Var[str]
    on_change: rx.EventHandler[lambda away: [away]]
