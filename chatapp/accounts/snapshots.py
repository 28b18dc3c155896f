"""Frozen copies of people, as states hold them and the wire carries them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

COLOURS = 8


@dataclass(frozen=True)
class Status:
    """What somebody says of themselves: an emoji, a few words or both, until a time (ISO 8601, "" for no end)."""

    emoji: str = ""
    text: str = ""
    until: str = ""

    @classmethod
    def of(cls, emoji: str, text: str, until: datetime | None, now: datetime | None = None) -> Self:
        """A status as it is stored; empty once it has ended, where `now` says what time it is."""
        over = bool(until and now and until <= now)
        return cls() if over else cls(emoji, text, iso(until))


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
    status: Status = Status()

    @classmethod
    def of(
        cls, user_id: UUID, name: str, avatar_url: str | None, receipts: bool = True, status: Status | None = None
    ) -> Self:
        picture = avatar_url or ""
        return cls(str(user_id), name, picture, initials(name), colour(user_id), receipts, status or Status())

    @classmethod
    def nobody(cls) -> Self:
        """What a state holds before anybody is known."""
        return cls("", "", "", "", 0)


@dataclass(frozen=True)
class Provider:
    """Somebody else's way of signing in: Supabase's name for it, and the one people know."""

    name: str
    label: str

    @classmethod
    def named(cls, name: str) -> Self:
        """`keycloak` is Keycloak and `linkedin_oidc` LinkedIn: versions are no news to people."""
        plain = name.removesuffix("_oidc")
        return cls(name, _LABELS.get(plain, plain.replace("_", " ").title()))


_LABELS = {
    "azure": "Microsoft",
    "github": "GitHub",
    "gitlab": "GitLab",
    "linkedin": "LinkedIn",
    "workos": "WorkOS",
    "x": "X",
}


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
