"""The sidebar of rooms, the dialogs around them, a room's header and its members."""

from __future__ import annotations

import reflex as rx

from chatapp.accounts import person
from chatapp.accounts.state import Viewer
from chatapp.rooms import browser as unread
from chatapp.rooms.browser import ListedRoom
from chatapp.rooms.snapshots import DIRECT, MemberSnapshot, PersonSnapshot, RoomSnapshot
from chatapp.rooms.state import ROOM, ROOMS, BrowseRooms, CreateRoom, OpenRoom
from chatapp.ui import art, browser, dialog, drawer, forms, kit, layout

SIDEBAR = "sidebar"
MEMBERS_PANEL = "members"
LEAVING = "leaving"
"""Names, in the browser alone, of what may be open on a room's page."""


# --- the sidebar ---------------------------------------------------------------------------------------------------


def sidebar(above: rx.Component, *actions: rx.Component) -> rx.Component:
    """My rooms, the ways to more of them, and me; what stands above them and more actions come from others."""
    brand = kit.link(art.mark(28), "Chat", to="/chat", class_name="brand")
    return drawer.drawer(
        rx.el.nav(brand, class_name="sidebar-head", custom_attrs={"aria-label": "Main"}),
        above,
        rx.el.div(
            kit.button("New room", picture="plus", on_click=CreateRoom.show(True)),
            kit.link_button("Browse rooms", to="/chat/browse", picture="compass"),
            *actions,
            class_name="sidebar-actions",
        ),
        rx.el.nav(my_rooms(), class_name="rooms", custom_attrs={"aria-label": "Rooms"}),
        person.person(),
        name=SIDEBAR,
        label="Sidebar",
        class_name="sidebar",
    )


def dialogs() -> rx.Component:
    """What opens on every page with a sidebar; beside it, since phones may not show it."""
    return rx.fragment(create_room(), person.settings())


def my_rooms() -> rx.Component:
    """The rooms I am in, by last activity."""
    rooms = unread.my_rooms()
    some = rx.el.ul(rx.foreach(rooms, lambda room: rx.el.li(_room_link(room), key=room.id)))
    none = rx.el.p("No chat rooms yet. Create one to get started!", class_name="rooms-note")
    return rx.cond(ROOMS.known, rx.cond(rooms.length() > 0, some, none), kit.skeleton(4))


def _room_link(room: ListedRoom) -> rx.Component:
    """Named by the room alone, so that screen readers don't read the whole description in a list of links."""
    name, about = f"room-{room.id}", f"about-{room.id}"
    return kit.link(
        rx.cond(room.kind == DIRECT, portrait(room, f"presence-{room.id}"), glyph(room)),
        rx.el.span(
            rx.el.span(room.name, class_name="room-name", dir="auto", custom_attrs={"id": name}),
            rx.el.span(room.description, class_name="room-description", dir="auto", custom_attrs={"id": about}),
            class_name="room-texts",
        ),
        rx.el.span(
            rx.cond(room.mentions > 0, _mentions(room)),
            rx.cond(room.unread > 0, count(room, f"unread-{room.id}")),
            class_name="badges",
        ),
        to=f"/chat/{room.id}",
        class_name="room-link",
        custom_attrs={
            "aria-labelledby": name,
            "aria-describedby": f"presence-{room.id} mentions-{room.id} unread-{room.id} {about}",
            "aria-current": rx.cond(room.id == open_id(), "page", rx.Var("undefined")),
        },
    )


def count(room: ListedRoom, name: str) -> rx.Component:
    """How much is unread in a room; `name` is its id on the page."""
    return rx.el.span(
        unread.short_count(room.unread),
        rx.el.span(" unread", class_name="sr-only"),
        class_name="unread",
        custom_attrs={"id": name},
    )


def _mentions(room: ListedRoom) -> rx.Component:
    return rx.el.span(
        rx.el.span("@", custom_attrs={"aria-hidden": "true"}),
        unread.short_count(room.mentions),
        rx.el.span(rx.cond(room.mentions == 1, " mention", " mentions"), class_name="sr-only"),
        class_name="unread mentions",
        custom_attrs={"id": f"mentions-{room.id}"},
    )


