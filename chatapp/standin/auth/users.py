"""Accounts: who there is, making one, changing one, and how the clients see one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from chatapp.standin.database import Connection, Row, every, one, only

from .errors import AuthError, invalid_input

EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@(?:[^\s@.\x00-\x1f\x7f]{1,63}\.)*[^\s@.\x00-\x1f\x7f]{1,63}")


def normal_email(value: object) -> str:
    """Return an address in the one form it is stored and compared in. Raises AuthError for what is none."""
    if not isinstance(value, str) or not value.strip():
        raise invalid_input("An email address is required")
    email = value.strip().lower()
    if len(email) > 255:
        raise invalid_input("An email address is too long")
    if not EMAIL.fullmatch(email):
        raise invalid_input("Unable to validate email address: invalid format")
    if email.endswith((".invalid", "@invalid")):
        raise AuthError(400, "email_address_invalid", f'Email address "{email}" is invalid')
    return email


def metadata(value: object, name: str = "data") -> dict[str, Any]:
    """Return a JSON object, an empty one for none. Raises AuthError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_input(f"{name} must be an object")
    return value


async def user_by_email(connection: Connection, email: str) -> Row | None:
    """Return the account of a normalised address."""
    return await one(
        connection,
        "select * from auth.users where email = %s and not is_sso_user and deleted_at is null",
        email,
    )


async def user_by_id(connection: Connection, user_id: object) -> Row | None:
    """Return an account; None for what is no id too."""
    uuid = as_uuid(user_id)
    return await one(connection, "select * from auth.users where id = %s", uuid) if uuid else None


def as_uuid(value: object) -> UUID | None:
    """Return `value` as a UUID, None for what is none."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


async def add_user(
    connection: Connection,
    email: str,
    password_hash: str | None,
    user_data: dict[str, Any],
    app_data: dict[str, Any] | None = None,
    *,
    user_id: UUID | None = None,
    role: str = "authenticated",
    confirmed: bool = True,
) -> Row:
    """Make an account and its e-mail identity. Raises AuthError when the address is taken."""
    try:
        user = await only(
            connection,
            """insert into auth.users (id, instance_id, aud, role, email, encrypted_password,
                 email_confirmed_at, raw_app_meta_data, raw_user_meta_data, is_super_admin)
               values (coalesce(%s, gen_random_uuid()), '00000000-0000-0000-0000-000000000000',
                 'authenticated', %s, %s, %s, case when %s then now() end, %s, %s, false)
               returning *""",
            user_id,
            role,
            email,
            password_hash,
            confirmed,
            Jsonb({"provider": "email", "providers": ["email"], **(app_data or {})}),
            Jsonb(user_data),
        )
    except UniqueViolation as error:
        raise AuthError(422, "user_already_exists", "User already registered") from error
    await _tell_identity(connection, user)
    return user


async def add_anonymous_user(connection: Connection, user_data: dict[str, Any]) -> Row:
    """Make an account without address, password or identity; an address makes it a permanent one later."""
    return await only(
        connection,
        """insert into auth.users (instance_id, aud, role, raw_app_meta_data, raw_user_meta_data, is_super_admin,
             is_anonymous)
           values ('00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', %s, %s, false, true)
           returning *""",
        Jsonb({}),
        Jsonb(user_data),
    )


async def confirm_email(connection: Connection, user: Row) -> Row:
    """Count the address of an account as its owner's. An anonymous account becomes a permanent one."""
    told = {"email_verified": True} if not user["is_anonymous"] else {}
    user = await change_user(
        connection,
        user["id"],
        email_confirmed_at=datetime.now(UTC),
        is_anonymous=False,
        raw_app_meta_data=Jsonb({"provider": "email", "providers": ["email"], **(user["raw_app_meta_data"] or {})}),
        raw_user_meta_data=merged(user["raw_user_meta_data"], told),
    )
    await _tell_identity(connection, user)
    return user


async def _tell_identity(connection: Connection, user: Row) -> None:
    """Make the e-mail identity of an account, or bring it up to date."""
    await connection.execute(
        """insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at)
           values (%s, %s, %s, 'email', now())
           on conflict (provider_id, provider) do update
           set identity_data = auth.identities.identity_data || excluded.identity_data, updated_at = now()""",
        (str(user["id"]), user["id"], Jsonb(email_claims(user))),
    )


def email_claims(user: Row) -> dict[str, Any]:
    """Return what an e-mail identity says of its user."""
    verified = user["email_confirmed_at"] is not None
    return {
        "sub": str(user["id"]),
        "email": user["email"],
        "email_verified": verified,
        "phone_verified": False,
    }


async def change_user(connection: Connection, user_id: object, **columns: object) -> Row:
    """Set columns of an account. Raises AuthError when its new address is taken."""
    assignments = ", ".join(f"{name} = %s" for name in [*columns, "updated_at"])
    try:
        user = await only(
            connection,
            f"update auth.users set {assignments.removesuffix('%s')}now() where id = %s returning *",  # noqa: S608 - our own names
            *columns.values(),
            user_id,
        )
    except UniqueViolation as error:
        raise AuthError(422, "email_exists", "A user with this email address has already been registered") from error
    if columns.get("email"):
        await _tell_identity(connection, user)
    return user


def merged(stored: dict[str, Any] | None, change: dict[str, Any]) -> Jsonb:
    """Return metadata with `change` laid over it; a null takes a key away."""
    return Jsonb({key: value for key, value in {**(stored or {}), **change}.items() if value is not None})


async def as_json(connection: Connection, user: Row) -> dict[str, Any]:
    """Return an account the way the clients read it: times in ISO 8601, what is not set left out."""
    identities = await every(
        connection, "select * from auth.identities where user_id = %s order by created_at", user["id"]
    )
    return user_json(user, identities)


def user_json(user: Row, identities: list[Row]) -> dict[str, Any]:
    """Return an account and its identities the way the clients read them."""
    times = (
        "email_confirmed_at",
        "confirmed_at",
        "last_sign_in_at",
        "banned_until",
        "invited_at",
        "deleted_at",
        "confirmation_sent_at",
        "recovery_sent_at",
        "email_change_sent_at",
        "reauthentication_sent_at",
    )
    return {
        "id": str(user["id"]),
        "aud": user["aud"],
        "role": user["role"],
        "email": user["email"] or "",
        "phone": user["phone"] or "",
        **({"new_email": user["email_change"]} if user["email_change"] else {}),
        **{name: iso(user[name]) for name in times if user[name]},
        "app_metadata": user["raw_app_meta_data"] or {},
        "user_metadata": user["raw_user_meta_data"] or {},
        "identities": [_identity_json(identity) for identity in identities],
        "created_at": iso(user["created_at"]),
        "updated_at": iso(user["updated_at"]),
        "is_anonymous": user["is_anonymous"],
    }


def _identity_json(identity: Row) -> dict[str, Any]:
    return {
        "identity_id": str(identity["id"]),
        "id": identity["provider_id"],
        "user_id": str(identity["user_id"]),
        "identity_data": identity["identity_data"],
        "provider": identity["provider"],
        "last_sign_in_at": iso(identity["last_sign_in_at"]),
        "created_at": iso(identity["created_at"]),
        "updated_at": iso(identity["updated_at"]),
        "email": identity["email"],
    }


def iso(moment: datetime | None) -> str | None:
    """Return a moment as ISO 8601 in UTC."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None
