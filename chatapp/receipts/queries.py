"""Reads about receipts. They are the process's own: one for all who are in a room and share theirs."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlmodel import col, select

from chatapp.accounts.model import Profile
from chatapp.actor import SYSTEM
from chatapp.db import transaction
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import Mark

MEMBERS_MOST = 50
"""Members of a room that still shows who has seen what. Everybody's every step is told to everybody, so the cost grows
with the square; and nobody reads the names of a hundred."""


async def shown(room_ids: Iterable[UUID]) -> tuple[Mark, ...]:
    """Return the markers that may be shown in these rooms: of those who share theirs, where they are not too many."""
    mark = (col(Membership.room_id), col(Membership.user_id), col(Membership.read_seq), col(Membership.read_turn))
    wanted = (
        select(*mark)
        .join(Room, col(Room.id) == col(Membership.room_id))
        .join(Profile, col(Profile.id) == col(Membership.user_id))
        .where(col(Room.id).in_(list(room_ids)), col(Room.member_count) <= MEMBERS_MOST, col(Profile.receipts))
    )
    async with transaction(SYSTEM) as session:
        return tuple(Mark(*row) for row in await session.exec(wanted))
