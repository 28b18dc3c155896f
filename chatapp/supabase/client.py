"""Clients of the project's HTTP services."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import httpx
from supabase import AsyncClient, AsyncClientOptions
from supabase_auth import AsyncMemoryStorage

from chatapp import settings

TIMEOUT_SECONDS = 10.0

# Connections belong to the event loop that opened them. Making a client is cheap, making its TLS context is
# not.
_wires: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()


def as_nobody() -> AsyncClient:
    """Return a client with the publishable key.

    A new one each time: a client remembers who signed in through it, and must never be shared between people.
    """
    return _client(settings.current().supabase_publishable_key)


def as_visitor() -> tuple[AsyncClient, AsyncMemoryStorage]:
    """Return a client like `as_nobody`'s whose links lead to codes (PKCE), and where it keeps what they need."""
    kept = AsyncMemoryStorage()
    return _client(settings.current().supabase_publishable_key, flow_type="pkce", storage=kept), kept


async def get(path: str) -> httpx.Response:
    """Ask the project for what needs the publishable key alone. Raises httpx.HTTPError."""
    chosen = settings.current()
    return await _wire().get(f"{chosen.supabase_url}{path}", headers={"apikey": chosen.supabase_publishable_key})


def as_project() -> AsyncClient:
    """Return a client with the secret key, which may do everything."""
    return _client(settings.current().supabase_secret_key.get_secret_value())


async def dispose() -> None:
    """Close this loop's connections."""
    if wire := _wires.pop(asyncio.get_running_loop(), None):
        await wire.aclose()


def _client(key: str, **more: Any) -> AsyncClient:
    options = AsyncClientOptions(persist_session=False, auto_refresh_token=False, httpx_client=_wire(), **more)
    return AsyncClient(settings.current().supabase_url, key, options)


def _wire() -> httpx.AsyncClient:
    loop = asyncio.get_running_loop()
    if loop not in _wires:
        _wires[loop] = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=True)
    return _wires[loop]
