"""What the database is asked about a change: the rows as JSON, which filters are met, and who may select the row.

All of it is one prepared statement for all changes of one shape (table, kind, columns that were sent) as long as the
same people ask: a change costs one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import sql

from .filters import Filter
from .line import Line
from .pgoutput import Change, Values
from .subscriptions import Binding
from .tables import MEMBERSHIPS, Table

if TYPE_CHECKING:
    from .channels import Channel


@dataclass(frozen=True)
class Asker:
    """One channel's interest in one table."""

    channel: Channel
    binding: Binding

    @property
    def role(self) -> str:
        return str(self.channel.claims["role"])

    @property
    def claims(self) -> str:
        return json.dumps(self.channel.claims, sort_keys=True, default=str)


@dataclass(frozen=True)
class Answer:
    """What came back. `memberships` is what the rights rested on: see `Table`."""

    new: dict[str, Any]
    old: dict[str, Any]
    memberships: str | None
    told: list[Asker]


@dataclass(frozen=True)
class Rows:
    """The row as a change leaves it and as it was, as far as it was sent, in Postgres's text form."""

    new: Values
    old: Values
    transaction: int
    """That of the change. The log tells of it before others can see what it did."""

    @classmethod
    def of(cls, change: Change, table: Table) -> Rows:
        """A long value that an update did not change is not sent again; the old row may have it."""
        names = {column.name for column in table.columns}
        new = {name: change.new[name] for name in change.new if name in names}
        key = {column.name: new[column.name] for column in table.key if column.name in new}
        old = {name: change.old[name] for name in change.old if name in names} or key
        return cls({**old, **new} if change.kind == "UPDATE" else new, old, change.transaction)

    @property
    def shape(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(self.new), tuple(self.old)

    @property
    def values(self) -> list[str | None]:
        return [str(self.transaction), *self.new.values(), *self.old.values()]


@dataclass
class Question:
    """The statement for changes of one shape of `table`, and those who wait for its answer."""

    table: Table
    kind: str
    rows: Rows
    """One of the shape: only its columns count here."""
    askers: Sequence[Asker]
    _filters: list[Filter] = field(init=False)
    _claims: list[str] = field(init=False)

    def __post_init__(self) -> None:
        types = {column.name: column.type for column in self.table.columns}
        new = {name: _parameter(number, types[name]) for number, name in enumerate(self.rows.new, 2)}
        old = {name: _parameter(number, types[name]) for number, name in enumerate(self.rows.old, len(new) + 2)}
        self._asked = old if self.kind == "DELETE" else new
        self._types, self._new, self._old = types, new, old
        # What was not sent, as in most deletions, meets no filter.
        self._filters = list({f for asker in self.askers for f in asker.binding.filters if f.column in self._asked})
        self._claims_of = {asker: asker.claims for asker in self.askers}
        # By role: a policy's plan is made for one role, and made again at every change of it.
        self._claims = sorted(set(self._claims_of.values()), key=lambda claims: (json.loads(claims)["role"], claims))
        self._statement: tuple[str | None, str] | None = None

    async def ask(self, line: Line, rows: Rows) -> Answer:
        """Ask it of one change. Raises LineError and LineLostError."""
        looking = await line.prepare(self._look()) if self._guarded else None
        if self._statement is None or self._statement[0] != looking:
            self._statement = looking, self._text(looking)
        new, old, memberships, met, seen = await line.ask(self._statement[1], rows.values)
        told = self._told(_flags(met), _flags(seen))
        return Answer(json.loads(new or "{}"), json.loads(old or "{}"), memberships, told)

    @property
    def _guarded(self) -> bool:
        """Whether rows are seen by some only. Who may see a deleted row cannot be asked any more."""
        return self.table.guarded and self.kind != "DELETE" and bool(self.askers)

    def _told(self, met: list[bool], seen: list[bool]) -> list[Asker]:
        filters = dict(zip(self._filters, met, strict=True))
        sees = dict(zip(self._claims, seen, strict=True)) if self._guarded else None
        return [
            asker
            for asker in self.askers
            if all(filters.get(each, False) for each in asker.binding.filters)
            and (sees is None or sees[self._claims_of[asker]])
        ]

    def _text(self, looking: str | None) -> str:
        conditions = [each.condition(self._asked[each.column], self._type(each.column)) for each in self._filters]
        statement = sql.SQL(
            "select new, old, memberships, met, {} from (select ({})::text as new, ({})::text as old, "
            "({})::text as memberships, array[{}]::boolean[] as met, $1::bigint as transaction) asked"
        ).format(self._seen(looking), _json(self._new), _json(self._old), sql.SQL(MEMBERSHIPS), _listed(conditions))
        return statement.as_string()

    def _seen(self, looking: str | None) -> sql.Composable:
        if looking is None:
            return sql.SQL("null::boolean[] as seen")
        unknown = sql.SQL("null")
        key = _listed([sql.SQL("{}::text").format(self._new.get(each.name, unknown)) for each in self.table.key])
        wanted = _listed([self._wants(claims) for claims in self._claims])
        return sql.SQL("_standin.visible_to(transaction, {}, array[{}], {}::jsonb[], array[{}]) as seen").format(
            sql.Literal(looking), key, sql.Literal(_array(self._claims)), wanted
        )

    def _wants(self, claims: str) -> sql.Composable:
        """Whoever's filters are not met is not looked for: that is what costs most."""
        wishes = {asker.binding.filters for asker in self.askers if self._claims_of[asker] == claims}
        if () in wishes:
            return sql.SQL("true")
        return sql.SQL(" or ").join(sql.SQL("({})").format(self._all_met(filters)) for filters in wishes)

    def _all_met(self, filters: Iterable[Filter]) -> sql.Composable:
        places = [self._filters.index(each) + 1 if each in self._filters else 0 for each in filters]
        return sql.SQL(" and ").join(sql.SQL(f"met[{place}]") if place else sql.SQL("false") for place in places)

    def _look(self) -> str:
        """The query that finds the row by its key, for whoever may select it."""
        conditions = [
            sql.SQL("{} = {}").format(sql.Identifier(column.name), _parameter(number, column.type))
            for number, column in enumerate(self.table.key, 1)
        ]
        entity = sql.Identifier(self.table.schema, self.table.name)
        return sql.SQL("select true from {} where {} limit 1").format(entity, _joined(conditions, " and ")).as_string()

    def _type(self, name: str) -> sql.SQL:
        return sql.SQL(self._types[name])


def _parameter(number: int, kind: str) -> sql.Composable:
    return sql.SQL(f"${number}::{kind}")


def _json(row: dict[str, sql.Composable]) -> sql.Composable:
    items = [sql.SQL("{} as {}").format(row[name], sql.Identifier(name)) for name in row]
    return sql.SQL("select to_jsonb(r) from (select {}) r").format(_listed(items))


def _listed(parts: Sequence[sql.Composable]) -> sql.Composable:
    return _joined(parts, ", ")


def _joined(parts: Sequence[sql.Composable], between: str) -> sql.Composable:
    return sql.SQL(between).join(parts)


def _array(texts: list[str]) -> str:
    """An array's text, every value quoted."""
    quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in texts)
    return "{" + ",".join(f'"{each}"' for each in quoted) + "}"


def _flags(array: str | None) -> list[bool]:
    """Read an array of booleans that has no nulls in it."""
    return [each == "t" for each in (array or "{}")[1:-1].split(",") if each]
