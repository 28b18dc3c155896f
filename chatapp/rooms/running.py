"""For those who run a room: its settings, and what they may do about its members. The server decides each time anew."""

from __future__ import annotations

from typing import Any

import reflex as rx

from chatapp.accounts.state import Viewer
from chatapp.rooms.model import DESCRIPTION_LIMIT, NAME_LIMIT
from chatapp.rooms.snapshots import MemberSnapshot
from chatapp.rooms.state import MEMBERS, ROOM, RunRoom
from chatapp.ui import browser, dialog, forms, kit

DELETING = "delete-room"
ARCHIVING = "archive-room"


def settings_button() -> rx.Component:
    """Opens the settings, for those who run the room."""
    button = kit.button("Room settings", look="wide", picture="settings", on_click=RunRoom.show(True))
    return rx.cond(_i_run(), button)


def settings() -> rx.Component:
    """The dialog `Room settings`, and the questions before a room is archived or deleted."""
    return rx.fragment(
        dialog.dialog(
            "Room settings",
            rx.el.form(
                kit.alert(RunRoom.error),
                _text("Room name", "name", ROOM.value.name, NAME_LIMIT, custom_attrs={"data-focus": "keys"}),
                _text("Description", "description", ROOM.value.description, DESCRIPTION_LIMIT),
                kit.submit("Save", busy=RunRoom.busy),
                on_submit=RunRoom.describe(ROOM.value.id),
                class_name="form",
            ),
            rx.el.div(_archive(), rx.cond(_my_role() == "owner", _delete()), class_name="last-things"),
            name="room-settings",
            open=RunRoom.shown,
            on_dismiss=RunRoom.show(False),
        ),
        _archive_question(),
        _delete_question(),
    )


def tools(member: MemberSnapshot) -> rx.Component:
    """What may be done about a member: behind one button, since none of it is done every day."""
    name = f"tools-{member.id}"
    button = kit.icon_button(
        "Manage",
        "ellipsis",
        on_click=browser.toggle(name),
        custom_attrs={
            "aria-label": f"Manage {member.name}",
            "aria-expanded": rx.cond(browser.is_open(name), "true", "false"),
        },
    )
    may = _i_run() & (member.id != Viewer.me.id) & (member.role != "owner")
    return rx.cond(may, rx.fragment(button, rx.cond(browser.is_open(name), _choices(member, name))))


def _choices(member: MemberSnapshot, name: Any) -> rx.Component:
    """Two steps for what cannot be undone by oneself."""
    handing, removing = f"hand-{member.id}", f"remove-{member.id}"
    hand_over = kit.button("Transfer ownership", look="small", on_click=browser.show(handing))
    remove = kit.button("Remove", kind="danger", look="small", on_click=browser.show(removing))
    choices = rx.fragment(_role(member, name), rx.cond(_my_role() == "owner", hand_over), remove)
    transferred = [browser.hide(handing), browser.hide(name), _change_role(member, "owner")]
    removed = [browser.hide(removing), browser.hide(name), RunRoom.remove(ROOM.value.id, member.id)]
    return rx.el.div(
        rx.cond(
            browser.is_open(handing),
            _sure(f"Make {member.name} the owner?", "Transfer", browser.hide(handing), transferred),
            rx.cond(
                browser.is_open(removing),
                _sure(f"Remove {member.name} from the room?", "Remove", browser.hide(removing), removed),
                choices,
            ),
        ),
        class_name="member-tools",
    )


def _sure(question: Any, verb: str, back: Any, on_click: list[Any]) -> rx.Component:
    return rx.fragment(
        rx.el.p(question, class_name="member-sure", dir="auto"),
        kit.button("Cancel", look="small", on_click=back),
        kit.button(verb, kind="danger", look="small", on_click=on_click),
    )


def _role(member: MemberSnapshot, name: Any) -> rx.Component:
    done = browser.hide(name)
    return rx.cond(
        member.role == "admin",
        kit.button("Make member", look="small", on_click=[done, _change_role(member, "member")]),
        kit.button("Make admin", look="small", on_click=[done, _change_role(member, "admin")]),
    )


def _change_role(member: MemberSnapshot, role: str) -> Any:
    return RunRoom.change_role(ROOM.value.id, member.id, role)


def _text(label: str, name: str, value: Any, most: int, **props: Any) -> rx.Component:
    return forms.field(label, name, default_value=value, max_length=most, auto_complete="off", **props)


def _archive() -> rx.Component:
    archived = ROOM.value.archived
    explained = rx.cond(
        archived, "Members can write in it again.", "Everybody keeps what was said; nothing can be added."
    )
    button = rx.cond(
        archived,
        kit.button("Unarchive room", picture="archive-restore", on_click=RunRoom.archive(ROOM.value.id, False)),
        kit.button("Archive room", picture="archive", on_click=browser.show(ARCHIVING)),
    )
    return rx.el.div(rx.el.p(explained, class_name="hint"), button)


def _archive_question() -> rx.Component:
    """It is for everybody, at once. The way back needs none."""
    done = browser.hide(ARCHIVING)
    return dialog.dialog(
        rx.fragment("Archive ", rx.el.bdi(ROOM.value.name), "?"),
        rx.el.p(
            "Nobody can write in it any more. Everybody keeps what was said, and you can unarchive it at any time.",
            class_name="dialog-text",
        ),
        rx.el.div(
            kit.button("Cancel", on_click=done),
            kit.button("Archive room", kind="primary", on_click=[done, RunRoom.archive(ROOM.value.id, True)]),
            class_name="actions",
        ),
        name=ARCHIVING,
        open=browser.is_open(ARCHIVING),
        on_dismiss=done,
    )


def _delete() -> rx.Component:
    ask = [RunRoom.show(False), browser.show(DELETING)]
    button = kit.button("Delete room", kind="danger", picture="trash-2", on_click=ask)
    return rx.el.div(rx.el.p("All that was said in it goes too.", class_name="hint"), button)


def _delete_question() -> rx.Component:
    done = browser.hide(DELETING)
    return dialog.dialog(
        rx.fragment("Delete ", ROOM.value.name, "?"),
        rx.el.p("Every message in it is deleted for everybody, for good.", class_name="dialog-text"),
        rx.el.div(
            kit.button("Keep", on_click=done),
            kit.button("Delete room", kind="danger", on_click=[done, RunRoom.delete(ROOM.value.id)]),
            class_name="actions",
        ),
        name=DELETING,
        open=browser.is_open(DELETING),
        on_dismiss=done,
    )


def _my_role() -> rx.Var[str]:
    me = browser.person_of(MEMBERS.value, Viewer.me.id, MemberSnapshot)
    return me.role


def _i_run() -> rx.Var[bool]:
    return (_my_role() == "owner") | (_my_role() == "admin")
