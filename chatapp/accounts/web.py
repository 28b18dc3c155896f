"""The two HTTP routes of signing in and out: only a response can set an HttpOnly cookie.

A handler signs in over the socket and answers a ticket, good once and for a minute; the browser brings it here and
gets the cookie. A full page load follows, because a socket's headers are those it was opened with.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatapp import gate
from chatapp.accounts import actions
from chatapp.errors import ChatError

SIGN_IN = "/auth/session"
SIGN_OUT = "/auth/sign-out"
LIFETIME = 30 * 24 * 3600
"""Seconds until a session's cookie expires; the session itself ends in the database."""


def exchange_url(headers: dict[str, str], ticket: str, next_path: str) -> str:
    """Where the browser takes its ticket: the backend as its socket reached it, and back to the page's own origin."""
    query = urlencode({"ticket": ticket, "origin": headers.get("origin", ""), "next": next_path})
    return f"{_backend(headers)}{SIGN_IN}?{query}"


def sign_out_url(headers: dict[str, str]) -> str:
    """Where the browser forgets its cookie."""
    return f"{_backend(headers)}{SIGN_OUT}?{urlencode({'origin': headers.get('origin', '')})}"


async def enter(request: Request) -> Response:
    """Redeem a ticket for the session cookie. A used, late or foreign ticket leads back to the sign-in page."""
    if request.headers.get("sec-fetch-site") == "cross-site":  # else a link could sign somebody in as somebody else
        return _back(request, "/sign-in")
    try:
        value = await actions.redeem(request.query_params.get("ticket", ""))
    except ChatError:
        return _back(request, "/sign-in")
    response = _back(request, gate.site_path(request.query_params.get("next")))
    secure = _is_secure(request)
    response.set_cookie(
        _cookie_name(secure), value, max_age=LIFETIME, path="/", secure=secure, httponly=True, samesite="lax"
    )
    return response


async def leave(request: Request) -> Response:
    """Forget the cookie. The session itself was ended by the handler that led here."""
    response = _back(request, "/sign-in")
    secure = _is_secure(request)
    response.delete_cookie(_cookie_name(secure), path="/", secure=secure, httponly=True, samesite="lax")
    return response


routes = [Route(SIGN_IN, enter, methods=["GET"]), Route(SIGN_OUT, leave, methods=["GET"])]


def _backend(headers: dict[str, str]) -> str:
    scheme = "https" if headers.get("origin", "").startswith("https:") else "http"
    return f"{scheme}://{headers.get('host', '')}"


def _back(request: Request, path: str) -> RedirectResponse:
    """To `path` on the origin the page came from, if that is this very host; browsers in development use two ports."""
    origin = urlsplit(request.query_params.get("origin", ""))
    known = origin.scheme in ("http", "https") and origin.hostname == request.url.hostname
    base = f"{origin.scheme}://{origin.netloc.rpartition('@')[2]}" if known else ""
    return RedirectResponse(base + path, status_code=303, headers={"Cache-Control": "no-store"})


def _is_secure(request: Request) -> bool:
    return urlsplit(request.query_params.get("origin", "")).scheme == "https"


def _cookie_name(secure: bool) -> str:
    return ("__Host-" if secure else "") + gate.COOKIE
