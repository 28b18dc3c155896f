"""Verbs about people: getting in, getting out, changing one's name, status and password.

A session is our own: the browser holds a random value, the database its sha-256 beside Supabase's tokens.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Delete
from sqlmodel import case, col, delete, func, select, update

from chatapp import settings
from chatapp.accounts import attempts, sessions
from chatapp.accounts.model import NAME_LIMIT, PASSWORD_LEAST, STATUS_LIMIT, Profile, Session
from chatapp.actor import SYSTEM, Actor
from chatapp.db import transaction
from chatapp.errors import ChatError, Invalid, NotFound, Unauthorized
from chatapp.supabase import auth
from chatapp.texts import clean, email_address, one_emoji, storable

log = logging.getLogger(__name__)

SESSION_LASTS = timedelta(days=30)
TICKET_LASTS = timedelta(seconds=60)
EXPIRED_AT_ONCE = 100
"""Expired sessions deleted at most when another one begins."""
REFRESH_BEFORE = timedelta(seconds=60)
BAD_MAIL = "This invitation has expired. Please ask for another."
_TOKEN = re.compile(r"[\w.-]{1,4000}", re.ASCII)
PASSWORD_MOST = 72  # bytes: bcrypt, which Supabase Auth uses, reads no further

Lasts = Literal["keep", "always", "30m", "1h", "4h", "1d", "1w"]
"""For how long a status is to count: until when it did before, until it is changed, or for a while from now."""

LASTING = {
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "1w": timedelta(weeks=1),
}

DEMO_PEOPLE = {
    "Ada": "Ada Lovelace",
    "Grace": "Grace Hopper",
    "Linus": "Linus Torvalds",
    "Katherine": "Katherine Johnson",
    "Alan": "Alan Turing",
}
"""Whom one can be on the stand-in with one click, by first name."""


async def sign_up(name: str, email: str, password: str) -> str:
    """Make an account and sign in; return a ticket to `redeem`. Raises Invalid or Unavailable."""
    name, email = clean(name, "Name", NAME_LIMIT), email_address(email)
    return await open_session(await auth.sign_up(name, email, new_password(password)))


async def sign_in(email: str, password: str) -> str:
    """Sign in; return a ticket to `redeem`. Raises Invalid, also after too many wrong passwords, or Unavailable."""
    email, password = email_address(email), _password(password)
    async with attempts.guess(email):
        tokens = await auth.sign_in(email, password)
    return await open_session(tokens)


async def set_up(access_token: str, refresh_token: str, name: str, password: str) -> str:
    """Name and password for an account that was invited by mail, and sign in; return a ticket to `redeem`.

    Raises Invalid, also where the mail's tokens are not good, and Unavailable.
    """
    name, password = clean(name, "Name", NAME_LIMIT), new_password(password)
    if not (_TOKEN.fullmatch(access_token) and _TOKEN.fullmatch(refresh_token)):
        raise Invalid(BAD_MAIL)
    tokens = await auth.set_up(access_token, refresh_token, name, password)
    await rename(Actor(tokens.user_id, ""), name)
    return await open_session(tokens)


async def continue_as(name: str) -> str:
    """Sign in as a demo person; return a ticket. Raises NotFound on every project but the stand-in."""
    if name not in demo_people():
        raise NotFound
    return await open_session(await auth.sign_in(demo_email(name), demo_password()))


async def redeem(ticket: str) -> str:
    """Exchange a ticket, good once and for a minute, for the session's value for the cookie. Raises Unauthorized.

    The ticket has been in an address, and so in logs: what the browser keeps is a new value.
    """
    value, mine = secrets.token_urlsafe(32), col(Session.id_hash) == sessions.hashed_ticket(ticket)
    fresh = col(Session.created_at) > func.now() - TICKET_LASTS
    exchange = update(Session).where(mine, fresh, col(Session.expires_at) > func.now())
    lasting = {"id_hash": sessions.hashed(value), "expires_at": datetime.now(UTC) + SESSION_LASTS}
    async with transaction(SYSTEM) as session:
        done = await session.exec(exchange.values(lasting).returning(col(Session.user_id)))
        if done.one_or_none() is None:
            raise Unauthorized
    return value


def demo_people() -> list[str]:
    """Return whom one may continue as: nobody, except where this process itself started the stand-in."""
    return list(DEMO_PEOPLE) if settings.current().is_standin else []


def demo_email(name: str) -> str:
    """Return the address of a demo person, at a domain that can have no mail."""
    return f"{name.lower()}@example.com"


def demo_password() -> str:
    """Return the demo people's password: derived, so that nobody can guess it from the source."""
    key = settings.current().supabase_secret_key.get_secret_value().encode()
    return hmac.new(key, b"demo people", hashlib.sha256).hexdigest()


async def sign_out(actor: Actor) -> None:
    """End the actor's session: here at once, at Supabase later and as far as it answers. The database tells every
    tab of it.
    """
    gone = delete(Session).where(col(Session.id_hash) == _key(actor)).returning(col(Session.access_token))
    async with transaction(SYSTEM) as session:
        access_token = (await session.exec(gone)).scalar_one_or_none()
    sessions.forget(actor.session_id)
    if access_token:
        _end_later(access_token)


async def sign_out_everywhere(actor: Actor) -> None:
    """End every session of the actor, this one too: here at once, at Supabase later. The database tells every tab."""
    token = await access_token(actor)
    gone = delete(Session).where(col(Session.user_id) == actor.user_id).returning(col(Session.id_hash))
    async with transaction(SYSTEM) as session:
        for key in (await session.exec(gone)).scalars():
            sessions.forget(key.hex())
    _end_later(token, "global")


