"""Hashing passwords beside the event loop, and slowing down whoever guesses them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict, deque
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .errors import AuthError, invalid_input, weak_password

MIN_LENGTH = 6  # hosted default
MAX_BYTES = 72  # hosted limit (bcrypt's), kept so that a password accepted here is accepted there
GUESSES = 10  # wrong passwords an account may see …
WINDOW_SECONDS = 60.0  # … within this time
ACCOUNTS_WATCHED = 4096

# OWASP's argon2id profile (Password Storage Cheat Sheet): 19 MiB keep two at once small, ~20 ms each.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_two_at_once = asyncio.Semaphore(2)


def check_strength(password: object) -> str:
    """Return `password` if a hosted project would take it. Raises AuthError."""
    if not isinstance(password, str):
        raise invalid_input("Password must be a string")
    if len(password.encode()) > MAX_BYTES:
        raise invalid_input("Password cannot be longer than 72 characters")
    if len(password) < MIN_LENGTH:
        raise weak_password()
    return password


async def hash_password(password: str) -> str:
    """Return what is stored of a password (argon2id, PHC string)."""
    async with _two_at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(password: str, stored: str | None) -> bool:
    """Compare, and take as long when there is nothing stored: time must not tell who has an account."""
    async with _two_at_once:
        return await asyncio.to_thread(_matches, password, stored or _unmatchable()) and bool(stored)


@cache
def _unmatchable() -> str:
    """A hash to compare with when there is none."""
    return _hasher.hash(secrets.token_urlsafe())


def _matches(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeError):
        return False


class Guesses:
    """Recent wrong passwords per account. Bounded: the accounts quiet for longest are forgotten first."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, account: str) -> None:
        """Raise AuthError when `account` has seen too many wrong passwords lately."""
        times = self._times.get(account)
        if times and len(times) == GUESSES and time.monotonic() - times[0] < WINDOW_SECONDS:
            raise AuthError(429, "over_request_rate_limit", "Request rate limit reached")

    def wrong(self, account: str) -> None:
        self._times.setdefault(account, deque(maxlen=GUESSES)).append(time.monotonic())
        self._times.move_to_end(account)
        if len(self._times) > ACCOUNTS_WATCHED:
            self._times.popitem(last=False)

    def right(self, account: str) -> None:
        self._times.pop(account, None)
