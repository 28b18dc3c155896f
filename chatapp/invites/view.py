"""The dialog `Invite`, and the page an invite link leads to."""

from __future__ import annotations

from typing import Any, TypedDict

import reflex as rx
from reflex_base.vars.base import Var

from chatapp.invites.snapshots import InviteSnapshot
from chatapp.invites.state import BAD_MAIL, LIST, Invitation, InvitePeople, Welcome
from chatapp.rooms import view as rooms
from chatapp.rooms.browser import NAMES
from chatapp.rooms.state import ROOM
from chatapp.ui import art, browser, dialog, forms, kit, layout

INVITE = "invite"
"""The dialog's name, in the browser alone."""


class MailedTokens(TypedDict):
    """What a mailed invitation's link leads here with; `state` is `good`, `bad`, or "" before it is known."""

    state: str
    email: str
    access_token: str
    refresh_token: str


class Asks(rx.Component):
    """Invisible: asks for what is not there yet."""

    library = NAMES
    tag = "Asks"
    known: Var[Any]
    on_ask: rx.EventHandler[rx.event.no_args_event_spec]


# --- the dialog ----------------------------------------------------------------------------------------------------


def button() -> rx.Component:
    """In a room's header. Nobody is invited into a direct message, nor into a room that stands still."""
    opens = kit.button("Invite", kind="quiet", picture="user-plus", on_click=browser.show(INVITE))
    return rx.cond(rooms.is_direct() | (ROOM.known & ROOM.value.archived), rx.fragment(), opens)


def invite() -> rx.Component:
    """By link, shown also as a picture; by address; and what links there are."""
    waiting = rx.fragment(kit.skeleton(2), Asks.create(known=LIST.or_default("null"), on_ask=_on_room("load")))
    asked = InvitePeople.room == rooms.open_id()
    shown = rx.fragment(_link(), _more_links(), _by_address(), _links())
    return dialog.dialog(
        "Invite people",
        kit.alert(InvitePeople.error),
        rx.cond(
            asked & (InvitePeople.error != "") & ~_is_here(), rx.fragment(), rx.cond(asked & _is_here(), shown, waiting)
        ),
        name=INVITE,
        open=browser.is_open(INVITE),
        on_dismiss=[browser.hide(INVITE), InvitePeople.close],
    )


def _link() -> rx.Component:
    shown = _shown()
    address = browser.call(NAMES, "inviteLink", shown.token).to(str)
    link = forms.field(
        "Invite link",
        "link",
        value=address,
        read_only=True,
        custom_attrs={"data-focus": "", "aria-describedby": "ends"},
    )
    copied = [rx.set_clipboard(address), rx.toast.success("Link copied")]
    picture = kit.button(
        rx.cond(InvitePeople.qr, "Hide QR code", "QR code"),
        picture="qr-code",
        on_click=InvitePeople.draw(rooms.open_id(), shown.id),
        disabled=address == "",
    )
    return rx.el.div(
        link,
        rx.el.p(
            rx.cond(address == "", "This link does not work any more.", rx.fragment("Works until ", _day(shown), ".")),
            class_name="hint",
            custom_attrs={"id": "ends"},
        ),
        rx.cond(InvitePeople.qr, rx.el.img(src=InvitePeople.qr, alt="QR code of the invite link", class_name="qr")),
        rx.el.div(
            picture,
            kit.button("Copy link", kind="primary", picture="copy", on_click=copied, disabled=address == ""),
            class_name="actions",
        ),
        class_name="invite-part",
    )


def _more_links() -> rx.Component:
    days = rx.el.select(
        rx.el.option("1 day", value="1"),
        rx.el.option("7 days", value="7"),
        rx.el.option("30 days", value="30"),
        name="days",
        default_value="7",
        class_name="input",
    )
    return rx.el.form(
        rx.el.label(rx.el.span("New link that works for", class_name="field-label"), days, class_name="field"),
        kit.button("Create link", picture="plus", type="submit"),
        on_submit=_on_room("make"),
        class_name="form-row invite-part",
    )


def _by_address() -> rx.Component:
    address = forms.field(
        "Email", "email", type="email", auto_complete="off", required=True, placeholder="name@company.com"
    )
    return rx.el.div(
        rx.el.form(
            address,
            kit.submit("Send invitation", busy=InvitePeople.busy, look=""),
            on_submit=_on_room("add_address"),
            reset_on_submit=True,
            class_name="form-row",
        ),
        rx.el.p(InvitePeople.told, role="status", class_name="hint"),
        class_name="invite-part",
    )


