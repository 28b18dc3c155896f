"""Managing accounts with the secret key: `/auth/v1/admin/users`."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp.standin.database import Connection, Row, every, one

from .errors import AuthError, invalid_input, not_in_standin
from .passwords import check_strength, hash_password
from .service import Auth, body_of
from .sessions import end_sessions
from .users import (
    add_user,
    as_json,
    as_uuid,
    change_user,
    merged,
    metadata,
    normal_email,
    user_by_id,
    user_json,
)

MAX_PAGE = 1000
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


async def add(auth: Auth, request: Request) -> dict[str, Any]:
    """Make an account; it can sign in once its address is confirmed, at once with `email_confirm`."""
    auth.require_service_role(request)
    body = await body_of(request)
    if body.get("phone"):
        raise not_in_standin("phone numbers")
    email = normal_email(body.get("email"))
    hashed = await _hashed(body)
    user_id = _given_id(body)
    confirmed = bool(body.get("email_confirm"))
    verified = {"email_verified": True} if confirmed else {}
    told = {**verified, **metadata(body.get("user_metadata"), "user_metadata")}
    async with auth.database.transaction() as connection:
        user = await add_user(
            connection,
            email,
            hashed,
            told,
            metadata(body.get("app_metadata"), "app_metadata"),
            user_id=user_id,
            role=str(body.get("role") or "authenticated"),
            confirmed=confirmed,
        )
        user = await change_user(connection, user["id"], **_ban(body))
        return await as_json(connection, user)


async def list_users(auth: Auth, request: Request) -> Response:
    """Return a page of accounts, newest first, as hosted."""
    auth.require_service_role(request)
    page, size = _number(request, "page", 1), min(_number(request, "per_page", 50), MAX_PAGE)
    async with auth.database.transaction() as connection:
        users = await every(
            connection,
            "select * from auth.users order by created_at desc, id limit %s offset %s",
            size,
            (page - 1) * size,
        )
        identities = await _identities(connection, users)
        total = await one(connection, "select count(*) as n from auth.users")
    listed = [user_json(user, identities.get(user["id"], [])) for user in users]
    count = total["n"] if total else 0
    return JSONResponse({"users": listed, "aud": "authenticated"}, headers=_pages(request, page, size, count))


def _pages(request: Request, page: int, size: int, count: int) -> dict[str, str]:
    """Return the headers a client turns pages by."""
    last = max(1, -(-count // size))
    steps = {**({"next": page + 1} if page < last else {}), "last": last}
    links = [f'<{request.url.path}?page={number}&per_page={size}>; rel="{name}"' for name, number in steps.items()]
    return {"x-total-count": str(count), "link": ", ".join(links)}


async def get(auth: Auth, request: Request) -> dict[str, Any]:
    """Return one account."""
    auth.require_service_role(request)
    async with auth.database.transaction() as connection:
        return await as_json(connection, await _named(connection, request))


async def change(auth: Auth, request: Request) -> dict[str, Any]:
    """Change any account: address, password, role, metadata, ban."""
    auth.require_service_role(request)
    body = await body_of(request)
    hashed = await _hashed(body)
    async with auth.database.transaction() as connection:
        user = await _named(connection, request)
        user = await change_user(connection, user["id"], **_columns(user, body, hashed))
        return await as_json(connection, user)


async def delete(auth: Auth, request: Request) -> dict[str, Any]:
    """Delete an account, and with it its sessions; a soft deletion keeps its id and makes its address unreadable."""
    auth.require_service_role(request)
    soft = bool((await body_of(request)).get("should_soft_delete"))
    async with auth.database.transaction() as connection:
        user = await _named(connection, request)
        if soft:
            await _soften(connection, user)
        else:
            await connection.execute("delete from auth.users where id = %s", (user["id"],))
    return {}


async def _soften(connection: Connection, user: Row) -> None:
    hidden = hashlib.sha256(f"{user['id']}{user['email']}".encode()).hexdigest()
    await connection.execute("delete from auth.identities where user_id = %s", (user["id"],))
    await connection.execute("delete from auth.one_time_tokens where user_id = %s", (user["id"],))
    await end_sessions(connection, user["id"], None, "global")
    await connection.execute(
        """update auth.users set email = %s, encrypted_password = '', raw_user_meta_data = '{}',
             raw_app_meta_data = '{}', email_change = '', deleted_at = now(), updated_at = now() where id = %s""",
        (hidden, user["id"]),
    )


async def factors(auth: Auth, request: Request) -> Response:
    """Nobody has a second factor here."""
    auth.require_service_role(request)
    return JSONResponse([])


def _columns(user: Row, body: dict[str, Any], hashed: str | None) -> dict[str, Any]:
    columns: dict[str, Any] = {"encrypted_password": hashed} if hashed else {}
    if body.get("email"):
        columns["email"] = normal_email(body["email"])
    if body.get("role"):
        columns["role"] = str(body["role"])
    if body.get("email_confirm") and not user["email_confirmed_at"]:
        columns["email_confirmed_at"] = datetime.now(UTC)
    columns |= _ban(body)
    for name, column in (("user_metadata", "raw_user_meta_data"), ("app_metadata", "raw_app_meta_data")):
        if body.get(name) is not None:
            columns[column] = merged(user[column], metadata(body[name], name))
    return columns


def _ban(body: dict[str, Any]) -> dict[str, Any]:
    return {"banned_until": _ban_end(str(body["ban_duration"]))} if body.get("ban_duration") else {}


def _ban_end(duration: str) -> datetime | None:
    """Return when a ban of a Go duration such as `1h30m` ends; None lifts it. Raises AuthError."""
    if duration == "none":
        return None
    parts = DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise invalid_input("invalid format for ban duration")
    return datetime.now(UTC) + timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))


async def _hashed(body: dict[str, Any]) -> str | None:
    if body.get("password_hash"):
        raise invalid_input("The stand-in takes no password_hash: give a password")
    return await hash_password(check_strength(body["password"])) if body.get("password") else None


def _given_id(body: dict[str, Any]) -> Any:
    if body.get("id") and as_uuid(body["id"]) is None:
        raise invalid_input("ID must conform to the uuid v4 format")
    return as_uuid(body["id"]) if body.get("id") else None


async def _named(connection: Connection, request: Request) -> Row:
    if as_uuid(request.path_params["user_id"]) is None:
        raise AuthError(404, "validation_failed", "user_id must be an UUID")
    user = await user_by_id(connection, request.path_params["user_id"])
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")
    return user


async def _identities(connection: Connection, users: list[Row]) -> dict[object, list[Row]]:
    """Return the identities of many users in one query."""
    rows = await every(
        connection,
        "select * from auth.identities where user_id = any(%s) order by created_at",
        [user["id"] for user in users],
    )
    found: dict[object, list[Row]] = {}
    for row in rows:
        found.setdefault(row["user_id"], []).append(row)
    return found


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name) or str(default)
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 1_000_000_000:
        raise invalid_input(f"Bad Pagination Parameters: {name} must be a positive number")
    return int(value)
