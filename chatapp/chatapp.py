"""Composition root: the app, its pages, its gate, and what runs as long as the process does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import reflex as rx
from starlette.applications import Starlette

from chatapp import db, fanout, memory, pages, project, settings, shared
from chatapp.accounts import actions, sessions, web
from chatapp.accounts.state import Viewer
from chatapp.actor import Actor
from chatapp.gate import Gate, report
from chatapp.presence import state as presence
from chatapp.realtime import topic
from chatapp.service import Service
from chatapp.supabase import client

SETTLE_SECONDS = 2.0
"""How long a server that stops waits for what it is still telling Supabase."""

UNFINISHED_MOST = 200
"""Events of one tab that are worked on or wait: a person makes a few, and one message at a time is on its way."""


@asynccontextmanager
async def backend(app: rx.App) -> AsyncIterator[None]:
    """The process's Supabase project, its live path; all ended when the server stops."""
    await project.connect()
    service = Service(f"{settings.current().supabase_url}/realtime/v1", _secret_key())
    running = asyncio.create_task(service.run(), name="service")
    shared.wire().bound(UNFINISHED_MOST)
    memory.settle()
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await actions.settle(SETTLE_SECONDS)
        await client.dispose()
        await db.dispose()


async def _follow(sid: str, actor: Actor) -> None:
    """Have a tab found when its session ends, and its person be there until it closes."""
    if await shared.wire().enter(sid, topic.session(actor.session_id)):
        presence.HERE.arrived(sid, str(actor.user_id))


def _secret_key() -> str:
    return settings.current().supabase_secret_key.get_secret_value()


def build() -> rx.App:
    """The app, with every page, handler and route behind its gate."""
    made = rx.App(
        head_components=pages.head_components(),
        backend_exception_handler=report,
        api_transformer=Starlette(routes=web.routes),
    )
    made.add_middleware(Gate(sessions.resolve, _follow), index=0)
    made.register_lifespan_task(backend)
    pages.add_pages(made)
    shared.check(Viewer.me)
    fanout.install(made.sio)
    shared.use(shared.Wire(made))
    return made


app = build()
