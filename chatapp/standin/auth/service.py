"""What every Auth handler is given, and what stands before each: the API key, the caller, the body."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatapp.standin.database import Database
from chatapp.standin.gateway import api_key, bearer, refusal_of
from chatapp.standin.keys import Keys, TokenError
from chatapp.standin.outbox import Outbox

from .errors import AuthError, invalid_input
from .options import Options, Rates, options_from_environment
from .passwords import Guesses

BODY_LIMIT = 1_000_000  # bytes
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Auth:
    """The service: a database, this project's keys, its mails, and who asked for or guessed how much lately."""

    database: Database
    keys: Keys
    options: Options = field(default_factory=options_from_environment)
    outbox: Outbox = field(default_factory=Outbox)
    guesses: Guesses = field(default_factory=Guesses)

    @cached_property
    def rates(self) -> Rates:
        return Rates(self.options)

    def user_claims(self, request: Request) -> dict[str, Any]:
        """Return the claims of the signed-in user who calls. Raises AuthError."""
        token = bearer(request)
        if not token or self.keys.role_of(token):
            raise AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token")
        return self._claims(token)

    def require_service_role(self, request: Request) -> None:
        """Let only the secret key pass. A user's token in `Authorization` outranks `apikey`."""
        claims = self._claims(bearer(request) or api_key(request))
        if claims["role"] != "service_role":
            raise AuthError(403, "not_admin", "User not allowed")

    def _claims(self, token: str | None) -> dict[str, Any]:
        try:
            return self.keys.claims_of(token)
        except TokenError as error:
            raise AuthError(403, "bad_jwt", f"invalid JWT: unable to parse or verify signature, {error}") from error


Handler = Callable[[Auth, Request], Awaitable[dict[str, Any] | Response | None]]


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object a request carries. Raises AuthError for anything else or too much."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise AuthError(413, "validation_failed", "Request body is too large")
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise AuthError(400, "bad_json", "Could not parse request body as JSON") from error
    if not isinstance(body, dict):
        raise AuthError(400, "bad_json", "Could not read body as a JSON object")
    return body


def redirect_of(auth: Auth, request: Request, body: dict[str, Any] | None = None) -> str:
    """Return where the link in a mail shall lead, if it may lead there."""
    named = request.query_params.get("redirect_to") or request.headers.get("redirect_to")
    given = named or (body or {}).get("redirect_to")
    return auth.options.allowed(given if isinstance(given, str) else None)


def endpoint(auth: Auth, handler: Handler, *, needs_key: bool = True) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: no key, no entry; a refusal becomes its JSON; text Postgres cannot hold is the caller's
    fault.
    """

    async def respond(request: Request) -> Response:
        if needs_key and (refusal := refusal_of(auth.keys, request)):
            return refusal
        try:
            if request.method != "GET":
                auth.rates.request(request.client.host if request.client else "")
            answer = await handler(auth, request)
        except AuthError as error:
            return error.response()
        except (psycopg.DataError, UnicodeError):
            return invalid_input("The request holds text that cannot be stored").response()
        except psycopg.OperationalError:
            return AuthError(503, "request_timeout", "The database is restarting: try again").response()
        return _response(answer)

    return respond


def _response(answer: dict[str, Any] | Response | None) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(status_code=204) if answer is None else JSONResponse(answer)
