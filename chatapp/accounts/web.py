"""The two HTTP routes of signing in and out: only a response can set an HttpOnly cookie.

A handler signs in over the socket and answers a ticket, good once and for a minute; the browser brings it here and
gets the cookie. A full page load follows, because a socket's headers are those it was opened with.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatapp import gate
from chatapp.accounts import actions, queries, sessions
from chatapp.errors import ChatError

SIGN_IN = "/auth/session"
SIGN_OUT = "/auth/sign-out"
LIFETIME = int(actions.SESSION_LASTS.total_seconds())
"""Seconds until a session's cookie expires; the session itself ends in the database."""


def exchange_url(headers: dict[str, str], ticket: str, next_path: str) -> str:
    """Where the browser takes its ticket: the backend as its socket reached it, and back to the page's own origin."""
    query = urlencode({"ticket": ticket, "origin": headers.get("origin", ""), "next": next_path})
    return f"{_backend(headers)}{SIGN_IN}?{query}"


def sign_out_url(headers: dict[str, str]) -> str:
    """Where the browser forgets its cookie."""
    return f"{_backend(headers)}{SIGN_OUT}?{urlencode({'origin': headers.get('origin', '')})}"


OURS = ("same-origin", "same-site")
"""Where a request for a session may come from. In development two ports of one host: another origin, the same site."""


async def enter(request: Request) -> Response:
    """Redeem a ticket for the session cookie. A used, late or foreign ticket leads back to the sign-in page."""
    if request.headers.get("sec-fetch-site", OURS[0]) not in OURS:  # a link could sign somebody in as somebody else
        return _back(request, "/sign-in")
    try:
        value = await actions.redeem(request.query_params.get("ticket", ""))
    except ChatError:
        return _back(request, "/sign-in")
    response = _back(request, gate.site_path(request.query_params.get("next")))
    secure = _is_secure(request)
    response.set_cookie(
        gate.cookie_name(secure), value, max_age=LIFETIME, path="/", secure=secure, httponly=True, samesite="lax"
    )
    return response


async def leave(request: Request) -> Response:
    """Forget the cookie of a session that the handler which led here has ended.

    One that is still good stays: a link from elsewhere must sign nobody out, nor a late request whoever came next.
    """
    response, secure = _back(request, "/sign-in"), _is_secure(request)
    if await _is_over(gate.session_value(request.headers.get("cookie", ""), secure)):
        response.delete_cookie(gate.cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax")
    return response


routes = [Route(SIGN_IN, enter, methods=["GET"]), Route(SIGN_OUT, leave, methods=["GET"])]


def _backend(headers: dict[str, str]) -> str:
    scheme = "https" if headers.get("origin", "").startswith("https:") else "http"
    return f"{scheme}://{headers.get('host', '')}"


async def _is_over(cookie: str) -> bool:
    """Asked of the database, not of `sessions`: another process may have ended it, and its hint be on its way."""
    try:
        return bool(cookie) and await queries.actor_of(sessions.hashed(cookie)) is None
    except ChatError:
        return False


def _back(request: Request, path: str) -> RedirectResponse:
    """To `path` on the origin the page came from, if that is this very host; browsers in development use two ports."""
    origin = _origin(request)
    known = origin.scheme in ("http", "https") and origin.hostname == request.url.hostname
    base = f"{origin.scheme}://{origin.netloc.rpartition('@')[2]}" if known else ""
    return RedirectResponse(base + path, status_code=303, headers={"Cache-Control": "no-store"})


def _is_secure(request: Request) -> bool:
    return _origin(request).scheme == "https"


def _origin(request: Request) -> SplitResult:
    """What the address says the page's origin is; empty where that is not even an address."""
    try:
        return urlsplit(request.query_params.get("origin", ""))
    except ValueError:
        return urlsplit("")
