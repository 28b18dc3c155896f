"""What a request's address and headers ask for (https://docs.postgrest.org/en/stable/references/api/tables_views.html)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from starlette.requests import Request

from chatapp.standin.lists import split, unquoted

from .catalogue import SCHEMA
from .errors import RestError, not_here, unreadable

MOST_ROWS = 1000  # of one answer to a question, as hosted by default
RESERVED = {"select", "order", "limit", "offset", "columns", "on_conflict", "apikey"}
CASTS = re.compile(
    r"text|varchar|int|integer|int[248]|smallint|bigint|numeric|real|float[48]?|bool|boolean|date|time|timestamp"
    r"|timestamptz|interval|uuid|jsonb?",
    re.IGNORECASE,
)
NAME = r'"(?:[^"\\]|\\.)*"|[^",.:()]+'
ITEM = re.compile(rf"(?:(?P<alias>{NAME}):(?!:))?(?P<name>{NAME})(?:::(?P<cast>\w+))?")
TERM = re.compile(rf"(?P<name>{NAME})(?:\.(?P<way>asc|desc))?(?:\.nulls(?P<nulls>first|last))?")
OBJECT, ARRAY = "application/vnd.pgrst.object", "application/vnd.pgrst.array"


@dataclass(frozen=True)
class Column:
    """One column of the answer; `*` stands for all."""

    name: str
    alias: str | None = None
    cast: str | None = None


@dataclass(frozen=True)
class Order:
    """One column to sort by."""

    name: str
    way: str = "asc"
    nulls: str | None = None


@dataclass(frozen=True)
class Query:
    """A request, read. `conditions` are pairs of a name and a text that no one has looked into yet."""

    select: tuple[Column, ...] = (Column("*"),)
    order: tuple[Order, ...] = ()
    offset: int = 0
    limit: int | None = None
    conditions: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] | None = None
    conflict: tuple[str, ...] = ()
    prefer: frozenset[str] = field(default_factory=frozenset)
    is_one: bool = False
    """One object was asked for: any other number of rows is an error."""
    is_single: bool = False
    """The answer is one value and no list."""
    is_scalar: bool = False
    is_stripped: bool = False

    @property
    def is_counted(self) -> bool:
        return not self.prefer.isdisjoint({"count=exact", "count=planned", "count=estimated"})

    @property
    def is_shown(self) -> bool:
        return "return=representation" in self.prefer

    @property
    def most_changed(self) -> int | None:
        """How many rows may be changed, where the caller set a limit."""
        given = [each.partition("=")[2] for each in self.prefer if each.startswith("max-affected=")]
        return int(given[0]) if "handling=strict" in self.prefer and given and given[0].isdecimal() else None


def query_of(request: Request) -> Query:
    """Read a request. Raises RestError."""
    given = request.query_params
    if "\0" in "".join(map("".join, given.multi_items())):
        raise unreadable("address", "", "a NUL character")
    columns, conflict = given.get("columns"), given.get("on_conflict")
    offset, limit = _range(request)
    single, stripped = _accepted(request)
    return Query(
        select=tuple(_column(part.strip()) for part in split(given.get("select") or "*", ",")),
        order=tuple(_order(part.strip()) for part in split(given["order"], ",")) if given.get("order") else (),
        offset=offset,
        limit=limit,
        conditions=tuple((name, text) for name, text in given.multi_items() if name not in RESERVED),
        columns=_names(columns) if columns else None,
        conflict=_names(conflict) if conflict else (),
        prefer=_preferences(request),
        is_one=single,
        is_single=single,
        is_stripped=stripped,
    )


def name_of(text: str) -> str:
    """Return a column's name from the address. Raises RestError."""
    name = unquoted(text.strip())
    if not name:
        raise unreadable("name", text, "a column has a name")
    if name == text.strip() and "->" in name:
        raise not_here("paths into JSON")
    return name


def _names(text: str) -> tuple[str, ...]:
    return tuple(name_of(part) for part in split(text, ","))


def _column(text: str) -> Column:
    found = ITEM.fullmatch(text)
    if found is None:
        raise not_here("embedding and aggregates") if "(" in text else unreadable("select parameter", text, "a column")
    if found["cast"] and not CASTS.fullmatch(found["cast"]):
        raise not_here(f"cast to {found['cast']}")
    return Column(name_of(found["name"]), found["alias"] and name_of(found["alias"]), found["cast"])


def _order(text: str) -> Order:
    found = TERM.fullmatch(text)
    if found is None:
        raise not_here("order by another table") if "(" in text else unreadable("order", text, "a column and a way")
    return Order(name_of(found["name"]), found["way"] or "asc", found["nulls"])


def _preferences(request: Request) -> frozenset[str]:
    return frozenset(part.strip() for line in request.headers.getlist("prefer") for part in line.split(","))


def _accepted(request: Request) -> tuple[bool, bool]:
    """Return whether one object is wanted, and whether nulls are left out. Raises RestError."""
    schema = request.headers.get("accept-profile" if request.method in ("GET", "HEAD") else "content-profile")
    if schema not in (None, "", SCHEMA):
        hint = f"Only the following schemas are exposed: {SCHEMA}"
        raise RestError(406, "PGRST106", f"Invalid schema: {schema}", None, hint)
    wanted = request.headers.get("accept") or "*/*"
    kinds = [part.split(";")[0].strip().removesuffix("+json") for part in wanted.split(",")]
    if not {OBJECT, ARRAY, "application/json", "application/*", "*/*"}.intersection(kinds):
        raise RestError(406, "PGRST107", f"None of these media types are available: {wanted}")
    return OBJECT in kinds, "nulls=stripped" in wanted


def _range(request: Request) -> tuple[int, int | None]:
    """Return where the answer begins and how many rows it has at most, by the address and by `Range`."""
    given, header = request.query_params, re.fullmatch(r"(\d{1,15})-(\d{0,15})", request.headers.get("range", ""))
    first, last = header.groups() if header and request.method in ("GET", "HEAD") else ("0", "")
    offset, limit = max(int(first), _number(given.get("offset")) or 0), _number(given.get("limit"))
    ends = [int(last) + 1] if last else []
    ends += [(_number(given.get("offset")) or 0) + limit] if limit is not None else []
    if (limit or 0) < 0:
        raise out_of_range("Limit should be greater than or equal to zero.")
    if ends and min(ends) < offset:
        raise out_of_range("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
    return offset, min(ends) - offset if ends else None


def _number(text: str | None) -> int | None:
    """What is no number is passed over, as PostgREST does."""
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,15}", text) else None


def out_of_range(details: str) -> RestError:
    """Rows were asked for that there cannot be."""
    return RestError(416, "PGRST103", "Requested range not satisfiable", details)
