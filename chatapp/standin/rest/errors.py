"""REST's refusals, with the codes and shapes of https://docs.postgrest.org/en/stable/references/errors.html."""

from __future__ import annotations

import logging
import re

import psycopg
from psycopg_pool import PoolTimeout
from starlette.responses import JSONResponse

STATUSES = {
    **dict.fromkeys(("0L", "0P", "28"), 403),
    **dict.fromkeys(("09", "25", "2D", "38", "39", "3B", "40", "54", "55", "57", "58", "F0", "HV", "P0", "XX"), 500),
    **dict.fromkeys(("23503", "23505"), 409),
    **dict.fromkeys(("42883", "42P01"), 404),
    **dict.fromkeys(("08", "53", "57P01"), 503),
    **dict.fromkeys(("42P17", "21000", "53400"), 500),
    "25006": 405,
    "P0001": 400,
}
"""HTTP's number for Postgres's, by the whole code or else by its class; 400 for all others."""

log = logging.getLogger(__name__)


class RestError(Exception):
    """A refusal: the HTTP status, the code a program tests, and what a person reads."""

    def __init__(
        self, status: int, code: str, message: str, details: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "message": message, "details": details, "hint": hint}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status, {"www-authenticate": "Bearer"} if self.status == 401 else None)


def not_here(what: str) -> RestError:
    """Say so instead of pretending: a silent success would be found out in production."""
    details = f"The local stand-in has no {what}: use a hosted Supabase project for it, or a Postgres driver."
    return RestError(501, "PGRST127", "Feature not implemented", details)


def unreadable(what: str, text: str, details: str) -> RestError:
    """A part of the address is not in PostgREST's language."""
    return RestError(400, "PGRST100", f'"failed to parse {what} ({text})" (line 1, column 1)', details)


def bad_body(message: str) -> RestError:
    """What was sent is not what can be written or called with."""
    return RestError(400, "PGRST102", message)


def of_token(reason: str) -> RestError:
    """The caller's token cannot be believed."""
    if reason.startswith("Token has expired"):
        return RestError(401, "PGRST303", "JWT expired")
    return RestError(401, "PGRST301", "JWT cryptographic operation failed", reason)


def of_database(error: psycopg.Error, role: str) -> RestError:
    """Return what Postgres refused in its own words."""
    code = error.sqlstate
    if isinstance(error, PoolTimeout):
        return RestError(504, "PGRST003", "Timed out acquiring connection from connection pool.")
    if code is None and isinstance(error, psycopg.OperationalError):
        return RestError(503, "PGRST000", "Database connection error. Retrying the connection.")
    if code is None:
        return bad_body("The request holds text that cannot be stored")
    told, status = error.diag, _status(code, role)
    if status >= 500:
        log.warning("the database failed: %s", told.message_primary)
    return RestError(status, code, told.message_primary or str(error), told.message_detail, told.message_hint)


def _status(code: str, role: str) -> int:
    if code == "42501":
        return 401 if role == "anon" else 403
    if re.fullmatch("PT[45][0-9]{2}", code):  # a function's own choice
        return int(code[2:])
    return STATUSES.get(code) or STATUSES.get(code[:2], 400)
