"""On whose behalf something is done: the first argument of every action and query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated person.

    `session_id` is the hex of the session's hashed id, which is also the sessions' key.
    """

    user_id: UUID
    session_id: str

    @property
    def role(self) -> Literal["authenticated"]:
        return "authenticated"


@dataclass(frozen=True, slots=True)
class System:
    """The process itself.

    Row-level security does not apply to it, so few places may use it (see the architecture test).
    """

    @property
    def role(self) -> Literal["service_role"]:
        return "service_role"


SYSTEM: Final = System()
