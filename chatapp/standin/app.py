"""The HTTP face: Auth, Realtime and Storage, a status at the root, and a plain "not here" for the rest of Supabase."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .auth.routes import auth_routes
from .auth.service import Auth
from .cors import Cors
from .outbox import outbox_routes
from .realtime.channels import Services
from .realtime.service import realtime_routes
from .status import status_page
from .storage.routes import storage_routes
from .storage.service import Storage

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def make_app(auth: Auth, services: Services, storage: Storage, is_healthy: Callable[[], bool]) -> Starlette:
    """Return the application. `is_healthy` tells whether Postgres and the change stream are there."""
    project = auth.keys.record.project

    async def health(_request: Request) -> JSONResponse:
        healthy = is_healthy()
        return JSONResponse({"project": project, "status": "ok" if healthy else "not ready"}, 200 if healthy else 503)

    return Starlette(
        routes=[
            Route("/", status_page(auth, is_healthy)),
            *outbox_routes(auth.outbox),
            Route("/health", health),
            *auth_routes(auth),
            *realtime_routes(services),
            *storage_routes(storage),
            Route("/rest/v1/{path:path}", _no_rest, methods=METHODS),
            Route("/{service}/v1/{path:path}", _no_service, methods=METHODS),
        ],
        middleware=[Middleware(Cors)],
    )


async def _no_rest(_request: Request) -> JSONResponse:
    hint = "Use DATABASE_URL with a Postgres driver."
    body = {"code": "501", "message": _sentence("PostgREST"), "details": None, "hint": hint}
    return JSONResponse(body, 501)


async def _no_service(request: Request) -> JSONResponse:
    return JSONResponse({"code": 501, "message": _sentence(request.path_params["service"].capitalize())}, 501)


def _sentence(service: str) -> str:
    return f"The local stand-in has no {service}: use a hosted Supabase project for it."
