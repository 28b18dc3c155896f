"""The page at the root: what runs here, and what does not."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .auth.service import Auth
from .outbox import html_page, is_local

SERVICES = {"auth": "/auth/v1", "realtime": "/realtime/v1", "storage": "/storage/v1"}
MISSING = ["rest", "functions", "graphql", "OAuth", "MFA", "SSO", "e-mail delivery"]


def status_page(auth: Auth, is_healthy: Callable[[], bool]) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler: HTML for a browser on this machine, JSON for everything else. No secrets on either."""

    async def show(request: Request) -> Response:
        status = "ok" if is_healthy() else "not ready"
        if is_local(request) and "text/html" in request.headers.get("accept", ""):
            return html_page(_body(auth.keys.record.url, auth.keys.record.publishable_key, status))
        what = "A local Supabase for development. It sends no mail: see /outbox."
        told = {"name": "standin", "what": what, "status": status, "services": SERVICES, "missing": MISSING}
        return JSONResponse(told)

    return show


def _body(url: str, key: str, status: str) -> str:
    listed = {"SUPABASE_URL": url, "SUPABASE_PUBLISHABLE_KEY": key} | {n: url + path for n, path in SERVICES.items()}
    served = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in listed.items())
    return f"""<h1>The stand-in</h1><p>A local Supabase for development: {status}.</p><dl>{served}</dl>
<p><a href="/outbox">Outbox</a>: the mails that were not sent.</p><p>Not here: {", ".join(MISSING)}.</p>"""
