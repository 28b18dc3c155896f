"""Sessions: access tokens that live an hour, and refresh tokens that rotate."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from chatapp.standin.database import Connection, Row, every, one, only
from chatapp.standin.keys import Keys

from .errors import AuthError
from .users import as_json, as_uuid, change_user, user_by_id

LIFETIME_SECONDS = 3600  # hosted default
REUSE_SECONDS = 10  # hosted default: a client that lost our answer may ask again


async def open_session(
    connection: Connection, keys: Keys, user: Row, agent: str | None, method: str = "password"
) -> dict[str, Any]:
    """Sign `user` in, by `method`, and return what the clients store."""
    user = await change_user(connection, user["id"], last_sign_in_at=datetime.now(UTC))
    session = await only(
        connection,
        "insert into auth.sessions (user_id, user_agent) values (%s, %s) returning *",
        user["id"],
        agent,
    )
    await connection.execute(
        "insert into auth.mfa_amr_claims (session_id, authentication_method) values (%s, %s)", (session["id"], method)
    )
    return await _grant(connection, keys, user, session, await _new_token(connection, session))


async def refresh_session(connection: Connection, keys: Keys, token: object) -> dict[str, Any] | AuthError:
    """Trade a refresh token for a new pair.

    A token that was used before is a stolen one, or one whose answer got lost. The latter is believed for
    10 s, and for as long as its successor is unused; otherwise the whole session ends. That end has to be
    committed, so the refusal is *returned* in this one case; every other refusal is raised.
    """
    stored = await _locked(connection, token)
    session = await one(connection, "select * from auth.sessions where id = %s", stored["session_id"])
    user = await user_by_id(connection, stored["user_id"])
    if session is None or user is None:
        raise AuthError(400, "session_not_found", "Invalid Refresh Token: Session Not Found")
    check_banned(user)
    current = await _current(connection, stored) if stored["revoked"] else await _rotated(connection, stored)
    if current is None:
        await connection.execute("delete from auth.sessions where id = %s", (session["id"],))
        return AuthError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
    return await _grant(connection, keys, user, session, current)


async def live_session(connection: Connection, claims: dict[str, Any]) -> Row:
    """Return the user of an access token whose session was not ended. Raises AuthError."""
    session_id = as_uuid(claims.get("session_id"))
    session = await one(connection, "select * from auth.sessions where id = %s", session_id)
    if session is None:
        raise AuthError(403, "session_not_found", "Session from session_id claim in JWT does not exist")
    user = await user_by_id(connection, claims["sub"])
    if user is None or user["id"] != session["user_id"]:
        raise AuthError(403, "user_not_found", "User from sub claim in JWT does not exist")
    return user


async def end_sessions(connection: Connection, user_id: object, session_id: object, scope: str) -> None:
    """Sign out: `global` everywhere, `local` here, `others` everywhere but here."""
    which = {"global": "", "local": "and id = %(id)s", "others": "and id <> %(id)s"}[scope]
    await connection.execute(
        f"delete from auth.sessions where user_id = %(user)s {which}",  # noqa: S608 - one of three constants
        {"user": user_id, "id": session_id},
    )


def check_banned(user: Row) -> None:
    """Raise AuthError while an account is banned."""
    if user["banned_until"] and user["banned_until"].timestamp() > time.time():
        raise AuthError(400, "user_banned", "User is banned")


async def _locked(connection: Connection, token: object) -> Row:
    """Return the stored token, its row locked: of two refreshes at once the second must see the first."""
    stored = await one(connection, "select * from auth.refresh_tokens where token = %s for update", str(token))
    if stored is None:
        raise AuthError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
    return stored


async def _rotated(connection: Connection, stored: Row) -> Row:
    await connection.execute(
        "update auth.refresh_tokens set revoked = true, updated_at = now() where id = %s", (stored["id"],)
    )
    await connection.execute(
        "update auth.sessions set refreshed_at = now(), updated_at = now() where id = %s",
        (stored["session_id"],),
    )
    return await _new_token(
        connection, {"id": stored["session_id"], "user_id": stored["user_id"]}, parent=stored["token"]
    )


async def _current(connection: Connection, used: Row) -> Row | None:
    """Return the session's unused token if presenting `used` once more can be forgiven."""
    return await one(
        connection,
        """select * from auth.refresh_tokens
           where session_id = %s and not revoked
             and (parent = %s or %s + make_interval(secs => %s) > now())
           order by id desc limit 1""",
        used["session_id"],
        used["token"],
        used["updated_at"],
        REUSE_SECONDS,
    )


async def _new_token(connection: Connection, session: Row, parent: str | None = None) -> Row:
    return await only(
        connection,
        """insert into auth.refresh_tokens (token, user_id, session_id, parent, revoked)
           values (%s, %s, %s, %s, false) returning *""",
        secrets.token_urlsafe(16),
        str(session["user_id"]),
        session["id"],
        parent,
    )


async def _grant(connection: Connection, keys: Keys, user: Row, session: Row, refresh_token: Row) -> dict[str, Any]:
    now = int(time.time())
    methods = await every(connection, "select * from auth.mfa_amr_claims where session_id = %s", session["id"])
    return {
        "access_token": keys.sign(_claims(keys, user, session, methods, now)),
        "token_type": "bearer",
        "expires_in": LIFETIME_SECONDS,
        "expires_at": now + LIFETIME_SECONDS,
        "refresh_token": refresh_token["token"],
        "user": await as_json(connection, user),
    }


def _claims(keys: Keys, user: Row, session: Row, methods: list[Row], now: int) -> dict[str, Any]:
    return {
        "iss": keys.issuer,
        "sub": str(user["id"]),
        "aud": user["aud"],
        "exp": now + LIFETIME_SECONDS,
        "iat": now,
        "email": user["email"] or "",
        "phone": user["phone"] or "",
        "app_metadata": user["raw_app_meta_data"] or {},
        "user_metadata": user["raw_user_meta_data"] or {},
        "role": user["role"],
        "aal": session["aal"],
        "amr": [_method(each["authentication_method"], each["created_at"]) for each in methods]
        or [_method("password", session["created_at"])],  # a session from before methods were noted
        "session_id": str(session["id"]),
        "is_anonymous": user["is_anonymous"],
    }


def _method(name: str, since: datetime) -> dict[str, Any]:
    return {"method": name, "timestamp": int(since.timestamp())}
