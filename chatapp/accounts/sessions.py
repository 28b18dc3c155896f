"""Who a session cookie belongs to, remembered for seconds so that not every handler costs a query."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from chatapp.accounts import queries
from chatapp.actor import Actor

REMEMBER = 10.0
"""Seconds that an answer is reused. A sign-out is known at once by its hint; this bounds a lost one."""

LIMIT = 10_000
"""Answers kept at most, and ended sessions; the oldest go first."""

_known: OrderedDict[bytes, tuple[float, Actor | None]] = OrderedDict()
_ended: OrderedDict[bytes, None] = OrderedDict()


def hashed(value: str) -> bytes:
    """A session's key: only the hash of a cookie's value is ever stored or remembered."""
    return hashlib.sha256(_bytes(value)).digest()


def hashed_ticket(value: str) -> bytes:
    """The key of a session that waits for its ticket, and which no cookie has.

    A cookie may hold any text, so what sets tickets apart must be no text: 0xff is in nothing that is UTF-8.
    """
    return hashlib.sha256(b"ticket\xff" + _bytes(value)).digest()


def hashed_reset(value: str) -> bytes:
    """The key of a session that may do one thing, choose another password; no cookie or ticket has it either."""
    return hashlib.sha256(b"reset\xff" + _bytes(value)).digest()


async def resolve(value: str) -> Actor | None:
    """The actor of a session cookie's value, None for an unknown or ended session. Raises Unavailable."""
    key = hashed(value)
    until, found = _known.get(key, (0.0, None))
    if until < time.monotonic() and key not in _ended:
        found = await queries.actor_of(key)
        _keep(_known, key, (time.monotonic() + REMEMBER, found))
    return None if key in _ended else found  # it may have ended while the database was answering


def forget(session_id: str) -> None:
    """A session has ended, and never returns: its id comes from a random value."""
    key = bytes.fromhex(session_id)
    _keep(_ended, key, None)
    _known.pop(key, None)


def ended(session_id: str) -> bool:
    """Whether this process knows that a session has ended. A look-up, for whoever has waited since the gate."""
    return bytes.fromhex(session_id) in _ended


async def open_ids(session_ids: Iterable[str]) -> set[str]:
    """Which of these sessions are there and have not expired, asked of the database. Raises Unavailable."""
    found = await queries.open_sessions([bytes.fromhex(session_id) for session_id in session_ids])
    return {key.hex() for key in found if key not in _ended}


def _bytes(value: str) -> bytes:
    return value.encode(errors="replace")


def _keep(kept: OrderedDict[bytes, Any], key: bytes, value: object) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > LIMIT:
        kept.popitem(last=False)
