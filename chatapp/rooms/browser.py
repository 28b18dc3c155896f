"""What only the browser knows of rooms: what is unread (assets/unread.js), and what one is called (assets/rooms.js)."""

from __future__ import annotations

from typing import Any, TypedDict

from reflex_base.vars.base import Var

from chatapp.accounts.state import Viewer
from chatapp.rooms.snapshots import PersonSnapshot
from chatapp.rooms.state import HEADS, MARKS, MEMBERS, MENTIONS, PEOPLE, ROOM, ROOMS
from chatapp.ui.browser import call, hook, status_of, trigger

MODULE = "$/public/unread.js"
NAMES = "$/public/rooms.js"


class ListedRoom(TypedDict):
    """A room of my list, with what is unread in it by now, and how much of that mentions me."""

    id: str
    name: str
    description: str
    is_private: bool
    archived: bool
    unread: int
    mentions: int
    kind: str
    others: list[PersonSnapshot]


class Says(TypedDict):
    """A status that has not ended, "" where there is none; `words` is all of it."""

    emoji: str
    text: str
    words: str


def says(person: Any) -> Var:
    """What a member says of themselves."""
    return status_of(Var.create(person), Says)


def my_rooms() -> Var:
    """My rooms, the last active first; none before the list is here."""
    prefixes = MARKS.prefix, MENTIONS.prefix
    return hook("roomList", HEADS.call(MODULE, "useRooms", *prefixes, ROOMS.or_default("[]")), list[ListedRoom])


def room_name() -> Var:
    """The open room's name, as the viewer calls it; "" before it is known."""
    members = MEMBERS.or_default("[]")
    return call(NAMES, "nameOf", ROOM.or_default("null"), members, Viewer.me.id).to(str)


def presence(others: Any) -> Var:
    """Whether the other in a direct message is `online`, `away` or `offline`; "" where there are more, or none."""
    return PEOPLE.call(NAMES, "presenceOf", others).to(str)


def titled(title: Any) -> Var:
    """A page's title, with the number of messages that are unread in all my rooms before it."""
    total = hook("unreadTotal", call(MODULE, "useUnreadTotal", my_rooms()), int)
    return call(MODULE, "titled", total, Var.create(title)).to(str)


def elsewhere(room: Any) -> Var:
    """How many messages are unread in my other rooms."""
    return call(MODULE, "unreadElsewhere", my_rooms(), room).to(int)


def short_count(count: Any) -> Var:
    """A number as it stands in a badge."""
    return call(MODULE, "shortCount", count).to(str)


def first_new(rows: Var, room: Var, me: Var) -> Var:
    """The key of the first of a room's messages that is new, "" for none."""
    return hook("firstNew", call(MODULE, "useFirstNew", rows, room, me), str)


def set_back(room: Var, seq: Var) -> Var:
    """For a trigger: count the message and all after it as unread, until the room is opened again."""
    return trigger(MODULE, "setMarkBack", room, seq)
