"""Whom one can write to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func
from sqlalchemy import select as select_columns

from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.rooms.snapshots import PersonSnapshot
from chatapp.texts import storable


async def people(actor: Actor, search: str = "") -> tuple[PersonSnapshot, ...]:
    """Return people the actor shares a room with, those they share most with first; `search` is a part of the name.

    Raises Invalid for a text that cannot be in a name.
    """
    wanted = storable(search, "Name").strip()
    async with transaction(actor) as session:
        rows = await session.exec(_PEOPLE, params={"search": wanted})
        return tuple(PersonSnapshot.of(row.id, row.name, row.avatar_url) for row in rows)


# The function reads past the policies, which would be asked about each person anew.
_PEOPLE: Any = select_columns(
    func.private.my_people(bindparam("search")).table_valued("id", "name", "avatar_url").alias("people")
)
