"""Functions: `/rpc/{function}`, called with named arguments as the caller."""

from __future__ import annotations

import json
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from chatapp.standin.database import Connection

from . import statements
from .catalogue import Function, function_of
from .conditions import Values, is_condition
from .errors import RestError, bad_body
from .query import Column, Query, query_of
from .service import Claims, Rest, answer, ask, body_of, page


async def call(rest: Rest, request: Request, claims: Claims) -> Response:
    """Call with the object in the body."""
    given, text = await body_of(request)
    if not isinstance(given or {}, dict):
        raise bad_body("Empty or invalid json")
    async with rest.as_caller(claims, only_reads=False) as connection:
        found = await function_of(connection, request.path_params["function"], list(given or {}))
        return await _called(connection, query_of(request), found, list(given or {}), text)


async def get(rest: Rest, request: Request, claims: Claims) -> Response:
    """Call with what stands in the address, and let nothing be changed."""
    query = query_of(request)
    given = {name: text for name, text in query.conditions if not is_condition(name, text)}
    query = replace(query, conditions=tuple(each for each in query.conditions if is_condition(*each)))
    async with rest.as_caller(claims, only_reads=True) as connection:
        found = await function_of(connection, request.path_params["function"], list(given))
        return await _called(connection, query, found, list(given), _json(found, given))


async def _called(connection: Connection, query: Query, found: Function, names: list[str], given: str) -> Response:
    query, values = _shaped(query, found), Values()
    row = await ask(connection, statements.call(found, query, values, names, given), values, query)
    return answer(None, query, "*", None, 204) if found.is_void else page(row, query)


def _shaped(query: Query, found: Function) -> Query:
    """Return the query for what the function returns: rows, values, or one of either."""
    if not found.is_row:
        query = replace(query, select=(Column("value"),), is_scalar=True)
    return query if found.is_set else replace(query, is_single=True, limit=None, offset=0)


def _json(found: Function, given: dict[str, str]) -> str:
    """An address holds texts only; what is JSON stands in one as it is. Raises RestError."""
    try:
        is_json = {name for name in given if found.arguments[name] in ("json", "jsonb")}
        return json.dumps({name: json.loads(text) if name in is_json else text for name, text in given.items()})
    except (ValueError, RecursionError) as error:
        raise RestError(400, "22P02", "invalid input syntax for type json") from error
