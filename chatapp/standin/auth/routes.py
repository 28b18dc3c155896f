"""The endpoints under `/auth/v1`."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from . import admin
from .errors import AuthError, invalid_credentials, invalid_input, not_in_standin
from .passwords import check_strength, hash_password, matches
from .service import Auth, Handler, body_of, endpoint
from .sessions import check_banned, end_sessions, live_session, open_session, refresh_session
from .users import add_user, as_json, change_user, email_claims, merged, metadata, normal_email, user_by_email

MISSING = {
    "otp": "sign-in by code or link yet",
    "magiclink": "sign-in by link yet",
    "recover": "password recovery by e-mail yet",
    "resend": "e-mail yet",
    "verify": "e-mail confirmation yet",
    "invite": "invitations by e-mail yet",
    "authorize": "OAuth",
    "callback": "OAuth",
    "sso": "single sign-on",
    "factors": "multi-factor authentication",
    "reauthenticate": "e-mail yet",
}


async def sign_up(auth: Auth, request: Request) -> dict[str, Any]:
    """Make an account and sign it in: addresses count as confirmed, since no mail is sent."""
    body = await body_of(request)
    if not body.get("email"):
        raise _without_email(body)
    email, password = normal_email(body["email"]), body.get("password")
    if not password:
        raise invalid_input("Signup requires a valid password")
    hashed = await hash_password(check_strength(password))
    async with auth.database.transaction() as connection:
        user = await add_user(connection, email, hashed, metadata(body.get("data")))
        told = merged(user["raw_user_meta_data"], email_claims(user))
        user = await change_user(connection, user["id"], raw_user_meta_data=told)
        return await open_session(connection, auth.keys, user, request.headers.get("user-agent"))


def _without_email(body: dict[str, Any]) -> AuthError:
    if body.get("phone"):
        return AuthError(400, "phone_provider_disabled", "Phone signups are disabled")
    return AuthError(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")


async def token(auth: Auth, request: Request) -> dict[str, Any]:
    """Sign in with a password, or trade a refresh token."""
    grants = {"password": _password_grant, "refresh_token": _refresh_grant}
    kind = request.query_params.get("grant_type", "")
    if kind in grants:
        return await grants[kind](auth, request)
    if kind in ("pkce", "id_token", "web3"):
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
    async with auth.database.transaction() as connection:
        return await open_session(connection, auth.keys, user, request.headers.get("user-agent"))


async def _refresh_grant(auth: Auth, request: Request) -> dict[str, Any]:
    body = await body_of(request)
    if not body.get("refresh_token"):
        raise invalid_input("refresh_token required")
    async with auth.database.transaction() as connection:
        answer = await refresh_session(connection, auth.keys, body["refresh_token"])
    if isinstance(answer, AuthError):
        raise answer
    return answer


async def get_user(auth: Auth, request: Request) -> dict[str, Any]:
    """Return who is signed in."""
    claims = auth.user_claims(request)
    async with auth.database.transaction() as connection:
        return await as_json(connection, await live_session(connection, claims))


async def update_user(auth: Auth, request: Request) -> dict[str, Any]:
    """Change one's own metadata, address or password; a new password ends every other session."""
    claims, body = auth.user_claims(request), await body_of(request)
    async with auth.database.transaction() as connection:
        user = await live_session(connection, claims)
    change = await _changes(user, body)
    async with auth.database.transaction() as connection:
        user = await change_user(connection, user["id"], **change)
        if "encrypted_password" in change:
            await end_sessions(connection, user["id"], claims["session_id"], "others")
        return await as_json(connection, user)


async def _changes(user: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    change: dict[str, Any] = {}
    if "data" in body and body["data"] is not None:
        change["raw_user_meta_data"] = merged(user["raw_user_meta_data"], metadata(body["data"]))
    if body.get("email"):
        change["email"] = normal_email(body["email"])
    if body.get("phone"):
        raise not_in_standin("phone numbers")
    if body.get("password") is not None:
        change["encrypted_password"] = await _new_password(user, body["password"])
    return change


async def _new_password(user: dict[str, Any], password: object) -> str:
    accepted = check_strength(password)
    if await matches(accepted, user["encrypted_password"]):
        raise AuthError(422, "same_password", "New password should be different from the old password.")
    return await hash_password(accepted)


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
        "external": {"email": True, "phone": False, "anonymous_users": False},
        "disable_signup": False,
        "mailer_autoconfirm": True,
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


async def missing(auth: Auth, request: Request) -> dict[str, Any]:
    """Refuse what a hosted project has and this one has not."""
    first = request.path_params["path"].split("/")[0]
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
        route("/logout", sign_out, "POST"),
        route("/settings", settings, "GET"),
        route("/health", health, "GET"),
        route("/.well-known/jwks.json", jwks, "GET", needs_key=False),
        route("/admin/users", admin.add, "POST"),
        route("/admin/users", admin.list_users, "GET"),
        route("/admin/users/{user_id}", admin.get, "GET"),
        route("/admin/users/{user_id}", admin.change, "PUT"),
        route("/admin/users/{user_id}", admin.delete, "DELETE"),
        route("/{path:path}", missing, "GET", "POST", "PUT", "PATCH", "DELETE"),
    ]
