"""Browsers may call the services from any page, as on a hosted project: keys and tokens protect them, not cookies.

The outbox and the status page are not among them: what this machine's mails say is nothing for a page from elsewhere.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
EXPOSED = (
    "Content-Range, Content-Length, ETag, Link, Location, Tus-Resumable, Upload-Length, Upload-Offset, X-Total-Count, "
    "X-Sb-Error-Code"
)


class Cors:
    """Answers preflights and marks answers, for addresses of services (`/auth/v1/…`)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/v1" not in scope["path"]:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await self._preflight(scope)(scope, receive, send)
        else:
            await self._app(scope, receive, _marking(send))

    @staticmethod
    def _preflight(scope: Scope) -> Response:
        wanted = Headers(scope=scope).get("access-control-request-headers", "*")
        return Response(
            headers={
                "access-control-allow-origin": "*",
                "access-control-allow-methods": METHODS,
                "access-control-allow-headers": wanted,
                "access-control-max-age": "3600",
            }
        )


def _marking(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["access-control-allow-origin"] = "*"
            headers["access-control-expose-headers"] = EXPOSED
        await send(message)

    return marked
