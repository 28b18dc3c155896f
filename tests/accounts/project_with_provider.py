"""A project that has a provider on: the stand-in, with the two answers of Auth that it lacks put before it.

The provider itself is short: whoever is sent there is Ada. What comes back from it, the code, its challenge and its one
use, is the stand-in's own: asked for in Ada's name and taken from the link in her mail.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from chatapp.settings import Settings
from tests.ports import free_port


class ProjectWithProvider:
    """`async with` it, and it answers at `url`."""

    def __init__(self, behind: Settings, who: str) -> None:
        self._behind, self._who = behind, who
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> ProjectWithProvider:
        routes = [
            Route("/auth/v1/settings", self._settings),
            Route("/auth/v1/authorize", self._authorize),
            Route("/{path:path}", self._on, methods=["GET", "POST", "PUT"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), port=self.port, log_level="warning")
        self._server = uvicorn.Server(config)
        self._running = asyncio.create_task(self._server.serve())
        while not self._server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._running

    async def _settings(self, request: Request) -> Response:
        return JSONResponse({"external": {"email": False, "phone": True, "google": True, "github": False}})

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        challenge = {name: asked[name] for name in ("code_challenge", "code_challenge_method")}
        async with httpx.AsyncClient(base_url=self._behind.supabase_url) as behind:
            headers = {"apikey": self._behind.supabase_publishable_key}
            body = {"email": self._who, "create_user": False, **challenge}
            where = {"redirect_to": asked["redirect_to"]}
            (await behind.post("/auth/v1/otp", json=body, params=where, headers=headers)).raise_for_status()
            mails = (await behind.get("/outbox.json", params={"to": self._who})).json()
            link = urlsplit(mails[0]["link"])
            back = await behind.get(f"{link.path}?{link.query}")
        return RedirectResponse(back.headers["location"])

    async def _on(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        async with httpx.AsyncClient(base_url=self._behind.supabase_url) as behind:
            path = f"{request.url.path}?{request.url.query}"
            answer = await behind.request(request.method, path, content=await request.body(), headers=headers)
        return Response(answer.content, answer.status_code, {"content-type": answer.headers["content-type"]})