def portrait(room: ListedRoom, name: str) -> rx.Component:
    """Who is written to and, of one, whether they are there; `name` is the id of that on the page."""
    status = unread.presence(room.others)
    words = rx.match(status, ("online", "Online"), ("away", "Away"), "Offline")
    dot = rx.el.span(
        rx.el.span(words, class_name="sr-only"),
        class_name=f"status status-{status}",
        title=words,
        custom_attrs={"id": name},
    )
    return rx.el.span(_faces(room), rx.cond(status, dot), class_name="with-status")


def _faces(room: ListedRoom) -> rx.Component:
    """Who is written to: the one, or the first two of many. Their names stand beside it."""
    faces = rx.foreach(room.others[:2], _face)
    many = rx.cond(room.others.length() > 1, " faces-many", "")
    return rx.el.span(faces, class_name=f"faces{many}", custom_attrs={"aria-hidden": "true"})


def _face(person: PersonSnapshot) -> rx.Component:
    return kit.avatar(person.name, person.initials, person.colour, person.avatar_url)


def glyph(room: RoomSnapshot) -> rx.Component:
    """The sign of the room's kind."""
    return rx.el.span(kind_icon(room, 16), class_name="glyph")


def kind_icon(room: RoomSnapshot | ListedRoom, size: int) -> rx.Component:
    """Whether a room is open to everybody, private, or at rest."""
    kind = rx.cond(room.is_private, kit.icon("lock", size), kit.icon("hash", size))
    kind = rx.cond(room.kind == DIRECT, kit.icon("message-circle", size), kind)
    return rx.cond(room.archived, kit.icon("archive", size), kind)


def open_id() -> rx.Var[str]:
    """The id in the address of a room's page."""
    return rx.State.room_id  # Reflex adds it with the route /chat/[room_id]


# --- pages ---------------------------------------------------------------------------------------------------------


def choose(*hints: rx.Component) -> rx.Component:
    """Beside the sidebar while no room is open; `hints` say what else one could do."""
    nothing = kit.empty_state(art.talk(), "Chat Rooms", "Select a room to start chatting")
    return rx.el.div(rx.el.div(nothing, *hints), class_name="start")


def create_room() -> rx.Component:
    """The dialog `New room`."""
    return dialog.dialog(
        "New room",
        rx.el.form(
            kit.alert(CreateRoom.error),
            forms.field("Room name", "name", max_length=80, auto_complete="off", custom_attrs={"data-focus": ""}),
            forms.field(
                "Description", "description", max_length=300, auto_complete="off", placeholder="What is it about?"
            ),
            forms.switch(
                "Private",
                "private",
                "On: only people with an invitation can find it and join. Off: everybody here can.",
            ),
            kit.submit("Create room", busy=CreateRoom.busy),
            on_submit=CreateRoom.create,
            class_name="form",
        ),
        name="new-room",
        open=CreateRoom.shown,
        on_dismiss=CreateRoom.show(False),
    )


def browse() -> rx.Component:
    """Public rooms to join."""
    return layout.column(
        "Browse rooms",
        "/chat",
        forms.search("Search rooms", on_change=BrowseRooms.look_for.debounce(250)),
        rx.cond(BrowseRooms.loading, kit.skeleton(4), _found()),
    )


def _found() -> rx.Component:
    tiles = rx.el.ul(rx.foreach(BrowseRooms.found, _joinable), class_name="tiles")
    searched = rx.el.p("No room goes by that name. Try another word.", class_name="rooms-note")
    all_joined = rx.el.p("You are in every public room there is.", class_name="rooms-note")
    return rx.cond(BrowseRooms.found.length() > 0, tiles, rx.cond(BrowseRooms.search, searched, all_joined))


def _joinable(room: RoomSnapshot) -> rx.Component:
    name = f"join-{room.id}"
    return rx.el.li(
        glyph(room),
        rx.el.div(
            rx.el.h2(room.name, dir="auto", custom_attrs={"id": name}),
            rx.cond(room.description, rx.el.p(room.description, dir="auto")),
            rx.el.p(member_count(room), class_name="tile-count"),
        ),
        kit.button("Join", on_click=OpenRoom.join(room.id), custom_attrs={"aria-describedby": name}),
        class_name="tile",
        key=room.id,
    )


def member_count(room: RoomSnapshot) -> rx.Component:
    """How many are in a room, in words."""
    return rx.fragment(room.members, rx.cond(room.members == 1, " member", " members"))


# --- the open room -------------------------------------------------------------------------------------------------


