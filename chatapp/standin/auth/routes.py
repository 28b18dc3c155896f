"""The endpoints under `/auth/v1`."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.routing import Route

from chatapp.standin.database import Connection, Row

from . import admin, links
from .errors import AuthError, invalid_credentials, invalid_input, not_in_standin
from .flows import start_flow, take_flow
from .mail import write
from .own import get_user, update_user
from .passwords import check_strength, hash_password, matches
from .service import Auth, Handler, body_of, endpoint, redirect_of
from .sessions import check_banned, end_sessions, live_session, open_session, refresh_session
from .users import (
    add_anonymous_user,
    add_user,
    as_json,
    change_user,
    email_claims,
    merged,
    metadata,
    normal_email,
    user_by_email,
    user_by_id,
    user_json,
)
from .verify import open_link, verify

MISSING = {
    "authorize": "OAuth",
    "callback": "OAuth",
    "oauth": "OAuth server",
    "saml": "single sign-on",
    "factors": "multi-factor authentication",
    "passkeys": "passkeys",
    "admin": "such administration",
}


async def sign_up(auth: Auth, request: Request) -> dict[str, Any]:
    """Make an account and sign it in, or mail its owner a link where addresses have to be confirmed."""
    body = await body_of(request)
    if not body.get("email"):
        return await _anonymous(auth, request, body)
    email, password = normal_email(body["email"]), body.get("password")
    if not password:
        raise invalid_input("Signup requires a valid password")
    hashed = await hash_password(check_strength(password))
    if auth.options.confirm_email:
        return await _unconfirmed(auth, request, body, email, hashed)
    async with auth.database.transaction() as connection:
        user = await add_user(connection, email, hashed, metadata(body.get("data")))
        told = merged(user["raw_user_meta_data"], email_claims(user))
        user = await change_user(connection, user["id"], raw_user_meta_data=told)
        return await open_session(connection, auth.keys, user, request.headers.get("user-agent"))


async def _anonymous(auth: Auth, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    if body.get("phone"):
        raise AuthError(400, "phone_provider_disabled", "Phone signups are disabled")
    async with auth.database.transaction() as connection:
        user = await add_anonymous_user(connection, metadata(body.get("data")))
        return await open_session(connection, auth.keys, user, request.headers.get("user-agent"), "anonymous")


async def _unconfirmed(auth: Auth, request: Request, body: dict[str, Any], email: str, hashed: str) -> dict[str, Any]:
    """Answer alike whether the address is taken or not: whoever asks must not learn which."""
    auth.rates.mail(email)
    async with auth.database.transaction() as connection:
        user = await user_by_email(connection, email)
        if user and user["email_confirmed_at"]:
            shown = {**user, "id": uuid4(), "raw_user_meta_data": metadata(body.get("data")), "last_sign_in_at": None}
            return user_json({**shown, "raw_app_meta_data": {"provider": "email", "providers": ["email"]}}, [])
        user = user or await add_user(connection, email, hashed, metadata(body.get("data")), confirmed=False)
        pkce = await start_flow(connection, user, body, "email/signup")
        mail = await write(auth, connection, user, "signup", redirect_of(auth, request, body), pkce=pkce)
        answer = await as_json(connection, await change_user(connection, user["id"]))
    auth.outbox.add(mail)
    return answer


async def token(auth: Auth, request: Request) -> dict[str, Any]:
    """Sign in with a password, or trade a refresh token."""
    grants = {"password": _password_grant, "refresh_token": _refresh_grant, "pkce": _code_grant}
    kind = request.query_params.get("grant_type", "")
    if kind in grants:
        return await grants[kind](auth, request)
    if kind in ("id_token", "web3"):
        raise not_in_standin(f"{kind} sign-in yet")
    raise AuthError(400, "invalid_credentials", "unsupported_grant_type")


async def _password_grant(auth: Auth, request: Request) -> dict[str, Any]:
    body = await body_of(request)
    email, password = normal_email(body.get("email")), body.get("password")
    auth.guesses.check(email)
    async with auth.database.transaction() as connection:
        user = await user_by_email(connection, email)
    if not await matches(str(password), user["encrypted_password"] if user else None) or user is None:
        auth.guesses.wrong(email)
        raise invalid_credentials()
    auth.guesses.right(email)
    check_banned(user)
    if not user["email_confirmed_at"]:
        raise AuthError(400, "email_not_confirmed", "Email not confirmed")
    async with auth.database.transaction() as connection:
        return await open_session(connection, auth.keys, user, request.headers.get("user-agent"))


async def _code_grant(auth: Auth, request: Request) -> dict[str, Any]:
    body = await body_of(request)
    if not body.get("auth_code") or not body.get("code_verifier"):
        raise invalid_input("invalid request: both auth code and code verifier should be non-empty")
    async with auth.database.transaction() as connection:
        flow = await take_flow(connection, body["auth_code"], body["code_verifier"])
        if not isinstance(flow, AuthError):
            return await _session_of(auth, connection, flow, request)
    raise flow


async def _session_of(auth: Auth, connection: Connection, flow: Row, request: Request) -> dict[str, Any]:
    user = await user_by_id(connection, flow["user_id"])
    if user is None:
        raise AuthError(404, "user_not_found", "User not found")
    check_banned(user)
    return await open_session(connection, auth.keys, user, request.headers.get("user-agent"), "otp")


async def _refresh_grant(auth: Auth, request: Request) -> dict[str, Any]:
    body = await body_of(request)
    if not body.get("refresh_token"):
        raise invalid_input("refresh_token required")
    async with auth.database.transaction() as connection:
        answer = await refresh_session(connection, auth.keys, body["refresh_token"])
    if isinstance(answer, AuthError):
        raise answer
    return answer


async def sign_out(auth: Auth, request: Request) -> None:
    """End this session, the others or all: `scope` local, others, global."""
    claims, scope = auth.user_claims(request), request.query_params.get("scope", "global")
    if scope not in ("global", "local", "others"):
        raise invalid_input(f"Unsupported logout scope {scope!r}")
    async with auth.database.transaction() as connection:
        user = await live_session(connection, claims)
        await end_sessions(connection, user["id"], claims["session_id"], scope)


async def settings(auth: Auth, request: Request) -> dict[str, Any]:
    """Tell which ways to sign in there are."""
    return {
        "external": {"email": True, "phone": False, "anonymous_users": True},
        "disable_signup": False,
        "mailer_autoconfirm": not auth.options.confirm_email,
        "phone_autoconfirm": False,
        "sms_provider": "",
        "saml_enabled": False,
    }


async def health(auth: Auth, request: Request) -> dict[str, Any]:
    """Tell that Auth is there."""
    return {"name": "GoTrue", "version": "standin", "description": "The local stand-in for Supabase Auth"}


async def jwks(auth: Auth, request: Request) -> dict[str, Any]:
    """Publish the key that tokens are verified with."""
    return {"keys": [auth.keys.jwk]}


async def no_linking(auth: Auth, request: Request) -> dict[str, Any]:
    """Refuse to link other providers, as a project does that has not turned it on."""
    raise AuthError(404, "manual_linking_disabled", "Manual linking is disabled")


async def missing(auth: Auth, request: Request) -> dict[str, Any]:
    """Refuse what a hosted project has and this one has not."""
    first = request.path_params["path"].split("/")[0]
    if first == "sso":  # what a hosted project says that has none
        raise AuthError(404, "saml_provider_disabled", "SAML 2.0 is disabled")
    if first in MISSING:
        raise not_in_standin(MISSING[first])
    raise AuthError(404, "not_found", f"There is no /{first} in Auth")


def auth_routes(auth: Auth) -> list[Route]:
    """Return Auth's routes, most particular first."""

    def route(path: str, handler: Handler, *methods: str, needs_key: bool = True) -> Route:
        return Route(f"/auth/v1{path}", endpoint(auth, handler, needs_key=needs_key), methods=[*methods])

    return [
        route("/signup", sign_up, "POST"),
        route("/token", token, "POST"),
        route("/user", get_user, "GET"),
        route("/user", update_user, "PUT"),
        route("/user/identities/{path:path}", no_linking, "GET", "DELETE"),
        route("/logout", sign_out, "POST"),
        route("/recover", links.recover, "POST"),
        route("/otp", links.otp, "POST"),
        route("/magiclink", links.magiclink, "POST"),
        route("/resend", links.resend, "POST"),
        route("/reauthenticate", links.reauthenticate, "GET"),
        route("/invite", links.invite, "POST"),
        route("/verify", verify, "POST"),
        route("/verify", open_link, "GET", needs_key=False),
        route("/admin/generate_link", links.generate_link, "POST"),
        route("/settings", settings, "GET"),
        route("/health", health, "GET"),
        route("/.well-known/jwks.json", jwks, "GET", needs_key=False),
        route("/admin/users", admin.add, "POST"),
        route("/admin/users", admin.list_users, "GET"),
        route("/admin/users/{user_id}", admin.get, "GET"),
        route("/admin/users/{user_id}", admin.change, "PUT"),
        route("/admin/users/{user_id}", admin.delete, "DELETE"),
        route("/admin/users/{user_id}/factors", admin.factors, "GET"),
        route("/{path:path}", missing, "GET", "POST", "PUT", "PATCH", "DELETE"),
    ]
