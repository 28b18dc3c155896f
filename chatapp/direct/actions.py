"""The verb of direct messages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, bindparam, func
from sqlalchemy import select as select_columns

from chatapp.actor import Actor
from chatapp.db import transaction
from chatapp.errors import ChatError, Invalid, NotFound
from chatapp.texts import email_address

PEOPLE_MOST = 8
"""Besides oneself; the database holds it."""


async def open_direct(actor: Actor, people: Collection[UUID], addresses: Collection[str] = ()) -> UUID:
    """Return the room of the actor and these people, made where there is none yet. The same people, the same room.

    `people` share a room with the actor; anybody else is named by their exact e-mail address. Raises Invalid when there
    are none, too many, or more addresses than one may ask for, and NotFound for people who aren't there.
    """
    named = {"people": list(set(people)), "addresses": sorted({email_address(each).lower() for each in addresses})}
    async with transaction(actor) as session:
        found = (await session.exec(_OPEN, params=named)).one()
    if found.room is None:  # told after the transaction: that addresses were asked for must be kept
        raise _refusal(found.refusal)
    opened: UUID = found.room
    return opened


def _refusal(why: str) -> ChatError:
    match why:
        case "nobody":
            return Invalid("Choose somebody to write to.")
        case "many":
            return Invalid(f"A direct message has {PEOPLE_MOST} people besides you at the most.")
        case "wait":
            return Invalid("Too many addresses for now. Please try again in an hour.")
        case "unknown":
            return NotFound("Nobody here goes by that address.")
    return NotFound("You share no room with that person.")


_OPENED: Any = func.private.open_direct(
    bindparam("people", type_=ARRAY(Uuid)), bindparam("addresses", type_=ARRAY(Text))
)
_OPEN: Any = select_columns(_OPENED.table_valued("room", "refusal").alias("opened"))
