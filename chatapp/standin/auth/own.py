"""One's own account: `/auth/v1/user`."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from chatapp.standin.database import Connection, Row, one
from chatapp.standin.outbox import Mail

from .errors import AuthError, not_in_standin
from .flows import start_flow
from .mail import write_email_change
from .onetime import REAUTHENTICATION, take_code
from .passwords import check_strength, hash_password, matches
from .service import Auth, body_of, redirect_of
from .sessions import end_sessions, live_session
from .users import as_json, change_user, confirm_email, merged, metadata, normal_email, user_by_email

NO_ADDRESS = "Updating password of an anonymous user without an email is not allowed"


async def get_user(auth: Auth, request: Request) -> dict[str, Any]:
    """Return who is signed in."""
    claims = auth.user_claims(request)
    async with auth.database.transaction() as connection:
        return await as_json(connection, await live_session(connection, claims))


async def update_user(auth: Auth, request: Request) -> dict[str, Any]:
    """Change one's own metadata, password or address; a new password ends every other session, and a new address counts
    once mails to it and to the old one were answered.
    """
    claims, body = auth.user_claims(request), await body_of(request)
    async with auth.database.transaction() as connection:
        user = await live_session(connection, claims)
        await _check_reauthentication(auth, connection, user, claims, body)
    change, new = await _changes(user, body), _new_address(user, body)
    if new:
        auth.rates.mail(new)
    async with auth.database.transaction() as connection:
        user = await change_user(connection, user["id"], **change)
        mails = await _readdress(auth, connection, user, new, request=request, body=body) if new else []
        if "encrypted_password" in change:
            await end_sessions(connection, user["id"], claims["session_id"], "others")
        answer = await as_json(connection, await change_user(connection, user["id"]))
    for mail in mails:
        auth.outbox.add(mail)
    return answer


async def _check_reauthentication(
    auth: Auth, connection: Connection, user: Row, claims: dict[str, Any], body: dict[str, Any]
) -> None:
    """Where it is asked for: an old session changes the password only with a code from a mail. Raises AuthError."""
    if not auth.options.reauthenticate or body.get("password") is None or not user["email"]:
        return
    session = await one(
        connection,
        "select created_at > now() - interval '1 day' as young from auth.sessions where id = %s",
        claims["session_id"],
    )
    if session and session["young"]:
        return
    if not body.get("nonce"):
        raise AuthError(400, "reauthentication_needed", "Password update requires reauthentication")
    auth.guesses.check(f"code {user['email']}")
    if not await take_code(connection, [REAUTHENTICATION], user["email"], str(body["nonce"])):
        auth.guesses.wrong(f"code {user['email']}")
        raise AuthError(422, "reauthentication_not_valid", "Nonce has expired or is invalid")


def _new_address(user: Row, body: dict[str, Any]) -> str | None:
    email = normal_email(body["email"]) if body.get("email") else None
    return email if email != user["email"] else None


async def _readdress(
    auth: Auth, connection: Connection, user: Row, new: str, *, request: Request, body: dict[str, Any]
) -> list[Mail]:
    """Write the mails a new address takes. Anonymous people get theirs at once, as they would at a sign-up."""
    if await user_by_email(connection, new):
        raise AuthError(422, "email_exists", "A user with this email address has already been registered")
    if user["is_anonymous"] and not auth.options.confirm_email:
        await confirm_email(connection, await change_user(connection, user["id"], email=new))
        return []
    pkce = await start_flow(connection, user, body, "email_change")
    return await write_email_change(auth, connection, user, new, redirect_of(auth, request, body), pkce=pkce)


async def _changes(user: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    change: dict[str, Any] = {}
    if "data" in body and body["data"] is not None:
        change["raw_user_meta_data"] = merged(user["raw_user_meta_data"], metadata(body["data"]))
    if body.get("phone"):
        raise not_in_standin("phone numbers")
    if body.get("password") is not None:
        if user["is_anonymous"] and not body.get("email"):
            raise AuthError(422, "validation_failed", NO_ADDRESS)
        change["encrypted_password"] = await _new_password(user, body["password"])
    return change


async def _new_password(user: dict[str, Any], password: object) -> str:
    accepted = check_strength(password)
    if await matches(accepted, user["encrypted_password"]):
        raise AuthError(422, "same_password", "New password should be different from the old password.")
    return await hash_password(accepted)
