"""The HTTP face: four services, a status at the root, and a plain "not here" for the rest of Supabase."""

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
from .rest.routes import rest_routes
from .rest.service import Rest
from .status import status_page
from .storage.routes import storage_routes
from .storage.service import Storage

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def make_app(auth: Auth, rest: Rest, services: Services, storage: Storage, is_healthy: Callable[[], bool]) -> Starlette:
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
            *rest_routes(rest),
            *realtime_routes(services),
            *storage_routes(storage),
            Route("/{service}/v1/{path:path}", _no_service, methods=METHODS),
        ],
        middleware=[Middleware(Cors)],
    )


async def _no_service(request: Request) -> JSONResponse:
    service = request.path_params["service"].capitalize()
    message = f"The local stand-in has no {service}: use a hosted Supabase project for it."
    return JSONResponse({"code": 501, "message": message}, 501)
