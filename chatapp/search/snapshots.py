"""What is asked for and what is found, as states hold them and the wire carries them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from chatapp.errors import Invalid
from chatapp.texts import clean

TEXT_LIMIT = 200
TERMS_MOST = 10
BEGINNING_LEAST = 3
"""Characters that a word must have to stand for all that begin with it."""

_PIECE = re.compile(r'(?:(in|from|before|after|has):)?(?:"([^"]*)"?|([^\s"]+))', re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UNSPACED = "\u0e00"
"""From here on scripts write without spaces, or nearly so: the end of a term is not the beginning of a word."""

SHOWN_AGAIN = str.maketrans("\x0e\x0f\x10\x11\x12\x13\x14\x15\x16", "<>&/.@:-+", "\x01\x1f")
"""Undoes what private.parted does to a text."""
START, STOP = "\x02", "\x03"
"""Around a word that was found, in what the database answers."""


@dataclass(frozen=True)
class Wanted:
    """A search, taken apart. `whole` words and phrases are meant as they are, `begun` ones as beginnings of words."""

    whole: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    rooms: str = ""
    author: str = ""
    since: datetime | None = None
    until: datetime | None = None
    link: bool = False

    @property
    def terms(self) -> tuple[str, ...]:
        """All words and phrases."""
        return (*self.whole, *self.begun)

    @classmethod
    def of(cls, text: str) -> Wanted:
        """Take a text apart, e.g. `in:"Design team" from:ada after:2026-01-31 has:link "as it is" begin`.

        Raises Invalid, with what to change, for what is empty, too long or not understood.
        """
        wanted = cls()
        for operator, quoted, bare in _PIECE.findall(clean(text, "The search", TEXT_LIMIT)):
            wanted = wanted._with(operator.lower(), (quoted or bare).strip(), quoted=bool(quoted))
        if len(wanted.terms) > TERMS_MOST:
            raise Invalid(f"Search for {TERMS_MOST} words at the most.")
        if wanted == cls():
            raise Invalid("Type what to search for.")
        return wanted

    def _with(self, operator: str, value: str, *, quoted: bool) -> Wanted:
        match operator:
            case "":
                return self._with_term(value, quoted)
            case _ if not value:
                raise Invalid(f"Say what should come after {operator}:")
            case "in":
                return replace(self, rooms=value.removeprefix("#"))
            case "from":
                return replace(self, author=value.removeprefix("@"))
            case "after":
                return replace(self, since=_day(value))
            case "before":
                return replace(self, until=_day(value))
        if value.lower() not in {"link", "links"}:
            raise Invalid("has: knows one thing to look for: has:link")
        return replace(self, link=True)

    def _with_term(self, value: str, quoted: bool) -> Wanted:
        if not value:
            return self
        if quoted or len(value) < BEGINNING_LEAST or value[-1] >= _UNSPACED:
            return replace(self, whole=(*self.whole, value))
        return replace(self, begun=(*self.begun, value))


def _day(value: str) -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if value.lower() in {"today", "yesterday"}:
        return today - timedelta(days=value.lower() == "yesterday")
    try:
        if not _DATE.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid(f"{value} is no day. Write it as 2026-01-31.") from None


@dataclass(frozen=True)
class Part:
    """A piece of a message's text; `hit`: it is what was searched for."""

    text: str
    hit: bool = False


@dataclass(frozen=True)
class FoundSnapshot:
    """A message that was found: the part of it around what was searched for."""

    id: str
    room_id: str
    room: str
    author_id: str
    author: str
    initials: str
    colour: int
    avatar_url: str
    created_at: str
    path: str
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Last:
    """Where a page of results ends: the next one begins before it."""

    at: datetime
    id: UUID


@dataclass(frozen=True)
class Results:
    """A page of results. `last` is None where no more follow; `alike`: the words are not there, similar ones are."""

    found: tuple[FoundSnapshot, ...] = ()
    last: Last | None = None
    alike: bool = False


def parts(headline: str, before: str, after: str) -> list[Part]:
    """Return what private.parted and `ts_headline` made of a text in pieces. What the message says `before` and `after`
    it is left out, with dots in its place where there are words in it.
    """
    before, *marked = f"{_edge(before)}{headline}{_edge(after)}".split(START)
    pieces = [(before, False)]
    for each in marked:
        hit, _, rest = each.partition(STOP)
        pieces += [(hit, True), (rest, False)]
    shown = ((text.translate(SHOWN_AGAIN), hit) for text, hit in pieces)
    joined = groupby((each for each in shown if each[0]), key=itemgetter(1))  # characters that are words of their own
    return [Part("".join(text for text, _ in some), hit) for hit, some in joined]


def _edge(text: str) -> str:
    """`ts_headline` leaves out what stands beside the first and the last word, too: a full stop is no loss."""
    return "…" if any(letter.isalnum() for letter in text) else text
