"""Reads about people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Uuid, any_, bindparam
from sqlalchemy import select as select_columns
from sqlmodel import col, func

from chatapp.accounts.model import Profile, Session
from chatapp.accounts.snapshots import ProfileSnapshot, Status
from chatapp.actor import SYSTEM, Actor
from chatapp.db import Question, at_once
from chatapp.errors import Unauthorized
from chatapp.together import Together

AT_ONCE = 500
"""People that one query asks about at most."""

_KEYS = bindparam("keys", type_=ARRAY(LargeBinary))  # one parameter, however many there are
_OPEN = Question(
    select_columns(col(Session.id_hash), col(Session.user_id)).where(
        col(Session.id_hash) == any_(_KEYS), col(Session.expires_at) > func.now()
    )
)
_SHOWN = ("id", "name", "avatar_url", "receipts", "status_emoji", "status_text", "status_until")
_PROFILES = Question(
    select_columns(
        *(col(getattr(Profile, name)) for name in _SHOWN),
    ).where(col(Profile.id) == any_(bindparam("people", type_=ARRAY(Uuid))))
)


async def profile(actor: Actor) -> ProfileSnapshot:
    """Return the actor as others see them. Raises Unauthorized when the account is gone."""
    found = await _profiles.ask(actor.user_id)
    if found is None:
        raise Unauthorized
    return found


async def actor_of(session_id_hash: bytes) -> Actor | None:
    """Return who a session belongs to, None when there is no such session or it has expired."""
    return await _actors.ask(session_id_hash)


async def open_sessions(session_id_hashes: Sequence[bytes]) -> set[bytes]:
    """Return which of these sessions are there and have not expired."""
    return set(await _actors_of(session_id_hashes))


async def _actors_of(session_id_hashes: Sequence[bytes]) -> dict[bytes, Actor]:
    [rows] = await at_once(SYSTEM, _OPEN(keys=list(session_id_hashes)))
    return {row.id_hash: Actor(row.user_id, row.id_hash.hex()) for row in rows}


async def _profiles_of(user_ids: Sequence[UUID]) -> dict[UUID, ProfileSnapshot]:
    """The process reads them, each for the person it belongs to."""
    [rows] = await at_once(SYSTEM, _PROFILES(people=list(user_ids)))
    return {row.id: _profile(row, datetime.now(UTC)) for row in rows}


def _profile(row: Any, now: datetime) -> ProfileSnapshot:
    status = Status.of(row.status_emoji, row.status_text, row.status_until, now)
    return ProfileSnapshot.of(row.id, row.name, row.avatar_url, row.receipts, status)


_actors: Together[bytes, Actor] = Together(_actors_of, AT_ONCE)
_profiles: Together[UUID, ProfileSnapshot] = Together(_profiles_of, AT_ONCE)
