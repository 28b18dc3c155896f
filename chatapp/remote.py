"""A configured Supabase project, seen from here: does it answer, know our keys, and have our tables?

Asked before the app starts, so that whoever set it up is told in one sentence what is wrong and how to cure it.
"""

from __future__ import annotations

import asyncio

import httpx

from chatapp import migrate
from chatapp.errors import Misconfigured, NotMigrated, Unavailable
from chatapp.settings import Settings

KEYS_PAGE = "copy it from the dashboard, Project Settings > API Keys"
ANSWER_SECONDS = 8.0


async def check(project: Settings) -> None:
    """Ask a configured project, the one in use, whether it is there, knows our keys, and has our tables."""
    async with httpx.AsyncClient(base_url=project.supabase_url, timeout=ANSWER_SECONDS) as client:
        await _check_key(client, "/auth/v1/settings", "SUPABASE_PUBLISHABLE_KEY", project.supabase_publishable_key)
        secret = project.supabase_secret_key.get_secret_value()
        await _check_key(client, "/auth/v1/admin/users?per_page=1", "SUPABASE_SECRET_KEY", secret)
    if not project.migrate_on_start and await asyncio.to_thread(migrate.pending):
        raise NotMigrated(
            "The database is not up to date with this version: run `.venv/bin/python -m chatapp migrate`, "
            "or start with MIGRATE_ON_START=1."
        )


async def _check_key(client: httpx.AsyncClient, path: str, name: str, key: str) -> None:
    try:
        answer = await client.get(path, headers={"apikey": key, "Authorization": f"Bearer {key}"})
    except httpx.HTTPError as error:
        raise Unavailable(
            f"The Supabase project at {client.base_url} does not answer ({_reason(error)}): check SUPABASE_URL and the "
            "network, and resume the project in its dashboard if it is paused."
        ) from error
    if answer.status_code in (401, 403):
        raise Misconfigured(f"The Supabase project at {client.base_url} refuses {name}: {KEYS_PAGE}.")
    if answer.status_code != 200:
        raise Misconfigured(
            f"What answers at {client.base_url} is no working Supabase project (HTTP {answer.status_code} for {path}): "
            "check SUPABASE_URL."
        )


def _reason(error: httpx.HTTPError) -> str:
    return f"nothing within {ANSWER_SECONDS:.0f} s" if isinstance(error, httpx.TimeoutException) else str(error)
