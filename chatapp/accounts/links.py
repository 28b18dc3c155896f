"""Verbs about the ways in that need no password: links in mails, providers, and what a mail's link allows."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlmodel import col, delete, func, select

from chatapp import settings
from chatapp.accounts import actions, attempts, sessions
from chatapp.accounts.flows import Flow
from chatapp.accounts.model import Session
from chatapp.actor import SYSTEM, Actor
from chatapp.db import transaction
from chatapp.errors import ChatError, Invalid, NotFound
from chatapp.supabase import auth
from chatapp.texts import email_address

Answer = TypeVar("Answer")

RESET_LASTS = timedelta(minutes=15)
"""From the opening of the mail's link to the new password."""
ANSWER_AFTER = 1.0
"""Seconds that asking for a mail takes at least: sending one takes longer than not sending one, and would tell."""
OFFER_LASTS = 300.0
"""Seconds for which the project is not asked again which ways in it offers."""
NO_ANSWER_LASTS = 15.0
BAD_LINK = "This link does not work any more. Please ask for a new one."


class _Asked(NamedTuple):
    url: str
    until: float
    offered: auth.Offered


_asked: _Asked | None = None


async def offered() -> auth.Offered:
    """Return the ways in that the project offers; as long as it does not answer, e-mail alone."""
    global _asked  # noqa: PLW0603 - the one answer that is remembered
    url, now = settings.current().supabase_url, time.monotonic()
    if _asked is None or _asked.url != url or _asked.until < now:
        try:
            _asked = _Asked(url, now + OFFER_LASTS, await auth.offered())
        except ChatError:
            _asked = _Asked(url, now + NO_ANSWER_LASTS, auth.Offered())
    return _asked.offered


def outbox() -> str:
    """Return where mails can be read that nobody was sent: "" everywhere but on the stand-in."""
    chosen = settings.current()
    return f"{chosen.supabase_url}/outbox" if chosen.is_standin else ""


async def ask_for_link(email: str, landing: str, next_path: str) -> str:
    """Mail somebody a link that signs in; return the flow's ticket. Tells nobody whether the address is known.

    Raises Invalid, also for too many mails, and Unavailable.
    """
    email = await _may_mail(email)
    verifier = await _evenly(auth.mail_link(email, landing))
    return Flow(kind="link", verifier=verifier, next_path=next_path).sealed("ticket")


async def ask_for_reset(email: str, landing: str, next_path: str) -> str:
    """Mail somebody a link for choosing another password; as `ask_for_link`."""
    email = await _may_mail(email)
    verifier = await _evenly(auth.mail_reset(email, landing))
    return Flow(kind="reset", verifier=verifier, next_path=next_path).sealed("ticket")


async def go_to_provider(provider: str, landing: str, next_path: str) -> str:
    """Return the ticket of a flow over a provider. Raises NotFound for one that the project does not offer."""
    if provider not in (await offered()).providers:
        raise NotFound
    leads_to, verifier = await auth.at_provider(provider, landing)
    return Flow(kind="provider", verifier=verifier, next_path=next_path, leads_to=leads_to).sealed("ticket")


async def come_back(flow: Flow, code: str) -> str:
    """Sign in whom a link or a provider leads back; return the value of the session's cookie.

    Raises Invalid, also for a code that was used or is another flow's, and Unavailable.
    """
    return await actions.redeem(await actions.open_session(await auth.exchange(code, flow.verifier)))


async def allow_reset(flow: Flow, code: str) -> str:
    """Let whom a mail's link leads back choose another password, once; return the value that `set_password` takes."""
    tokens = await auth.exchange(code, flow.verifier)
    value = secrets.token_urlsafe(32)
    row = Session(
        id_hash=sessions.hashed_reset(value),
        user_id=tokens.user_id,
        expires_at=datetime.now(UTC) + RESET_LASTS,
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        access_expires_at=tokens.access_expires_at,
    )
    async with transaction(SYSTEM) as session:
        session.add(row)
    return value


async def may_reset(value: str) -> bool:
    """Return whether `set_password` would take this value now."""
    async with transaction(SYSTEM) as session:
        found = await session.exec(select(Session.id_hash).where(*_good(value)))
        return found.one_or_none() is not None


async def set_password(value: str, new: str) -> str:
    """Choose another password by a link from a mail; return a ticket. Every session of that person ends, in every tab.

    Raises Invalid, and the link stays good for another try unless it was the link that was not; and Unavailable.
    """
    new = actions.new_password(new)
    async with transaction(SYSTEM) as session:  # around the change: where it is refused, nothing has ended
        row = (await session.exec(select(Session).where(*_good(value)).with_for_update())).one_or_none()
        if row is None:
            raise Invalid(BAD_LINK)
        tokens = await auth.set_password(row.access_token, row.refresh_token, new)
        ended = delete(Session).where(col(Session.user_id) == row.user_id).returning(col(Session.id_hash))
        keys = list((await session.exec(ended)).scalars())
    for key in keys:
        sessions.forget(key.hex())
    return await actions.open_session(tokens)


async def change_email(actor: Actor, new: str, landing: str) -> None:
    """Mail the new address, and the present one, a link that agrees. That the new one is taken is not told.

    Raises Invalid, also for too many mails, Unauthorized and Unavailable.
    """
    new = await _may_mail(new)
    await attempts.mail(str(actor.user_id))  # as many addresses as one likes would be as many mails
    await _evenly(auth.change_email(await actions.access_token(actor), new, landing))


def _good(value: str) -> tuple[Any, Any]:
    return col(Session.id_hash) == sessions.hashed_reset(value), col(Session.expires_at) > func.now()


async def _may_mail(email: str) -> str:
    email = email_address(email)
    await attempts.mail(email)
    return email


async def _evenly(asking: Awaitable[Answer]) -> Answer:
    """Answer no sooner for an address that nobody has; what is refused for any address is told at once."""
    answer, _ = await asyncio.gather(asking, asyncio.sleep(ANSWER_AFTER))
    return answer
