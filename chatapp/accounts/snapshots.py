"""Frozen copies of people, as states hold them and the wire carries them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

COLOURS = 8


@dataclass(frozen=True)
class ProfileSnapshot:
    """A person. `colour` is 0 to 7 and the same everywhere; `initials` stand in for a missing picture.

    `receipts`: where they have read to is shown to others, and others' to them.
    """

    id: str
    name: str
    avatar_url: str
    initials: str
    colour: int
    receipts: bool = True

    @classmethod
    def of(cls, user_id: UUID, name: str, avatar_url: str | None, receipts: bool = True) -> Self:
        return cls(str(user_id), name, avatar_url or "", initials(name), colour(user_id), receipts)

    @classmethod
    def nobody(cls) -> Self:
        """What a state holds before anybody is known."""
        return cls("", "", "", "", 0)


def initials(name: str) -> str:
    """Return the first letters of the first and last word, in capitals: one for a single word."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def colour(user_id: UUID) -> int:
    """Return the person's colour: from the id's random bits, so nothing has to be stored."""
    return user_id.int % COLOURS


def iso(moment: datetime | None) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds and a Z, "" for None: browsers read it as it is."""
    if moment is None:
        return ""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
