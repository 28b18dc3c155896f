"""The handlers of the other ways in (links by mail, providers), of another password or address, and of leaving
everywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import reflex as rx
from typing_extensions import TypedDict

from chatapp import gate
from chatapp.accounts import actions, links, web
from chatapp.accounts.state import Field, load_page
from chatapp.asking import Asking
from chatapp.gate import actor, handler

Told = Literal["done", "half", "bad"]


class Address(TypedDict):
    """A form that asks for an e-mail address."""

    email: Field


class ChosenPassword(TypedDict):
    """The form of the page a link for choosing another password leads to."""

    password: Field


class OtherWays(Asking, rx.State):
    """The pages `Email me a link` and `Forgot password?`, and the buttons of the providers."""

    @handler(public=True, page=True, background=False)
    def arrive(self):
        """One of these pages opens."""
        self.busy, self.error = False, ""

    @handler(public=True)
    async def mail_link(self, form: Address):
        """Mail me a link that signs in, if I have an account."""
        return await self._out(lambda landing, wanted: links.ask_for_link(form["email"], landing, wanted))

    @handler(public=True)
    async def mail_reset(self, form: Address):
        """Mail me a link for choosing another password, if I have an account."""
        return await self._out(lambda landing, wanted: links.ask_for_reset(form["email"], landing, wanted))

    @handler(public=True)
    async def go_to(self, provider: Field):
        """To a provider, and back signed in."""
        return await self._out(lambda landing, wanted: links.go_to_provider(provider, landing, wanted))

    async def _out(self, asking: Callable[[str, str], Awaitable[str]]):
        async with self:
            headers = dict(self.router_data.get("headers", {}))
            wanted = gate.site_path(self.router.url.query_parameters.get("next", ""))
        ticket = await self._ask(_landed(headers, web.COME_BACK, lambda landing: asking(landing, wanted)))
        if not ticket:
            return None
        async with self:
            self.busy = True  # until the page has loaded
        return load_page(web.flow_url(headers, ticket))


class ResetPassword(Asking, rx.State):
    """The page a link for choosing another password leads to."""

    good: bool = False
    """Whether this browser may choose; a link is good once, and for a quarter of an hour."""
    known: bool = False

    @handler(public=True, page=True)
    async def arrive(self):
        """Say at once when the link is no longer good."""
        async with self:
            self.known, self.busy, self.error = False, False, ""
            headers = dict(self.router_data.get("headers", {}))
        good = await links.may_reset(web.reset_value(headers))
        async with self:
            self.good, self.known = good, True

    @handler(public=True)
    async def set_password(self, form: ChosenPassword):
        """Another password; whoever else is signed in as me no longer is."""
        async with self:
            headers = dict(self.router_data.get("headers", {}))
        ticket = await self._ask(links.set_password(web.reset_value(headers), form["password"]))
        return load_page(web.exchange_url(headers, ticket, "/chat")) if ticket else None


class MailLink(rx.State):
    """The page on which a link ends that signs nobody in."""

    told: Told = "bad"

    @handler(public=True, page=True, background=False)
    def arrive(self):
        """What has become of it, as the address says."""
        told = self.router.url.query_parameters.get("told", "")
        self.told = told if told in ("done", "half") else "bad"  # type: ignore[assignment]  # one of the three


class Email(Asking, rx.State):
    """The part of the dialog `Settings` about the e-mail address."""

    @handler
    async def change(self, form: Address):
        """Mail a link to the new address, and to the present one."""
        async with self:
            headers = dict(self.router_data.get("headers", {}))
        asking = _landed(headers, web.CONFIRMED, lambda landing: links.change_email(actor(), form["email"], landing))
        if await self._ask(asking):
            return rx.toast.success("Check your inboxes: the change counts once the links we sent are opened.")
        return None


class Everywhere(Asking, rx.State):
    """The part of the dialog `Settings` about other browsers."""

    @handler
    async def sign_out(self):
        """End every session of mine, this one too."""
        async with self:
            headers = dict(self.router_data.get("headers", {}))
        if await self._ask(actions.sign_out_everywhere(actor())):
            return load_page(web.sign_out_url(headers))
        return None


async def _landed(headers: dict[str, str], path: str, asking: Callable[[str], Awaitable[str | None]]) -> str | None:
    return await asking(web.landing(headers, path))
