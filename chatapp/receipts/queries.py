"""Reads about receipts. They are the process's own: one for all who are in a room and share theirs."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam
from sqlalchemy import select as select_columns
from sqlmodel import col

from chatapp.accounts.model import Profile
from chatapp.actor import SYSTEM
from chatapp.db import Question, at_once
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import Mark

MEMBERS_MOST = 50
"""Members of a room that still shows who has seen what. Everybody's every step is told to everybody, so the cost grows
with the square; and nobody reads the names of a hundred."""


async def shown(room_ids: Iterable[UUID]) -> tuple[Mark, ...]:
    """Return the markers that may be shown in these rooms: of those who share theirs, where they are not too many."""
    [rows] = await at_once(SYSTEM, _SHOWN(rooms=list(room_ids), most=MEMBERS_MOST))
    return tuple(Mark(*row) for row in rows)


_SHOWN = Question(
    select_columns(
        col(Membership.room_id), col(Membership.user_id), col(Membership.read_seq), col(Membership.read_turn)
    )
    .join(Room, col(Room.id) == col(Membership.room_id))
    .join(Profile, col(Profile.id) == col(Membership.user_id))
    .where(
        col(Room.id) == any_(bindparam("rooms", type_=ARRAY(Uuid))),
        col(Room.member_count) <= bindparam("most"),
        col(Profile.receipts),
    )
)
