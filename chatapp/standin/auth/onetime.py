"""Codes and links that work once, for an hour."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass

from chatapp.standin.database import Connection, Row, every, one

LIFETIME_SECONDS = 3600  # hosted default
PKCE_PREFIX = "pkce_"  # a link of a code exchange is told apart by it

CONFIRMATION, RECOVERY, REAUTHENTICATION = "confirmation_token", "recovery_token", "reauthentication_token"
EMAIL_NEW, EMAIL_CURRENT = "email_change_token_new", "email_change_token_current"


@dataclass(frozen=True)
class Secret:
    """What goes into a mail: digits to type, and the hash that a link carries."""

    code: str
    hash: str


async def issue(connection: Connection, user: Row, kind: str, email: str, *, pkce: bool = False) -> Secret:
    """Make a code for `email`. One of a kind and user is valid: an older one ends."""
    code, token_id = f"{secrets.randbelow(1_000_000):06}", uuid.uuid4()
    hashed = f"{PKCE_PREFIX if pkce else ''}{_hash(token_id, email, code)}"
    await connection.execute(
        "delete from auth.one_time_tokens where user_id = %s and token_type = %s::auth.one_time_token_type",
        (user["id"], kind),
    )
    await connection.execute(
        """insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
           values (%s, %s, %s, %s, %s)""",
        (token_id, user["id"], kind, hashed, email),
    )
    return Secret(code, hashed)


async def take_code(connection: Connection, kinds: list[str], email: str, code: str) -> Row | None:
    """Return the token that `code` from a mail to `email` stands for, and use it up; None when there is none."""
    tokens = await every(
        connection,
        f"select * from auth.one_time_tokens where relates_to = %s and {_VALID}",  # noqa: S608 - our own text
        email,
        kinds,
        LIFETIME_SECONDS,
    )
    for token in tokens:
        stored = token["token_hash"].removeprefix(PKCE_PREFIX)
        if hmac.compare_digest(stored, _hash(token["id"], email, code)):
            return await _use(connection, token)
    return None


async def take_hash(connection: Connection, kinds: list[str], hashed: str) -> Row | None:
    """Return the token a link carries, and use it up; None when there is none."""
    token = await one(
        connection,
        f"select * from auth.one_time_tokens where token_hash = %s and {_VALID}",  # noqa: S608 - our own text
        hashed,
        kinds,
        LIFETIME_SECONDS,
    )
    return await _use(connection, token) if token else None


_VALID = """token_type::text = any(%s)
  and created_at + make_interval(secs => %s) > now()::timestamp for update"""


async def _use(connection: Connection, token: Row) -> Row:
    await connection.execute("delete from auth.one_time_tokens where id = %s", (token["id"],))
    return token


def _hash(token_id: uuid.UUID, email: str, code: str) -> str:
    """The id is random and told nobody: a link cannot be guessed by trying a million codes."""
    return hashlib.sha224(f"{token_id}{email}{code}".encode()).hexdigest()
