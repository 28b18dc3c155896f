"""Who a session cookie belongs to, remembered for seconds so that not every handler costs a query."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict

from chatapp.accounts import queries
from chatapp.actor import Actor

REMEMBER = 10.0
"""Seconds that an answer is reused. A sign-out is known at once by its hint; this bounds a lost one."""

LIMIT = 10_000
"""Answers kept at most; the least recently used go first."""

_known: OrderedDict[bytes, tuple[float, Actor | None]] = OrderedDict()


def hashed(value: str) -> bytes:
    """A session's key: only the hash of a cookie's value is ever stored or remembered."""
    return hashlib.sha256(value.encode(errors="replace")).digest()


async def resolve(value: str) -> Actor | None:
    """The actor of a session cookie's value, None for an unknown or ended session. Raises Unavailable."""
    key = hashed(value)
    until, found = _known.get(key, (0.0, None))
    if until < time.monotonic():
        found = await queries.actor_of(key)
        _remember(key, found)
    return found


def forget(session_id: str) -> None:
    """Ask the database again at the next call: the session has ended."""
    _known.pop(bytes.fromhex(session_id), None)


def _remember(key: bytes, found: Actor | None) -> None:
    _known[key] = (time.monotonic() + REMEMBER, found)
    _known.move_to_end(key)
    while len(_known) > LIMIT:
        _known.popitem(last=False)