def header(people: rx.Component, *more: rx.Component) -> rx.Component:
    """The room's name, who is there, what it is about, and what can be done with it; `more` comes from slices above."""
    return rx.el.header(
        drawer.opener("Open rooms", SIDEBAR, rx.cond(unread.elsewhere(open_id()) > 0, rx.el.i(class_name="news"))),
        rx.el.div(
            rx.cond(_arrived(), _title(people), _untitled()),
            class_name="room-head-texts",
        ),
        *more,
        kit.button(
            "Members",
            kind="quiet",
            picture="users",
            on_click=browser.toggle(MEMBERS_PANEL),
            custom_attrs={
                "aria-expanded": rx.cond(browser.is_open(MEMBERS_PANEL), "true", "false"),
                "aria-controls": MEMBERS_PANEL,
            },
        ),
        class_name="room-head",
    )


def members_panel(members: rx.Component, settings: rx.Component) -> rx.Component:
    """Who is in the room, the way to its settings and the way out of it."""
    leave = kit.button("Leave room", kind="danger", look="wide", picture="log-out", on_click=browser.show(LEAVING))
    return rx.fragment(
        dialog.panel(
            "Members",
            members,
            name=MEMBERS_PANEL,
            foot=rx.cond(is_direct(), _for_good(), rx.fragment(settings, leave)),
        ),
        _leave_room(),
    )


def page_title() -> rx.Var[str]:
    """The tab's title."""
    return unread.titled(rx.cond(ROOM.known, f"{unread.room_name()} · Chat", "Chat"))


def is_direct() -> rx.Var[bool]:
    """Whether the room of the address is a direct message: the list knows before the room is here."""
    listed = browser.person_of(ROOMS.or_default("[]"), open_id(), RoomSnapshot)
    return (listed.kind == DIRECT) | (_arrived() & (ROOM.value.kind == DIRECT))


def _arrived() -> rx.Var[bool]:
    """Whether the room in the browser is the one in the address, and not the one of the page before."""
    return ROOM.known & (ROOM.value.id == open_id())


def _untitled() -> rx.Component:
    """A page has a heading while its name is on its way, too."""
    return rx.el.h1(rx.el.span("Loading...", class_name="sr-only"), class_name="skeleton room-head-bone")


def _title(people: rx.Component) -> rx.Component:
    room = ROOM.value
    return rx.fragment(
        rx.el.h1(kind_icon(room, 17), rx.el.span(unread.room_name(), dir="auto")),
        rx.el.p(people, rx.cond(room.description, rx.el.span(room.description, dir="auto"))),
    )


def member(member: MemberSnapshot, status: rx.Component, since: rx.Component, tools: rx.Component) -> rx.Component:
    """A row of the list of members; `status` says whether they are there, `since` when they last were, `tools` is what
    may be done about them.
    """
    you = rx.cond(member.id == Viewer.me.id, " (you)", "")
    says = unread.says(member).words
    return rx.el.li(
        rx.el.span(
            kit.avatar(member.name, member.initials, member.colour, member.avatar_url),
            status,
            class_name="with-status",
        ),
        rx.el.div(
            rx.el.span(rx.el.bdi(member.name), you, class_name="member-name"),
            rx.cond(says, rx.el.span(says, class_name="member-says", dir="auto")),
            rx.el.span(
                "Joined ",
                rx.el.time(browser.day_of(member.joined_at), date_time=member.joined_at),
                class_name="member-joined",
            ),
        ),
        rx.el.span(
            rx.cond(member.role == "member", rx.fragment(), kit.badge(member.role.capitalize())),
            since,
            class_name="member-notes",
        ),
        tools,
        class_name="member",
        key=member.id,
    )


def _for_good() -> rx.Component:
    return kit.hint("Nobody joins or leaves a direct message. To add somebody, start a new one.")


def _leave_room() -> rx.Component:
    back = rx.cond(
        ROOM.value.is_private,
        "It is private: you will need an invitation to come back.",
        "You can come back whenever you like.",
    )
    return dialog.dialog(
        rx.fragment("Leave ", ROOM.value.name, "?"),
        rx.el.p(back, class_name="dialog-text"),
        rx.el.div(
            kit.button("Stay", on_click=browser.hide(LEAVING)),
            kit.button("Leave", kind="danger", on_click=[browser.hide(LEAVING), OpenRoom.leave(open_id())]),
            class_name="actions",
        ),
        name=LEAVING,
        open=browser.is_open(LEAVING),
        on_dismiss=browser.hide(LEAVING),
    )