def _links() -> rx.Component:
    """With nothing but the link that is shown there is nothing to look after yet, but to revoke it."""
    return rx.el.div(
        rx.el.h3("Links that work", class_name="field-label", custom_attrs={"id": "links"}),
        rx.el.ul(
            rx.foreach(LIST.value.invites, _row), class_name="invite-links", custom_attrs={"aria-labelledby": "links"}
        ),
        class_name="invite-part",
    )


def _row(invite: InviteSnapshot) -> rx.Component:
    used = rx.match(invite.uses, (0, "Not used yet"), (1, "Used once"), f"Used {invite.uses} times")
    name = f"invite-{invite.id}"
    described = {"aria-describedby": name}
    show = kit.button("Show", look="small", on_click=InvitePeople.choose(invite.id), custom_attrs=described)
    ends = rx.fragment("Ends ", _day(invite), rx.cond(invite.left > 0, " · for one person", ""))
    by = rx.cond(invite.by, rx.fragment(" · by ", rx.el.span(invite.by, dir="auto")), "")
    return rx.el.li(
        rx.el.div(rx.el.span(used, class_name="invite-used"), rx.el.span(ends, by, class_name="hint"), id=name),
        rx.cond((invite.token == "") | (invite.id == InvitePeople.chosen), rx.fragment(), show),
        kit.button(
            "Revoke",
            kind="danger",
            look="small",
            on_click=InvitePeople.revoke(rooms.open_id(), invite.id),
            custom_attrs=described,
        ),
        key=invite.id,
    )


def _day(invite: InviteSnapshot) -> rx.Component:
    return rx.el.time(browser.day_of(invite.ends_at), date_time=invite.ends_at)


def _shown() -> Var:
    """The invite whose link is shown; one that has ended is not in the list any more."""
    found = browser.person_of(LIST.value.invites, InvitePeople.chosen, InviteSnapshot)
    return Var(f"({found} ?? {{}})", _var_type=InviteSnapshot, _var_data=found._get_all_var_data()).guess_type()


def _is_here() -> rx.Var[bool]:
    """Whether this tab has the list of the room that it shows."""
    return (LIST.or_default("null").bool()) & (LIST.value.room.to(str) == rooms.open_id())


def _on_room(name: str) -> rx.event.EventSpec:
    return getattr(InvitePeople, name)(rooms.open_id())


# --- where a link leads --------------------------------------------------------------------------------------------


def invitation() -> rx.Component:
    """Where an invite link leads, before anybody joins."""
    return rx.match(
        rx.cond(Invitation.error, "error", rx.cond(Invitation.room, "room", "")),
        ("error", _no_invitation()),
        ("room", _invited()),
        rx.el.div(kit.skeleton(2), class_name="card"),
    )


def welcome() -> rx.Component:
    """Where a mailed invitation leads: a name and a password for the account it has made."""
    mail: Any = browser.hook("mail", browser.call(NAMES, "useMailedTokens"), MailedTokens)
    hidden = [rx.el.input(type="hidden", name=name, value=mail[name]) for name in ("access_token", "refresh_token")]
    form = rx.el.form(
        kit.alert(Welcome.error),
        forms.field("Name", "name", auto_complete="name", required=True, max_length=80),
        forms.field("Password", "password", type="password", auto_complete="new-password", required=True),
        *hidden,
        kit.submit("Continue", busy=Welcome.busy),
        on_submit=Welcome.set_up,
        class_name="form",
    )
    for_whom = layout.card("Welcome", rx.fragment("You are invited as ", rx.el.strong(mail["email"]), "."), form)
    return rx.match(
        mail["state"],
        ("good", for_whom),
        ("bad", layout.card("Welcome", BAD_MAIL, kit.link_button("Sign in", to="/sign-in", kind="primary"))),
        rx.el.div(kit.skeleton(2), class_name="card"),
    )


def _invited() -> rx.Component:
    room = Invitation.room
    by = rx.cond(Invitation.by, rx.fragment(rx.el.bdi(Invitation.by), " invites you. "), "You are invited. ")
    return rx.el.div(
        rooms.glyph(room),
        rx.el.h1(room.name, dir="auto"),
        rx.cond(room.description, rx.el.p(room.description, dir="auto", class_name="dialog-text")),
        rx.el.p(by, rooms.member_count(room), " so far.", class_name="card-lead"),
        kit.button(
            "Join room",
            kind="primary",
            look="wide large",
            on_click=Invitation.accept(rx.State.invite_token),  # added with the route
        ),
        class_name="card",
    )


def _no_invitation() -> rx.Component:
    return rx.el.div(
        art.nothing_there(),
        rx.el.h1("This invitation doesn't work"),
        rx.el.p(Invitation.error, role="alert"),
        rx.el.div(kit.link_button("Chat Rooms", to="/chat", kind="primary"), class_name="actions"),
        class_name="empty",
    )
