"""What a mail's code or link does: `POST /verify` for codes and hashes, `GET /verify` for links a browser opens."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse

from chatapp.standin.database import Connection, Row, one

from .errors import AuthError, invalid_input
from .flows import issue_code
from .onetime import CONFIRMATION, EMAIL_CURRENT, EMAIL_NEW, PKCE_PREFIX, RECOVERY, take_code, take_hash
from .service import Auth, body_of, redirect_of
from .sessions import check_banned, open_session
from .users import change_user, confirm_email, normal_email, user_by_id

KINDS = {
    "signup": [CONFIRMATION],
    "invite": [CONFIRMATION],
    "magiclink": [RECOVERY],
    "recovery": [RECOVERY],
    "email": [CONFIRMATION, RECOVERY],
    "email_change": [EMAIL_NEW, EMAIL_CURRENT],
}
HALF_DONE = "Confirmation link accepted. Please proceed to confirm link sent to the other email"


async def verify(auth: Auth, request: Request) -> dict[str, Any]:
    """Trade a code, or the hash from a link, for a session."""
    body = await body_of(request)
    if body.get("type") in BY_PHONE and body.get("phone"):
        raise _never_sent(body["phone"])
    kind = _kind(body)
    email = None if body.get("token_hash") else normal_email(body.get("email"))
    if email:
        auth.guesses.check(f"code {email}")
    async with auth.database.transaction() as connection:
        token = await _given(connection, body, kind, email)
        answer = await _session(auth, connection, token, request) if token else None
    if answer is None:
        if email:
            auth.guesses.wrong(f"code {email}")
        told = "Token has expired or is invalid" if email else "Email link is invalid or has expired"
        raise AuthError(403, "otp_expired", told)
    return answer


BY_PHONE = ("sms", "phone_change")


def _never_sent(phone: object) -> AuthError:
    """No code ever goes to a phone from here, so none fits; a hosted project that sent none says the same."""
    if not re.fullmatch(r"\+?[1-9]\d{1,14}", str(phone)):
        return AuthError(400, "validation_failed", "Invalid phone number format (E.164 required)")
    return AuthError(403, "otp_expired", "Token has expired or is invalid")


async def open_link(auth: Auth, request: Request) -> RedirectResponse:
    """Do what a link says and lead on to the application, with the session, a code to exchange, or the refusal."""
    where, hashed = redirect_of(auth, request), request.query_params.get("token", "")
    pkce = hashed.startswith(PKCE_PREFIX)
    try:
        told = await _opened(auth, request, hashed, pkce=pkce)
    except AuthError as error:
        told = {"error": "access_denied", "error_code": error.code, "error_description": error.message}
        return RedirectResponse(_with(_with(where, told, "query"), told, "fragment"), 303)
    return RedirectResponse(_with(where, told, "query" if pkce else "fragment"), 303)


async def _opened(auth: Auth, request: Request, hashed: str, *, pkce: bool) -> dict[str, Any]:
    kind = request.query_params.get("type", "")
    if kind not in KINDS:
        raise invalid_input("Verify requires a verification type")
    async with auth.database.transaction() as connection:
        token = await take_hash(connection, KINDS[kind], hashed)
        if token is None:
            raise AuthError(403, "otp_expired", "Email link is invalid or has expired")
        user = await _confirmed(connection, token)
        if user is None:
            return {"message": HALF_DONE}
        if pkce:
            return {"code": await issue_code(connection, user)}
        session = await open_session(connection, auth.keys, user, request.headers.get("user-agent"), "otp")
    return {**{name: session[name] for name in _IN_LINK}, "type": kind}


_IN_LINK = ("access_token", "expires_at", "expires_in", "refresh_token", "token_type")


def _with(address: str, told: dict[str, Any], part: str) -> str:
    parts = urlsplit(address)
    if part == "fragment":
        return urlunsplit(parts._replace(fragment=urlencode(told)))
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(told)]))))


def _kind(body: dict[str, Any]) -> str:
    kind = body.get("type")
    if not body.get("token") and not body.get("token_hash"):
        raise invalid_input("Verify requires either a token or a token hash")
    if not isinstance(kind, str) or kind not in KINDS:
        raise invalid_input("Verify requires a verification type")
    if body.get("token_hash") and (body.get("token") or body.get("email") or body.get("phone")):
        raise invalid_input("Only the token_hash and type should be provided")
    return kind


async def _given(connection: Connection, body: dict[str, Any], kind: str, email: str | None) -> Row | None:
    if email is None:
        return await take_hash(connection, KINDS[kind], str(body["token_hash"]))
    return await take_code(connection, KINDS[kind], email, str(body["token"]).replace("-", ""))


async def _session(auth: Auth, connection: Connection, token: Row, request: Request) -> dict[str, Any]:
    user = await _confirmed(connection, token)
    if user is None:
        return {"msg": HALF_DONE, "code": "200"}
    return await open_session(connection, auth.keys, user, request.headers.get("user-agent"), "otp")


async def _confirmed(connection: Connection, token: Row) -> Row | None:
    """Return whom a used token signs in; None when a change of address wants its second half."""
    user = await user_by_id(connection, token["user_id"])
    if user is None:
        raise AuthError(403, "otp_expired", "Email link is invalid or has expired")
    check_banned(user)
    if token["token_type"] in (EMAIL_NEW, EMAIL_CURRENT):
        return await _changed_address(connection, user)
    return user if user["email_confirmed_at"] else await confirm_email(connection, user)


async def _changed_address(connection: Connection, user: Row) -> Row | None:
    waiting = await one(
        connection,
        "select 1 from auth.one_time_tokens where user_id = %s and token_type::text = any(%s) limit 1",
        user["id"],
        [EMAIL_NEW, EMAIL_CURRENT],
    )
    if waiting and user["email_change_confirm_status"] == 0:
        await change_user(connection, user["id"], email_change_confirm_status=1)
        return None
    user = await change_user(
        connection, user["id"], email=user["email_change"], email_change="", email_change_confirm_status=0
    )
    return await confirm_email(connection, user)
