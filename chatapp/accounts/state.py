"""Who is signed in at this tab, and the handlers of signing in, up and out."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Annotated

import reflex as rx
from pydantic import StringConstraints
from reflex.event import EventSpec
from typing_extensions import TypedDict

from chatapp import gate
from chatapp.accounts import actions, links, queries, web
from chatapp.accounts.snapshots import ProfileSnapshot, Provider
from chatapp.asking import Asking
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
    """How others see me, as the dialog `Settings` asks for it; a switch that is off sends nothing."""

    name: Field
    receipts: Field
    emoji: Field
    status: Field
    lasts: actions.Lasts


class NewPassword(TypedDict):
    """The form below it."""

    current: Field
    new: Field


class Settings(Asking, rx.State):
    """The dialog `Settings`, but for the theme, which is the browser's own."""

    @handler
    async def save(self, form: Myself):
        """Change my name and status, in every room at once, and whether read receipts are shown."""
        if await self._ask(_save(form)):
            return Viewer.arrive
        return None


class Password(Asking, rx.State):
    """The part of the dialog `Settings` about the password."""

    @handler
    async def change(self, form: NewPassword):
        """Another password; every other browser of mine is signed out."""
        if await self._ask(actions.change_password(actor(), form["current"], form["new"])):
            return rx.toast.success("Password changed. Other browsers were signed out.")
        return None


async def _save(form: Myself) -> None:
    await actions.rename(actor(), form.get("name", ""))
    await actions.set_status(actor(), form.get("emoji", ""), form.get("status", ""), form.get("lasts", "keep"))
    await actions.show_receipts(actor(), bool(form.get("receipts")))


class SignIn(Asking, rx.State):
    """The sign-in and sign-up pages."""

    people: list[str] = []
    """The stand-in's demo people, by first name; nobody on a project."""
    by_link: bool = False
    """The project mails links that sign in."""
    providers: list[Provider] = []
    outbox: str = ""
    """Where the stand-in shows its mails; "" on a project."""

    @handler(public=True, page=True)
    async def arrive(self):
        """Nobody who is signed in needs this page."""
        offered = await links.offered()
        async with self:
            self.by_link, self.outbox = offered.email, links.outbox()
            self.providers = [Provider.named(name) for name in offered.providers]
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

    async def _through(self, getting_in: Awaitable[str]):
        ticket = await self._ask(getting_in)
        if not ticket:
            return None
        async with self:
            self.busy = True  # until the page has loaded
            headers = dict(self.router_data.get("headers", {}))
            wanted = gate.site_path(self.router.url.query_parameters.get("next", ""))
        return load_page(web.exchange_url(headers, ticket, wanted))


def load_page(url: str) -> EventSpec:
    """Load a page from the server. `rx.redirect` would look for it among the front end's own pages."""
    return rx.call_script(f"window.location.assign({json.dumps(url)})")
