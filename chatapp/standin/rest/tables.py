"""Tables and views: read, insert, upsert, update and delete rows, each as far as policies let the caller."""

from __future__ import annotations

from typing import Any

from psycopg import sql
from starlette.requests import Request
from starlette.responses import Response

from chatapp.standin.database import Connection

from . import statements
from .catalogue import table_of
from .conditions import Values
from .errors import RestError, bad_body, not_here
from .query import Query, query_of
from .service import Claims, Rest, answer, ask, body_of, page


async def read(rest: Rest, request: Request, claims: Claims) -> Response:
    """Return rows."""
    query, values = query_of(request), Values()
    async with rest.as_caller(claims, only_reads=True) as connection:
        found = await table_of(connection, request.path_params["table"])
        return page(await ask(connection, statements.select(found, query, values), values, query), query)


async def insert(rest: Rest, request: Request, claims: Claims) -> Response:
    """Write an object or a list of them, over what is there or beside it where `Prefer` says so."""
    query, values, (rows, text) = query_of(request), Values(), await _rows(request)
    columns = _columns(query, rows)
    if not columns and len(rows) > 1:
        raise not_here("several rows that consist of defaults")
    async with rest.as_caller(claims, only_reads=False) as connection:
        found = await table_of(connection, request.path_params["table"])
        if not rows:
            return answer("[]" if query.is_shown else None, query, "*", 0 if query.is_counted else None, 201)
        statement = statements.insert(found, query, values, columns, text)
        return await _changed(connection, query, values, statement, 201)


async def update(rest: Rest, request: Request, claims: Claims) -> Response:
    """Change what the address tells to what the body says."""
    query, values, (rows, text) = query_of(request), Values(), await _rows(request)
    _guard("UPDATE", query)
    columns = _columns(query, rows[:1])
    async with rest.as_caller(claims, only_reads=False) as connection:
        found = await table_of(connection, request.path_params["table"])
        if not columns:
            shown = "[]" if query.is_shown else None
            return answer(shown, query, "*", 0 if query.is_counted else None, 200 if shown else 204)
        statement = statements.update(found, query, values, columns, text)
        return await _changed(connection, query, values, statement, 204)


async def delete(rest: Rest, request: Request, claims: Claims) -> Response:
    """Delete what the address tells."""
    query, values = query_of(request), Values()
    _guard("DELETE", query)
    async with rest.as_caller(claims, only_reads=False) as connection:
        found = await table_of(connection, request.path_params["table"])
        return await _changed(connection, query, values, statements.delete(found, query, values), 204)


async def _changed(
    connection: Connection, query: Query, values: Values, statement: sql.Composed, status: int
) -> Response:
    row = await ask(connection, statements.change(query, values, statement), values, query)
    if query.most_changed is not None and row["total"] > query.most_changed:
        details = f"The query affects {row['total']} rows"
        raise RestError(400, "PGRST124", "Query result exceeds max-affected preference constraint", details)
    total = row["total"] if query.is_counted else None
    if not query.is_shown:
        return answer(None, query, "*", total, status)
    return answer(row["body"], query, "*", total, 201 if status == 201 else 200)


def _guard(verb: str, query: Query) -> None:
    """Refuse to change a whole table, as a hosted project does (its extension `safeupdate`)."""
    if not query.conditions:
        raise RestError(400, "21000", f"{verb} requires a WHERE clause")


async def _rows(request: Request) -> tuple[list[dict[str, Any]], str]:
    """Return the objects a request carries, and the list of them as it was written. Raises RestError."""
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip()
    if kind not in ("application/json", "application/vnd.pgrst.object+json"):
        raise not_here(f"bodies of the kind {kind}")
    rows, text = await body_of(request)
    if isinstance(rows, dict):
        rows, text = [rows], f"[{text}]"
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad_body("Empty or invalid json")
    return rows, text


def _columns(query: Query, rows: list[dict[str, Any]]) -> list[str]:
    """Return the columns that are written: those of `columns=`, else those of all objects alike. Raises RestError."""
    named = list(query.columns or (rows[0] if rows else ()))
    if query.columns is None and any(row.keys() != rows[0].keys() for row in rows):
        raise bad_body("All object keys must match")
    if "missing=default" in query.prefer and any(name not in row for row in rows for name in named):
        raise not_here("missing=default for objects of different keys")
    return named
