"""What every Storage handler is given, and what stands before each: the caller, the body, the way errors are told."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
import psycopg
from psycopg.errors import InsufficientPrivilege, UniqueViolation
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from chatapp.standin.database import Connection, Database, Row, impersonate
from chatapp.standin.keys import Keys, TokenError

from .errors import StorageError, bad_token, duplicate, invalid, no_bucket, refused
from .files import Files

BODY_LIMIT = 1_000_000  # bytes of JSON
FILE_LIMIT = int(os.environ.get("STANDIN_FILE_LIMIT", str(50 * 1024 * 1024)))  # bytes; what hosted projects begin with
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Storage:
    """The service: rows in a database, bytes in files."""

    database: Database
    keys: Keys
    files: Files

    def claims(self, request: Request) -> dict[str, Any]:
        """Return who calls. A user's token counts for more than the API key. Raises StorageError."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" and token else request.headers.get("apikey")
        if not given:
            raise StorageError(400, "Error", "headers must have required property 'authorization'")
        try:
            return self.keys.claims_of(given)
        except TokenError as error:
            raise bad_token(str(error)) from error

    @contextlib.asynccontextmanager
    async def as_caller(self, claims: dict[str, Any], *, rollback: bool = False) -> AsyncIterator[Connection]:
        """Give a connection on which policies see the caller."""
        async with self.database.transaction(rollback=rollback) as connection:
            await impersonate(connection, claims)
            yield connection

    async def bucket(self, name: str) -> Row:
        """Return a bucket whoever asks: what may be done in it is for the policies on objects. Raises StorageError."""
        row = await self.database.one("select * from storage.buckets where id = %s", name)
        if row is None:
            raise no_bucket()
        return row

    def sign(self, kind: str, url: str, seconds: int, moment: int, **claims: object) -> str:
        """Return a token for a signed address of `kind` (download, upload); good for nothing else."""
        payload = {**claims, "url": url, "aud": f"storage:{kind}", "iat": moment, "exp": moment + seconds}
        return jwt.encode(payload, self._secret, algorithm="HS256")

    def opened(self, kind: str, url: str, token: str | None) -> dict[str, Any]:
        """Return what a signed address carries. Raises StorageError."""
        try:
            audience = f"storage:{kind}"
            claims: dict[str, Any] = jwt.decode(
                token or "", self._secret, algorithms=["HS256"], audience=audience, options={"require": ["exp"]}
            )
        except jwt.ExpiredSignatureError as error:
            raise StorageError(400, "InvalidJWT", '"exp" claim timestamp check failed') from error
        except (jwt.InvalidTokenError, ValueError) as error:
            raise StorageError(400, "InvalidJWT", "signature verification failed") from error
        if claims["url"] != url:
            raise StorageError(400, "InvalidSignature", "The signed address is of another object")
        return claims

    @property
    def _secret(self) -> str:
        return f"{self.keys.legacy_secret}/storage"


Handler = Callable[[Storage, Request], Awaitable[Response | dict[str, Any] | list[Any]]]


def endpoint(storage: Storage, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: what it raises becomes Storage's JSON."""

    async def respond(request: Request) -> Response:
        try:
            answer = await handler(storage, request)
            return answer if isinstance(answer, Response) else JSONResponse(answer)
        except StorageError as error:
            return error.response()
        except ClientDisconnect:
            return Response(status_code=499)  # nobody hears it
        except psycopg.Error as error:
            return _of_database(error).response()
        except UnicodeError:
            return invalid("The request holds text that cannot be stored").response()

    return respond


def _of_database(error: psycopg.Error) -> StorageError:
    if isinstance(error, InsufficientPrivilege):
        return refused()
    if isinstance(error, UniqueViolation):
        return duplicate()
    if isinstance(error, psycopg.DataError):
        return invalid("The request holds text that cannot be stored")
    if isinstance(error, psycopg.OperationalError) and not error.sqlstate:
        return StorageError(503, "DatabaseError", "The database is restarting: try again")
    log.warning("the database refused: %s", error)
    return StorageError(400, "DatabaseError", str(error).splitlines()[0])


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object a request carries, an empty one for none. Raises StorageError."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise StorageError(413, "Payload too large", "Request body is too large")
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise invalid("Body is not valid JSON") from error
    if not isinstance(body, dict):
        raise invalid("body must be object")
    return body


def number(value: object, name: str, default: int, most: int) -> int:
    """Return a whole number from 0 to `most`; digits will do. Raises StorageError."""
    if value is None:
        return default
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 16):
        raise invalid(f"{name} must be a positive number")
    return min(int(text), most)
