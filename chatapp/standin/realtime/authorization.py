"""Who may read from and write to a private topic: ask the policies on `realtime.messages`, as the caller, and
roll back.

This is how the hosted service decides, so policies written for one hold for the other: for reading, a row is
put into the topic and looked for under the caller's claims; for writing, the caller tries to put one in.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import psycopg

from chatapp.standin.database import Connection, Database, impersonate, one

EXTENSIONS = ("broadcast", "presence")
Rights = dict[str, bool]


async def reading_rights(database: Database, topic: str, claims: Mapping[str, Any]) -> Rights:
    """Return which extensions of `topic` somebody with `claims` may read."""
    async with database.transaction(rollback=True) as connection:
        probes = {extension: await _put(connection, topic, extension) for extension in EXTENSIONS}
        await impersonate(connection, claims, topic)
        return {extension: await _sees(connection, probe) for extension, probe in probes.items()}


async def writing_rights(database: Database, topic: str, claims: Mapping[str, Any]) -> Rights:
    """Return which extensions of `topic` somebody with `claims` may write to."""
    async with database.transaction(rollback=True) as connection:
        await impersonate(connection, claims, topic)
        return {extension: await _may_put(connection, topic, extension) for extension in EXTENSIONS}


async def _put(connection: Connection, topic: str, extension: str) -> uuid.UUID:
    probe = uuid.uuid4()
    await connection.execute(
        "insert into realtime.messages (id, topic, extension, private) values (%s, %s, %s, true)",
        (probe, topic, extension),
    )
    return probe


async def _sees(connection: Connection, probe: uuid.UUID) -> bool:
    """A policy that fails (a cast, a missing right) is a "no", not an error: the next extension is still
    asked.
    """
    try:
        async with connection.transaction():
            return await one(connection, "select 1 as seen from realtime.messages where id = %s", probe) is not None
    except psycopg.Error:
        return False


async def _may_put(connection: Connection, topic: str, extension: str) -> bool:
    try:
        async with connection.transaction():
            await _put(connection, topic, extension)
            return True
    except psycopg.Error:
        return False
