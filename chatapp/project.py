"""Which Supabase project this process works on: the configured one, else the stand-in.

Part of the composition root: the backend and the launcher settle it alike, whoever comes first.
"""

from __future__ import annotations

import asyncio

from pydantic import SecretStr

from chatapp import settings
from chatapp.errors import Unavailable
from chatapp.standin import lifecycle
from chatapp.standin.errors import StandinError
from chatapp.standin.locks import is_held

STANDIN_DATA = settings.standin_data()
"""Where the stand-in keeps its data."""


async def connect() -> settings.Settings:
    """Settle the project, start, migrate and fill the stand-in if it is the one, and return the settings now in use.

    A configured project is migrated only when its settings say so. Safe to call from several processes at once. Raises
    ChatError.
    """
    from chatapp import demo, migrate  # the launcher uses the rest of this module, and must not wait 2 s for these

    chosen = settings.load()
    if chosen is None:
        chosen = await asyncio.to_thread(standin_settings)
    settings.use(chosen)
    if chosen.is_standin or chosen.migrate_on_start:
        await migrate.migrate()
    if chosen.is_standin:
        await demo.seed()
    return chosen


def standin_settings() -> settings.Settings:
    """Start or join the stand-in, as its user until this process ends. Raises Unavailable."""
    try:
        project = lifecycle.ensure(STANDIN_DATA)
    except StandinError as error:
        raise Unavailable(str(error)) from error
    return settings.Settings(
        supabase_url=project.url,
        supabase_publishable_key=project.publishable_key,
        supabase_secret_key=SecretStr(project.secret_key),
        database_url=SecretStr(project.database_url),
        is_standin=True,
    )


def revive() -> None:
    """Start the stand-in again if something killed it; on the same ports, so that nobody else has to know."""
    if not is_held(STANDIN_DATA / "server.lock"):
        standin_settings()


def leave() -> None:
    """Stop using the stand-in, and stop it if nobody else does. Does nothing for a configured project."""
    lifecycle.release(STANDIN_DATA, stop_if_last=True)
