"""The endpoints under `/rest/v1`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import functions, tables
from .errors import RestError, not_here
from .service import Claims, Handler, Rest, endpoint


async def describe(rest: Rest, request: Request, claims: Claims) -> Response:
    """Refuse to describe the schema, as a hosted project does for the secret key only."""
    raise not_here("description of its schema")


async def missing(rest: Rest, request: Request, claims: Claims) -> Response:
    """Refuse any other address."""
    raise RestError(404, "PGRST125", "Invalid path specified in request URL")


async def replace(rest: Rest, request: Request, claims: Claims) -> Response:
    """Refuse what upsert does better."""
    raise not_here("PUT")


def rest_routes(rest: Rest) -> list[Route]:
    """Return REST's routes, most particular first."""

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(f"/rest/v1{path}", endpoint(rest, handler), methods=[*methods])

    return [
        route("/", describe, "GET"),
        route("/rpc/{function}", functions.call, "POST"),
        route("/rpc/{function}", functions.get, "GET"),
        route("/{table}", tables.read, "GET"),
        route("/{table}", tables.insert, "POST"),
        route("/{table}", tables.update, "PATCH"),
        route("/{table}", tables.delete, "DELETE"),
        route("/{table}", replace, "PUT"),
        route("/{path:path}", missing, "GET", "POST", "PUT", "PATCH", "DELETE"),
    ]
