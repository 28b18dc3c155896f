"""Who is signed in at this tab, and the handlers of signing in, up and out."""

from __future__ import annotations

import json
from typing import Annotated, Any

import reflex as rx
from pydantic import StringConstraints
from reflex.event import EventSpec
from typing_extensions import TypedDict

from chatapp import gate
from chatapp.accounts import actions, queries, web
from chatapp.accounts.snapshots import ProfileSnapshot
from chatapp.errors import ChatError
from chatapp.gate import actor, handler

Field = Annotated[str, StringConstraints(max_length=1000)]
"""What a form's field may hold before an action says precisely what it takes."""


class Credentials(TypedDict):
    """The form of the sign-in page."""

    email: Field
    password: Field


class NewAccount(Credentials):
    """The form of the sign-up page."""

    name: Field


class Viewer(rx.State):
    """The person at this tab, as every page of theirs needs to know them."""

    me: ProfileSnapshot = ProfileSnapshot.nobody()

    @rx.var
    def signed_in(self) -> bool:
        return bool(self.me.id)

    @handler(page=True)
    async def arrive(self):
        """A page opens: know who it is."""
        me = await queries.profile(actor())
        async with self:
            self.me = me

    @handler
    async def sign_out(self):
        """End this session here and in every tab of it."""
        await actions.sign_out(actor())
        async with self:
            headers = dict(self.router_data.get("headers", {}))
        return load_page(web.sign_out_url(headers))


class Myself(TypedDict, total=False):
    """The form of the dialog `Profile`; a switch that is off sends nothing."""

    name: Field
    receipts: Field


class Profile(rx.State):
    """The dialog `Profile`."""

    shown: bool = False
    error: str = ""
    busy: bool = False

    @handler(background=False)
    def show(self, shown: bool):
        """Open or close the dialog."""
        self.shown, self.error, self.busy = shown, "", False

    @handler
    async def save(self, form: Myself):
        """Change my name, in every room at once, and whether read receipts are shown."""
        async with self:
            self.error, self.busy = "", True
        try:
            await actions.rename(actor(), form.get("name", ""))
            await actions.show_receipts(actor(), bool(form.get("receipts")))
        except ChatError as refusal:
            async with self:
                self.error, self.busy = refusal.message, False
            return None
        async with self:
            self.shown, self.busy = False, False
        return Viewer.arrive


class SignIn(rx.State):
    """The sign-in and sign-up pages."""

    error: str = ""
    busy: bool = False
    people: list[str] = []
    """The stand-in's demo people, by first name; nobody on a project."""

    @handler(public=True, page=True)
    async def arrive(self):
        """Nobody who is signed in needs this page."""
        async with self:
            self.error, self.busy, self.people = "", False, actions.demo_people()
            wanted = self.router.url.query_parameters.get("next", "")
        if not gate.stranger():
            return rx.redirect(gate.site_path(wanted), replace=True)
        return None

    @handler(public=True)
    async def sign_in(self, form: Credentials):
        """With e-mail address and password."""
        return await self._through(actions.sign_in(form["email"], form["password"]))

    @handler(public=True)
    async def sign_up(self, form: NewAccount):
        """Make an account and sign in with it."""
        return await self._through(actions.sign_up(form["name"], form["email"], form["password"]))

    @handler(public=True)
    async def continue_as(self, name: Field):
        """As one of the stand-in's demo people."""
        return await self._through(actions.continue_as(name))

    async def _through(self, ticket: Any):
        async with self:
            self.error, self.busy = "", True
            headers = dict(self.router_data.get("headers", {}))
            wanted = gate.site_path(self.router.url.query_parameters.get("next", ""))
        try:
            url = web.exchange_url(headers, await ticket, wanted)
        except ChatError as refusal:
            async with self:
                self.error, self.busy = refusal.message, False
            return None
        return load_page(url)


def load_page(url: str) -> EventSpec:
    """Load a page from the server. `rx.redirect` would look for it among the front end's own pages."""
    return rx.call_script(f"window.location.assign({json.dumps(url)})")
