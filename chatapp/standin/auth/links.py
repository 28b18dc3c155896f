"""What asks for a mail: recovery, sign-in by code or link, resending, reauthentication, invitation; and links
that an administrator has made.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from chatapp.standin.database import Connection, Row
from chatapp.standin.outbox import Mail

from . import onetime
from .errors import AuthError, invalid_input, not_in_standin
from .flows import start_flow
from .mail import write, write_email_change
from .passwords import check_strength, hash_password
from .service import Auth, body_of, redirect_of
from .sessions import live_session
from .users import add_user, as_json, change_user, metadata, normal_email, user_by_email


async def recover(auth: Auth, request: Request) -> dict[str, Any]:
    """Mail a link that signs in, to choose a new password. Tells nobody whether the address is known."""
    body = await body_of(request)
    email = normal_email(body.get("email"))
    auth.rates.mail(email)
    async with auth.database.transaction() as connection:
        user = await user_by_email(connection, email)
        mail = await _link(auth, connection, user, "recovery", request=request, body=body) if user else None
    _send(auth, mail)
    return {}


async def otp(auth: Auth, request: Request) -> dict[str, Any]:
    """Mail a code and a link that sign in; makes the account unless `create_user` is false."""
    body = await body_of(request)
    if body.get("phone"):
        raise not_in_standin("text messages")
    email = normal_email(body.get("email"))
    auth.rates.mail(email)
    async with auth.database.transaction() as connection:
        user = await user_by_email(connection, email)
        if user is None and body.get("create_user") is False:
            raise AuthError(422, "otp_disabled", "Signups not allowed for otp")
        kind = "magiclink" if user or not auth.options.confirm_email else "signup"
        user = user or await _newcomer(auth, connection, email, body)
        mail = await _link(auth, connection, user, kind, request=request, body=body)
    _send(auth, mail)
    return {}


async def magiclink(auth: Auth, request: Request) -> dict[str, Any]:
    """The older name of `otp`."""
    return await otp(auth, request)


async def resend(auth: Auth, request: Request) -> dict[str, Any]:
    """Mail a confirmation of a sign-up or of a changed address once more, where one is still due."""
    body = await body_of(request)
    kind = body.get("type")
    if kind in ("sms", "phone_change"):
        raise not_in_standin("text messages")
    if kind not in ("signup", "email_change"):
        raise invalid_input("Missing one of these types: signup, email_change, sms, phone_change")
    email = normal_email(body.get("email"))
    auth.rates.mail(email)
    async with auth.database.transaction() as connection:
        user = await user_by_email(connection, email)
        mails = await _again(auth, connection, user, kind, request) if user else []
    _send(auth, *mails)
    return {}


async def reauthenticate(auth: Auth, request: Request) -> dict[str, Any]:
    """Mail a code that a change of password wants from an old session."""
    claims = auth.user_claims(request)
    async with auth.database.transaction() as connection:
        user = await live_session(connection, claims)
        if not user["email"]:
            raise invalid_input("Reauthentication requires the user to have an email or a phone number")
        auth.rates.mail(user["email"])
        mail = await write(auth, connection, user, "reauthentication", "")
    _send(auth, mail)
    return {}


async def invite(auth: Auth, request: Request) -> dict[str, Any]:
    """Make an account without a password and mail its owner a way in; for administrators."""
    auth.require_service_role(request)
    body = await body_of(request)
    email = normal_email(body.get("email"))
    async with auth.database.transaction() as connection:
        user = await _invited(connection, email, body)
        mail = await write(auth, connection, user, "invite", redirect_of(auth, request))
        user = await change_user(connection, user["id"])
        answer = await as_json(connection, user)
    _send(auth, mail)
    return answer


async def generate_link(auth: Auth, request: Request) -> dict[str, Any]:
    """Make a link without mailing it; for administrators who mail themselves."""
    auth.require_service_role(request)
    body = await body_of(request)
    kind, email = str(body.get("type")), normal_email(body.get("email"))
    if kind not in _LINKS:
        raise invalid_input(f"Invalid email action link type requested: {kind}")
    redirect_to = redirect_of(auth, request, body)
    hashed = await hash_password(check_strength(body.get("password"))) if kind == "signup" else None
    async with auth.database.transaction() as connection:
        user = await _linked(connection, email, kind, body, hashed)
        mail = await _administrators(auth, connection, user, kind, body=body, redirect_to=redirect_to)
        answer = await as_json(connection, await change_user(connection, user["id"]))
    return {
        **answer,
        "action_link": mail.link,
        "email_otp": mail.code,
        "hashed_token": mail.token_hash,
        "verification_type": kind,
        "redirect_to": redirect_to,
    }


_LINKS = ("signup", "invite", "magiclink", "recovery", "email_change_current", "email_change_new")


async def _linked(connection: Connection, email: str, kind: str, body: dict[str, Any], hashed: str | None) -> Row:
    """Return whom a link is for, made where its kind makes accounts."""
    user = await user_by_email(connection, email)
    if kind in ("signup", "invite"):
        if user and user["email_confirmed_at"]:
            raise AuthError(422, "email_exists", "A user with this email address has already been registered")
        return user or await add_user(connection, email, hashed, metadata(body.get("data")), confirmed=False)
    if user is None and kind == "magiclink":
        return await add_user(connection, email, None, metadata(body.get("data")), confirmed=False)
    if user is None:
        raise AuthError(404, "user_not_found", "User with this email not found")
    return user


async def _administrators(
    auth: Auth, connection: Connection, user: Row, kind: str, *, body: dict[str, Any], redirect_to: str
) -> Mail:
    if not kind.startswith("email_change"):
        return await write(auth, connection, user, kind, redirect_to)
    new = normal_email(body.get("new_email"))
    user = await change_user(connection, user["id"], email_change=new, email_change_confirm_status=0)
    is_new = kind == "email_change_new"
    token = onetime.EMAIL_NEW if is_new else onetime.EMAIL_CURRENT
    to = new if is_new else user["email"]
    return await write(auth, connection, user, "email_change", redirect_to, to=to, token=token)


async def _invited(connection: Connection, email: str, body: dict[str, Any]) -> Row:
    user = await user_by_email(connection, email)
    if user and user["email_confirmed_at"]:
        raise AuthError(422, "email_exists", "A user with this email address has already been registered")
    return user or await add_user(connection, email, None, metadata(body.get("data")), confirmed=False)


async def _newcomer(auth: Auth, connection: Connection, email: str, body: dict[str, Any]) -> Row:
    confirmed = not auth.options.confirm_email
    return await add_user(connection, email, None, metadata(body.get("data")), confirmed=confirmed)


async def _link(
    auth: Auth, connection: Connection, user: Row, kind: str, *, request: Request, body: dict[str, Any]
) -> Mail:
    pkce = await start_flow(connection, user, body, kind)
    return await write(auth, connection, user, kind, redirect_of(auth, request, body), pkce=pkce)


async def _again(auth: Auth, connection: Connection, user: Row, kind: str, request: Request) -> list[Mail]:
    if kind == "email_change":
        new, where = user["email_change"], redirect_of(auth, request)
        return await write_email_change(auth, connection, user, new, where, pkce=False) if new else []
    if user["email_confirmed_at"]:
        return []
    return [await write(auth, connection, user, "signup", redirect_of(auth, request))]


def _send(auth: Auth, *mails: Mail | None) -> None:
    """After the transaction: a mail about what was rolled back would carry a code that does not work."""
    for mail in filter(None, mails):
        auth.outbox.add(mail)
