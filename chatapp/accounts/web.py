"""The HTTP routes of signing in and out: only a response can set an HttpOnly cookie.

A handler signs in over the socket and answers a ticket, good once and for a minute; the browser brings it here and
gets the cookie. A full page load follows, because a socket's headers are those it was opened with. Whoever signs in by
a link or over a provider takes a ticket to `go_out`, and is led back to `come_back`.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import SplitResult, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from chatapp import gate
from chatapp.accounts import actions, links, queries, sessions
from chatapp.accounts.flows import LASTS, Flow
from chatapp.errors import ChatError, Invalid

log = logging.getLogger(__name__)

SIGN_IN = "/auth/session"
SIGN_OUT = "/auth/sign-out"
GO_OUT = "/auth/flow"
COME_BACK = "/auth/callback"
CONFIRMED = "/auth/confirmed"
FLOW_COOKIE = "chatapp_flow"
RESET_COOKIE = "chatapp_reset"
LIFETIME = int(actions.SESSION_LASTS.total_seconds())
"""Seconds until a session's cookie expires; the session itself ends in the database."""


def exchange_url(headers: dict[str, str], ticket: str, next_path: str) -> str:
    """Where the browser takes its ticket: the backend as its socket reached it, and back to the page's own origin."""
    query = urlencode({"ticket": ticket, "origin": headers.get("origin", ""), "next": next_path})
    return f"{_backend(headers)}{SIGN_IN}?{query}"


def sign_out_url(headers: dict[str, str]) -> str:
    """Where the browser forgets its cookie."""
    return f"{_backend(headers)}{SIGN_OUT}?{urlencode({'origin': headers.get('origin', '')})}"


def flow_url(headers: dict[str, str], ticket: str) -> str:
    """Where the browser takes the ticket of a flow, before it goes to the mail or to the provider."""
    return f"{_backend(headers)}{GO_OUT}?{urlencode({'ticket': ticket, 'origin': headers.get('origin', '')})}"


def landing(headers: dict[str, str], path: str = COME_BACK) -> str:
    """Where a mail's link, or a provider, leads back to.

    Raises Invalid where the socket was not opened at the page's own host: with a forged one, somebody could have a link
    mailed to another person that brings the answer to a place of theirs.
    """
    origin, host = headers.get("origin", ""), headers.get("host", "")
    if not _PLAIN_HOST.fullmatch(host) or _host(origin) != _host(f"//{host}"):
        raise Invalid("This is not possible from here.")
    return f"{_backend(headers)}{path}?{urlencode({'origin': origin})}"


def reset_value(headers: dict[str, str]) -> str:
    """What the browser was given by a link for choosing another password, "" for nothing."""
    secure = headers.get("origin", "").startswith("https:")
    return gate.session_value(headers.get("cookie", ""), secure, RESET_COOKIE)


_PLAIN_HOST = re.compile(r"[\w.:\[\]-]+", re.ASCII)
"""Nothing that a browser could read another way than we do, as it reads `evil.example\\@chat.example`."""
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
    _give(request, response, gate.COOKIE, value, LIFETIME)
    return response


async def go_out(request: Request) -> Response:
    """Have the browser remember its flow, and send it to its mail or to the provider."""
    flow = Flow.opened(request.query_params.get("ticket", ""), "ticket")
    if flow is None or request.headers.get("sec-fetch-site", OURS[0]) not in OURS:
        return _back(request, "/sign-in")
    response = _to(flow.leads_to) if flow.leads_to else _back(request, "/check-inbox")
    _give(request, response, FLOW_COOKIE, flow.sealed("cookie"), LASTS["cookie"])
    return response


async def come_back(request: Request) -> Response:
    """Sign in whom a mail's link or a provider leads back, if this browser is the one that asked."""
    flow = Flow.opened(_taken(request, FLOW_COOKIE), "cookie")
    try:
        response = await _arrived(request, flow, request.query_params.get("code", ""))
    except ChatError as refused:
        log.info("A link or a provider led back in vain: %s", refused.message)
        return _back(request, "/mail-link?told=bad")
    _forget(request, response, FLOW_COOKIE)
    return response


async def confirmed(request: Request) -> Response:
    """Say what a link has done that confirms another address. It has been done already, and signs nobody in."""
    told = request.query_params
    outcome = "bad" if "error_code" in told or "error" in told else "half" if "message" in told else "done"
    return _back(request, f"/mail-link?told={outcome}")


async def leave(request: Request) -> Response:
    """Forget the cookie of a session that the handler which led here has ended.

    One that is still good stays: a link from elsewhere must sign nobody out, nor a late request whoever came next.
    """
    response, secure = _back(request, "/sign-in"), _is_secure(request)
    if await _is_over(gate.session_value(request.headers.get("cookie", ""), secure)):
        _forget(request, response, gate.COOKIE)
    return response


routes = [
    Route(SIGN_IN, enter, methods=["GET"]),
    Route(SIGN_OUT, leave, methods=["GET"]),
    Route(GO_OUT, go_out, methods=["GET"]),
    Route(COME_BACK, come_back, methods=["GET"]),
    Route(CONFIRMED, confirmed, methods=["GET"]),
]


async def _arrived(request: Request, flow: Flow | None, code: str) -> Response:
    if flow is None or not code:
        raise Invalid(request.query_params.get("error_code", "not the browser that asked"))
    if flow.kind == "reset":
        value, seconds = await links.allow_reset(flow, code), int(links.RESET_LASTS.total_seconds())
        response = _back(request, "/reset-password")
        _give(request, response, RESET_COOKIE, value, seconds)
        return response
    value = await links.come_back(flow, code)
    response = _back(request, gate.site_path(flow.next_path))
    _give(request, response, gate.COOKIE, value, LIFETIME)
    return response


def _give(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    secure = _is_secure(request)
    name = gate.cookie_name(secure, name)
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def _forget(request: Request, response: Response, name: str) -> None:
    secure = _is_secure(request)
    name = gate.cookie_name(secure, name)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")


def _taken(request: Request, name: str) -> str:
    return gate.session_value(request.headers.get("cookie", ""), _is_secure(request), name)


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
    return _to(base + path)


def _to(address: str) -> RedirectResponse:
    # A code or a ticket is in this address: no page that follows is told it.
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(address, status_code=303, headers=headers)


def _host(address: str) -> str:
    """The host an address names; `address` itself, which equals no host, where it names none."""
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


def _is_secure(request: Request) -> bool:
    return _origin(request).scheme == "https"


def _origin(request: Request) -> SplitResult:
    """What the address says the page's origin is; empty where that is not even an address."""
    try:
        return urlsplit(request.query_params.get("origin", ""))
    except ValueError:
        return urlsplit("")
