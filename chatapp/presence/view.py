"""Who is there: the dot beside a face with its words, the two lists of members, the count in a room's header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from chatapp.presence import browser
from chatapp.presence.browser import AwayWatch
from chatapp.presence.state import Presence
from chatapp.rooms import view as rooms
from chatapp.rooms.snapshots import MemberSnapshot

Tools = Callable[[MemberSnapshot], rx.Component]


def members(tools: Tools) -> rx.Component:
    """The open room's members, first those who are there, each with `tools`: what may be done about them."""
    people = browser.members()
    return rx.fragment(
        _group("Online", "members-online", people.online, tools),
        _group("Offline", "members-offline", people.offline, tools),
    )


def online() -> rx.Component:
    """How many members are there."""
    count = browser.members().online.length()
    return rx.el.span(
        rx.el.span(class_name="online-dot", custom_attrs={"aria-hidden": "true"}), count, " online", class_name="online"
    )


def watch() -> rx.Component:
    """Notices when the tab is left alone; on every page with a sidebar."""
    return AwayWatch.create(socket=Presence.socket, on_change=Presence.leave_alone)


def _group(title: str, name: str, people: Any, tools: Tools) -> rx.Component:
    group = rx.fragment(
        rx.el.h3(f"{title} (", people.length(), ")", class_name="member-group", custom_attrs={"id": name}),
        rx.el.ul(
            rx.foreach(people, lambda view: _member(view, tools)),
            class_name="members",
            custom_attrs={"aria-labelledby": name},
        ),
    )
    return rx.cond(people.length() > 0, group)


def _member(view: Any, tools: Tools) -> rx.Component:
    since = rx.cond(view.ago, rx.el.span(view.ago, class_name="status-words"))
    return rooms.member(view.member, _dot(view), since, tools(view.member))


def _dot(view: Any) -> rx.Component:
    """A dot for the eye, words for everybody else, and for whoever points at it."""
    words = rx.el.span(view.words, class_name="sr-only")
    return rx.el.span(words, class_name=f"status status-{view.status}", title=view.words)
