"""What every REST handler is given, and what stands before each: the caller, the body, the way errors are told."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncRawCursor, sql
from psycopg.rows import dict_row
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from chatapp.standin.database import Connection, Database, Row, impersonate
from chatapp.standin.gateway import api_key, bearer, refusal_of
from chatapp.standin.keys import Keys, TokenError

from .conditions import Values
from .errors import RestError, bad_body, of_database, of_token
from .query import OBJECT, Query, out_of_range

BODY_LIMIT = 4_000_000  # bytes
TIMEOUT = """select set_config('statement_timeout', option_value, true)
  from pg_roles, pg_options_to_table(rolconfig) where rolname = %s and option_name = 'statement_timeout'"""
Claims = dict[str, Any]


@dataclass(frozen=True)
class Rest:
    """The service. Its connections are those of `authenticator`, who can become the API's roles and nobody else:
    a function may be called that runs what it is given.
    """

    database: Database
    keys: Keys

    def claims(self, request: Request) -> Claims:
        """Return who calls. A user's token counts for more than the API key. Raises RestError."""
        try:
            return self.keys.claims_of(bearer(request) or api_key(request))
        except TokenError as error:
            raise of_token(str(error)) from error

    @contextlib.asynccontextmanager
    async def as_caller(self, claims: Claims, *, only_reads: bool) -> AsyncIterator[Connection]:
        """Give a connection on which policies see the caller, for as long as their role may take."""
        async with self.database.transaction() as connection:
            await impersonate(connection, claims)
            await connection.execute(TIMEOUT, [claims["role"]])
            if only_reads:
                await connection.execute("set transaction read only")
            yield connection


Handler = Callable[[Rest, Request, Claims], Awaitable[Response]]


def endpoint(rest: Rest, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: no key, no entry; what it raises becomes PostgREST's JSON."""

    async def respond(request: Request) -> Response:
        if refusal := refusal_of(rest.keys, request):
            return refusal
        claims: Claims = {"role": "anon"}
        try:
            claims = rest.claims(request)
            return await handler(rest, request, claims)
        except RestError as error:
            return error.response()
        except ClientDisconnect:
            return Response(status_code=499)  # nobody hears it
        except psycopg.Error as error:
            return of_database(error, claims["role"]).response()
        except UnicodeError:
            return bad_body("The request holds text that cannot be stored").response()

    return respond


async def ask(connection: Connection, statement: sql.Composed, values: Values, query: Query) -> Row:
    """Run a statement that answers with `body`, `amount` and `total`. Raises RestError, and nothing has happened."""
    # Numbered parameters: a column may be called `%s`. Not prepared: a parameter's type would outlive its column's.
    async with AsyncRawCursor(connection, row_factory=dict_row) as cursor:
        await cursor.execute(statement, values, prepare=False)
        row = await cursor.fetchone() or {}
    if query.is_one and row["amount"] != 1:
        details = f"The result contains {row['amount']} rows"
        raise RestError(406, "PGRST116", "Cannot coerce the result to a single JSON object", details)
    return row


def page(row: Row, query: Query) -> Response:
    """Return an answer that says which part of the whole it is."""
    first, last, total = query.offset, query.offset + row["amount"] - 1, row["total"]
    if total is not None and first > total:
        raise out_of_range(f"An offset of {first} was requested, but there are only {total} rows.")
    is_part = total is not None and row["amount"] < total
    return answer(row["body"], query, f"{first}-{last}" if last >= first else "*", total, 206 if is_part else 200)


def answer(body: str | None, query: Query, shown: str, total: int | None, status: int) -> Response:
    """Return JSON, or nothing where `body` is None."""
    headers = {"content-range": f"{shown}/{'*' if total is None else total}"}
    if body is None:
        return Response(status_code=status, headers=headers)
    kind = f"{OBJECT}+json" if query.is_one else "application/json"
    return Response(body, status, headers, f"{kind}; charset=utf-8")


async def body_of(request: Request) -> tuple[Any, str]:
    """Return what a request carries, read and as it was written. Raises RestError."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise RestError(413, "PGRST102", "Request body is too large")
    try:
        return json.loads(content) if content else None, content.decode()
    except (ValueError, RecursionError) as error:
        raise bad_body("Empty or invalid json") from error
