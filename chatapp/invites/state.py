"""What a tab holds of invites: the dialog `Invite` of the open room, and the page an invite link leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import reflex as rx
import segno
from pydantic import StringConstraints
from typing_extensions import TypedDict

from chatapp import shared
from chatapp.accounts import actions as accounts
from chatapp.accounts import web
from chatapp.accounts.state import load_page
from chatapp.actor import Actor
from chatapp.errors import ChatError, NotAMember, NotFound
from chatapp.gate import actor, handler, site_path
from chatapp.invites import actions, queries
from chatapp.invites.snapshots import InviteSnapshot
from chatapp.invites.watchers import watchers
from chatapp.realtime import topic
from chatapp.rooms.snapshots import RoomSnapshot

Field = Annotated[str, StringConstraints(max_length=1000)]
Token = Annotated[str, StringConstraints(max_length=200)]


@dataclass(frozen=True)
class InviteList:
    """A room's invites, as far as one person may look after them."""

    room: str
    invites: tuple[InviteSnapshot, ...]


class NewLink(TypedDict):
    """The form around `Create link`."""

    days: Literal["1", "7", "30"]


class Address(TypedDict, total=False):
    """The form around `Send invitation`."""

    email: Field


class InvitePeople(rx.State):
    """The dialog `Invite`. `listed` is shared by a person's tabs in a room, and live."""

    listed: InviteList | None = None
    room: str = ""
    """The room that this tab has asked about since the dialog was opened."""
    chosen: str = ""
    """The invite whose link is shown, by its id."""
    qr: str = ""
    """The picture of that link, as a data URI; "" while nobody wants to see it."""
    error: str = ""
    told: str = ""
    busy: bool = False

    @handler(background=False)
    def close(self):
        """The dialog closes; what it shows next time is asked for anew."""
        self.room, self.error, self.told, self.qr, self.busy = "", "", "", "", False

    @handler
    async def load(self, room_id: UUID):
        """Subscribe, then load: from now on this person's tabs in the room are told of its invites."""
        watchers.add(room_id, actor().user_id)
        error = chosen = ""
        try:
            chosen = str(await actions.current_invite(actor(), room_id))
        except ChatError as refusal:
            error = refusal.message
        async with self:
            self.room, self.chosen, self.qr, self.error = str(room_id), chosen, "", error
        if chosen:
            await send(room_id, actor().user_id, await queries.invites(actor(), room_id))

    @handler
    async def make(self, room_id: UUID, form: NewLink):
        """A new link into the room, good for so many days."""
        made = await actions.make_invite(actor(), room_id, days=int(form["days"]))
        async with self:
            self.chosen, self.qr = str(made), ""
        await send(room_id, actor().user_id, await queries.invites(actor(), room_id))

    @handler(background=False)
    def choose(self, invite_id: UUID):
        """Show another invite's link."""
        self.chosen, self.qr = str(invite_id), ""

    @handler
    async def revoke(self, room_id: UUID, invite_id: UUID):
        """End an invite."""
        await actions.revoke(actor(), invite_id)
        await send(room_id, actor().user_id, await queries.invites(actor(), room_id))
        async with self:
            if self.chosen == str(invite_id):
                self.chosen, self.qr = "", ""

    @handler
    async def draw(self, room_id: UUID, invite_id: UUID):
        """Show an invite's link as a QR code, or hide it."""
        found = [each for each in await queries.invites(actor(), room_id) if each.id == str(invite_id) and each.token]
        if not found:
            raise NotFound(queries.BAD_INVITE)
        async with self:
            self.qr = "" if self.qr else _qr(f"{_site(self)}/invite/{found[0].token}")

    @handler
    async def add_address(self, room_id: UUID, form: Address):
        """Make whoever has an e-mail address a member, or have them invited by mail."""
        address = form.get("email", "")
        async with self:
            self.busy, self.error, self.told, site = True, "", "", _site(self)
        error = told = ""
        try:
            told = _TOLD[await actions.invite_address(actor(), room_id, address, site)].format(address.strip())
        except ChatError as refusal:
            error = refusal.message
        async with self:
            self.busy, self.error, self.told = False, error, told


class Invitation(rx.State):
    """The page an invite link leads to."""

    error: str = ""
    room: RoomSnapshot | None = None
    by: str = ""
    """Who invites, by name; "" where nobody can tell."""

    @handler(page=True)
    async def preview(self):
        """Say where the link leads, and who says so, before anybody joins."""
        async with self:
            self.room, self.by, self.error = None, "", ""
            token = str(self.invite_token)  # type: ignore[attr-defined]  # of the route /invite/[invite_token]
        try:
            room, by = await queries.room(actor(), token), await queries.inviter(actor(), token)
        except ChatError as refusal:
            async with self:
                self.error = refusal.message
            return
        async with self:
            self.room, self.by = room, by

    @handler
    async def accept(self, token: Token):
        """Join the room the link leads to."""
        room_id = await actions.accept_invite(actor(), token)
        return rx.redirect(f"/chat/{room_id}")


class NewHere(TypedDict):
    """The form of the page that a mailed invitation leads to; the tokens are in its address."""

    name: Field
    password: Field
    access_token: Annotated[str, StringConstraints(max_length=4000)]
    refresh_token: Annotated[str, StringConstraints(max_length=4000)]


class Welcome(rx.State):
    """The page that a mailed invitation leads to."""

    error: str = ""
    busy: bool = False

    @handler(public=True)
    async def set_up(self, form: NewHere):
        """Name and password for the account that the invitation has made; then on to the room."""
        async with self:
            self.error, self.busy = "", True
            headers = dict(self.router_data.get("headers", {}))
            wanted = site_path(self.router.url.query_parameters.get("next", ""))
        try:
            ticket = await accounts.set_up(form["access_token"], form["refresh_token"], form["name"], form["password"])
        except ChatError as refusal:
            async with self:
                self.error, self.busy = refusal.message, False
            return None
        return load_page(web.exchange_url(headers, ticket, wanted))


LIST = shared.Shared(InvitePeople.listed)

BAD_MAIL = accounts.BAD_MAIL

_TOLD = {
    "added": "{} is a member now.",
    "already": "{} is a member already.",
    "mailed": "An invitation is on its way to {}.",
}


async def read(room_id: UUID, user_id: UUID) -> Sequence[InviteSnapshot] | None:
    """Return a person's list of a room's invites, under their own rights; None for somebody who has left."""
    try:
        return await queries.invites(Actor(user_id, ""), room_id)
    except NotAMember:
        return None


async def send(room_id: UUID, user_id: UUID, invites: Sequence[InviteSnapshot]) -> None:
    """Send a person's list of a room's invites to all tabs of theirs there."""
    watchers.told(room_id, user_id, invites)
    # To the topic that whoever is removed has left by now: judged where it is sent.
    update = shared.update(LIST.at(0, InviteList(str(room_id), tuple(invites))))
    await shared.wire().emit(topic.room_member(room_id, user_id), update)


def opened() -> list[Any]:
    """What a tab that opens a room is sent: the list of no room, so that an open dialog asks for its own."""
    return [LIST.at(0, InviteList("", ()))]


def _site(state: rx.State) -> str:
    return str(state.router_data.get("headers", {}).get("origin", ""))


def _qr(link: str) -> str:
    uri: str = segno.make(link, micro=False, error="m").svg_data_uri(dark="#161513", light="#fff", border=3, scale=4)
    return uri
