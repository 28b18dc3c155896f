"""Asking for `postgres_changes`: what a client may ask for, and checking it before anything changes."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from chatapp.standin.database import Connection, Database

from .filters import PATTERNS, Filter, FilterError, parse
from .pgoutput import Change
from .tables import Table, published, table_of

KINDS = ("INSERT", "UPDATE", "DELETE")
MOST_BINDINGS = 100  # a channel's; more are refused


class SubscriptionError(Exception):
    """What was asked for cannot be told; `str` is what the client is shown."""


@dataclass(frozen=True)
class Binding:
    """One `on("postgres_changes", …)` of a channel."""

    id: int
    event: str
    schema: str
    table: str
    filters: tuple[Filter, ...]
    columns: tuple[str, ...] | None

    def is_about(self, change: Change) -> bool:
        return (
            self.event in ("*", change.kind)
            and self.schema in ("*", change.relation.schema)
            and self.table in ("*", change.relation.table)
        )

    def __str__(self) -> str:
        filters = ", ".join(f"{each.column} {each.operator} {each.value}" for each in self.filters)
        return f"event: {self.event}, schema: {self.schema}, table: {self.table}, filters: [{filters}]"


def echoed(asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was asked for with its ids, as a join is answered: the clients compare the two lists one by one."""
    return [{**each, "id": _id(each)} for each in asked]


def _id(asked: dict[str, Any]) -> int:
    """The same question has the same id at every join, and never 0, which the clients take for none."""
    return zlib.crc32(json.dumps(asked, sort_keys=True, default=str).encode()) | 1


def binding_of(asked: dict[str, Any]) -> Binding:
    """Read one of a join's questions. Raises SubscriptionError."""
    event = str(asked.get("event") or "*").upper()
    schema, table, select = asked.get("schema"), asked.get("table"), asked.get("select")
    if not schema and not table:
        raise SubscriptionError("No subscription params provided. Please provide at least a `schema` or `table`")
    try:
        filters = parse(str(asked.get("filter") or ""))
    except FilterError as error:
        raise SubscriptionError(str(error)) from error
    columns = _selected(select)
    schema, table = str(schema or "public"), str(table or "*")
    if columns is not None and "*" in (schema, table):
        raise SubscriptionError("Column selection is not supported for wildcard subscriptions.")
    return Binding(_id(asked), event if event in KINDS else "*", schema, table, filters, columns)


def _selected(select: object) -> tuple[str, ...] | None:
    if select is not None and not isinstance(select, list):
        raise SubscriptionError("Error parsing `select` params: expected a list of column name strings")
    names = [each for each in select or [] if isinstance(each, str)]
    return tuple(sorted(names)) or None


async def checked(database: Database, asked: list[dict[str, Any]], role: str) -> tuple[Binding, ...]:
    """Return the bindings of a join if somebody with `role` can be told of them. Raises SubscriptionError."""
    if len(asked) > MOST_BINDINGS:
        raise SubscriptionError(f"Too many postgres_changes: at most {MOST_BINDINGS} a channel")
    bindings = tuple(binding_of(each) for each in asked)
    try:
        for binding in bindings:
            async with database.transaction(rollback=True) as connection:
                await _check(connection, binding, role)
    except (psycopg.Error, UnicodeError) as error:  # no Postgres right now, or a name it cannot hold
        raise SubscriptionError("Unable to subscribe to changes: the database could not be asked") from error
    return bindings


async def _check(connection: Connection, binding: Binding, role: str) -> None:
    names = await published(connection, binding.schema, binding.table)
    if not names:
        raise SubscriptionError(
            "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given "
            f"connect parameters: [{binding}]"
        )
    for schema, name in names if binding.filters or binding.columns else []:
        table = await table_of(connection, schema, name)
        try:
            await _check_columns(connection, binding, table, role)
        except (FilterError, psycopg.Error) as error:
            raise SubscriptionError(
                "Unable to subscribe to changes with given parameters. An exception happened so please check your "
                f"connect parameters: [{binding}]. Exception: {str(error).splitlines()[0]}"
            ) from error


async def _check_columns(connection: Connection, binding: Binding, table: Table | None, role: str) -> None:
    """Ask the database each filter once, of nothing: a value that does not fit its column fails now, not later."""
    for name in binding.columns or ():
        if table is None or not table.column(name, role):
            raise FilterError(f"invalid column for select {name}")
    for each in binding.filters:
        column = table.column(each.column, role) if table else None
        if column is None:
            raise FilterError(f"invalid column for filter {each.column}")
        if each.operator in PATTERNS and column.kind not in ("text", "varchar", "bpchar", "name", "citext"):
            raise FilterError(f"operator {each.operator} requires a text-compatible column type, got {column.type}")
        kind = sql.SQL(column.type)
        nothing = sql.SQL("null::{}").format(kind)
        await connection.execute(sql.SQL("select {}").format(each.condition(nothing, kind)))
        if each.operator in ("match", "imatch"):
            await connection.execute("select '' ~ %s", (each.value,))