async def settle(seconds: float) -> None:
    """Wait for sign-outs on their way to Supabase, no longer than `seconds`."""
    if _ending:
        await asyncio.wait(_ending, timeout=seconds)


async def access_token(actor: Actor) -> str:
    """Return a Supabase access token of the actor's that is good for a minute at least.

    A refresh token works once: the row's lock makes one caller refresh and the others take what it got.
    Raises Unauthorized when the session has ended, here or at Supabase.
    """
    async with transaction(SYSTEM) as session:
        row = await session.get(Session, _key(actor), with_for_update=True)
        if row is None:
            raise Unauthorized
        if row.access_expires_at - datetime.now(UTC) < REFRESH_BEFORE:
            _renew(row, await auth.refresh(row.refresh_token))
        return row.access_token


async def show_receipts(actor: Actor, shown: bool) -> None:
    """Show where the actor has read to, and others' markers to them; or neither."""
    change = update(Profile).where(col(Profile.id) == actor.user_id).values(receipts=shown)
    async with transaction(actor) as session:
        await session.exec(change)


async def rename(actor: Actor, name: str) -> None:
    """Change the actor's name, everywhere. Raises Invalid."""
    change = update(Profile).where(col(Profile.id) == actor.user_id).values(name=clean(name, "Name", NAME_LIMIT))
    async with transaction(actor) as session:
        await session.exec(change)


async def set_status(actor: Actor, emoji: str, text: str, lasts: Lasts = "keep") -> None:
    """Say something of oneself beside one's name; an empty emoji and text say nothing. Raises Invalid."""
    emoji, text = (one_emoji(emoji.strip()) if emoji.strip() else ""), clean(text, "Status", STATUS_LIMIT, least=0)
    until = func.now() + LASTING[lasts] if lasts in LASTING else None
    if lasts == "keep":  # what has ended is not kept: the new status would be over before it began
        until = case((col(Profile.status_until) > func.now(), col(Profile.status_until)), else_=None)
    status = {"status_emoji": emoji, "status_text": text, "status_until": until if emoji or text else None}
    async with transaction(actor) as session:
        await session.exec(update(Profile).where(col(Profile.id) == actor.user_id).values(status))


async def change_password(actor: Actor, current: str, new: str) -> None:
    """Change the actor's password; every other session of theirs ends, at Supabase and here, in every tab.

    Raises Invalid, also for a wrong current password, Unauthorized and Unavailable.
    """
    current, new, token = _password(current), new_password(new), await access_token(actor)
    others = delete(Session).where(col(Session.user_id) == actor.user_id, col(Session.id_hash) != _key(actor))
    async with transaction(SYSTEM) as session:  # around the change: where it is refused, the others stay
        row = await session.get(Session, _key(actor), with_for_update=True)
        if row is None:  # signed out meanwhile
            raise Unauthorized
        await session.exec(others)
        async with attempts.guess(str(actor.user_id)):
            tokens = await auth.change_password(token, current, new)
        _renew(row, tokens)


async def open_session(tokens: auth.Tokens) -> str:
    """Begin a session; return a ticket to `redeem`."""
    value = secrets.token_urlsafe(32)
    row = Session(
        id_hash=sessions.hashed_ticket(value),
        user_id=tokens.user_id,
        expires_at=datetime.now(UTC) + TICKET_LASTS,  # lasting only once it is redeemed
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        access_expires_at=tokens.access_expires_at,
    )
    async with transaction(SYSTEM) as session:
        await session.exec(_expired())
        session.add(row)
    return value


def _expired() -> Delete:
    """Passes over what somebody else holds: two who sign in must not wait for each other, nor for a refresh."""
    some = select(Session.id_hash).where(col(Session.expires_at) <= func.now()).limit(EXPIRED_AT_ONCE)
    return delete(Session).where(col(Session.id_hash).in_(some.with_for_update(skip_locked=True)))


def _renew(row: Session, tokens: auth.Tokens) -> None:
    row.access_token, row.refresh_token = tokens.access_token, tokens.refresh_token
    row.access_expires_at, row.seen_at = tokens.access_expires_at, datetime.now(UTC)


_ending: set[asyncio.Task[None]] = set()
"""Sign-outs on their way to Supabase. The event loop alone would let them be collected."""


def _end_later(access_token: str, scope: Literal["local", "global"] = "local") -> None:
    """Supabase may take the client's whole timeout to answer: the person who signs out does not wait for it."""
    task = asyncio.create_task(_end_at_supabase(access_token, scope), name="sign-out")
    _ending.add(task)
    task.add_done_callback(_ending.discard)


async def _end_at_supabase(access_token: str, scope: Literal["local", "global"]) -> None:
    try:
        await auth.sign_out(access_token, scope)
    except ChatError as error:
        log.warning("Supabase was not told of a sign-out: %s", error.message)


def _key(actor: Actor) -> bytes:
    return bytes.fromhex(actor.session_id)


def _password(password: str) -> str:
    if not storable(password, "Password"):
        raise Invalid("Password is empty.")
    return password


def new_password(password: str) -> str:
    """Return a password that may be chosen. Raises Invalid."""
    if len(storable(password, "Password")) < PASSWORD_LEAST:
        raise Invalid(f"Password must be at least {PASSWORD_LEAST} characters.")
    if len(password.encode()) > PASSWORD_MOST:
        raise Invalid(f"Password must be at most {PASSWORD_MOST} bytes.")
    return password
