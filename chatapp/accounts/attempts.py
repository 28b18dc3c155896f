"""How often something may be tried on an account or an address, counted in the database for all backends together.

Supabase counts by the caller's network address, and everybody who signs in here calls from ours.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlmodel import func, select

from chatapp import settings
from chatapp.actor import SYSTEM
from chatapp.db import transaction
from chatapp.errors import Invalid

GUESSES = 10
"""Passwords tried on one account in an hour, right ones not counted."""
MAILS = 5
"""Mails asked for one address in an hour, whether or not it is anybody's."""
HOUR = timedelta(hours=1)
TOO_MANY_GUESSES = "Too many attempts. Please try again in an hour, or reset your password."
TOO_MANY_MAILS = "Too many emails were asked for at this address. Please try again in an hour."


@asynccontextmanager
async def guess(account: str) -> AsyncIterator[None]:
    """Around checking a password. Raises Invalid after too many wrong ones.

    Counted before the check, so that many at once are no way around it; a right password begins the count anew.
    """
    key = _key("guess", account)
    await _count(key, GUESSES, TOO_MANY_GUESSES)
    yield
    async with transaction(SYSTEM) as session:
        await session.exec(select(func.private.forget_attempts(key)))


async def mail(address: str) -> None:
    """Count a mail to an address. Raises Invalid when there were too many."""
    await _count(_key("mail", address), MAILS, TOO_MANY_MAILS)


async def _count(key: bytes, most: int, refusal: str) -> None:
    async with transaction(SYSTEM) as session:
        counted = await session.scalar(select(func.private.attempt(key, most, HOUR)))
    if not counted:
        raise Invalid(refusal, "too_many_attempts")


def _key(what: str, whom: str) -> bytes:
    """Addresses differ by more than case, but Auth takes none of them apart that does not."""
    secret = settings.current().supabase_secret_key.get_secret_value().encode()
    return hmac.new(secret, f"{what} {whom.strip().lower()}".encode(), hashlib.sha256).digest()
