"""Statements: one for each request, in which Postgres reads and writes the JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from psycopg import sql

from .catalogue import SCHEMA, Function, Table
from .conditions import Values, where
from .query import MOST_ROWS, Column, Order, Query

NOTHING = sql.SQL("")


def select(found: Table, query: Query, values: Values) -> sql.Composed:
    """Return the question for a table's rows."""
    return read(query, values, _source(found), where(query.conditions, values))


def read(
    query: Query, values: Values, source: sql.Composable, condition: sql.Composable, most: int | None = MOST_ROWS
) -> sql.Composed:
    """Return the question for a page of `_source` as JSON, how many rows it has, and how many there are."""
    counted = sql.SQL("(select count(*) from {} {})").format(source, condition)
    return sql.SQL(
        "select {}::text as body, count(*) as amount, {}::bigint as total from (select {} from {} {} {} {}) _page"
    ).format(
        _json(query),
        counted if query.is_counted else sql.SQL("null"),
        _joined(map(_column, query.select)) if query.select else sql.SQL("1"),
        source,
        condition,
        sql.SQL("order by {}").format(_joined(map(_order, query.order))) if query.order else NOTHING,
        _range(query, values, most),
    )


def change(query: Query, values: Values, statement: sql.Composed) -> sql.Composed:
    """Return `statement` with the question for what it changed, which counts in any case."""
    shown = query if query.is_shown else replace(query, select=(), order=())
    shown = replace(shown, prefer=query.prefer | {"count=exact"})
    page = read(shown, values, sql.SQL("_changed as _source"), NOTHING, None)
    return sql.SQL("with _changed as ({}) {}").format(statement, page)


def insert(found: Table, query: Query, values: Values, columns: list[str], rows: str) -> sql.Composed:
    """Return the statement that writes the objects of the list `rows`."""
    new: sql.Composable = sql.SQL("default values")
    if columns:
        given = _given(found.types(columns), values.put(rows), "recordset")
        new = sql.SQL("({0}) select {0} from {1}").format(_joined(map(sql.Identifier, columns)), given)
    return sql.SQL("insert into {} {} {} returning {}").format(
        _source(found), new, _conflict(found, query, columns), _kept(found, query)
    )


def update(found: Table, query: Query, values: Values, columns: list[str], rows: str) -> sql.Composed:
    """Return the statement that changes rows to what the first object of `rows` says."""
    given = _given(found.types(columns), values.put(rows), "recordset")
    changes = _joined(sql.SQL("{0} = _new.{0}").format(sql.Identifier(name)) for name in columns)
    return sql.SQL("update {} set {} from (select * from {} limit 1) _new {} returning {}").format(
        _source(found), changes, given, where(query.conditions, values), _kept(found, query)
    )


def delete(found: Table, query: Query, values: Values) -> sql.Composed:
    """Return the statement that deletes rows."""
    condition = where(query.conditions, values)
    return sql.SQL("delete from {} {} returning {}").format(_source(found), condition, _kept(found, query))


def call(found: Function, query: Query, values: Values, names: list[str], given: str) -> sql.Composed:
    """Return the question for what a function returns, called with what the object `given` has under `names`."""
    types = {name: found.arguments[name] for name in names}
    before = sql.SQL("{}, lateral ").format(_given(types, values.put(given), "record")) if names else NOTHING
    passed = _joined(sql.SQL("{0} => _given.{0}").format(sql.Identifier(name)) for name in names)
    result = sql.SQL("{}({}) _result{}").format(
        sql.Identifier(SCHEMA, found.name), passed, sql.SQL("" if found.is_row else "(value)")
    )
    called = sql.SQL("with _called as (select _result.* from {}{}) ").format(before, result)
    return called + read(query, values, sql.SQL("_called as _source"), where(query.conditions, values))


def _source(found: Table) -> sql.Composable:
    return sql.SQL("{} as _source").format(sql.Identifier(SCHEMA, found.name))


def _json(query: Query) -> sql.Composable:
    each = "_page.value" if query.is_scalar else "_page.*"  # with the star it is the row, whatever a column is called
    rows = f"json_strip_nulls(json_agg({each}))" if query.is_stripped else f"json_agg({each})"
    return sql.SQL(f"({rows} -> 0)" if query.is_single else f"coalesce({rows}, '[]')")


def _column(column: Column) -> sql.Composable:
    held = _held(column.name)
    if column.cast:
        held = sql.SQL("{}::{}").format(held, sql.SQL(column.cast))
    name = column.alias or (column.name if column.cast else None)
    return sql.SQL("{} as {}").format(held, sql.Identifier(name)) if name else held


def _held(name: str) -> sql.Composable:
    return sql.SQL("_source.*") if name == "*" else sql.Identifier("_source", name)


def _order(order: Order) -> sql.Composable:
    nulls = f" nulls {order.nulls}" if order.nulls else ""
    return sql.SQL("{} {}").format(_held(order.name), sql.SQL(order.way + nulls))


def _range(query: Query, values: Values, most: int | None) -> sql.Composable:
    limits = [limit for limit in (query.limit, most) if limit is not None]
    limited = sql.SQL("limit {}").format(values.put(min(limits))) if limits else NOTHING
    return sql.SQL("{} offset {}").format(limited, values.put(query.offset))


def _given(types: dict[str, str], text: sql.Composable, form: str) -> sql.Composed:
    """Return JSON as rows of the `types`, which are as the catalogue writes them."""
    columns = _joined(sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in types.items())
    return sql.SQL("json_to_{}({}) as _given({})").format(sql.SQL(form), text, columns)


def _conflict(found: Table, query: Query, columns: list[str]) -> sql.Composable:
    key = query.conflict or found.key
    merges = "resolution=merge-duplicates" in query.prefer
    if not key or not (merges or "resolution=ignore-duplicates" in query.prefer):
        return NOTHING
    changes = _joined(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in columns)
    does = sql.SQL("update set {}").format(changes) if merges and columns else sql.SQL("nothing")
    return sql.SQL("on conflict ({}) do {}").format(_joined(map(sql.Identifier, key)), does)


def _kept(found: Table, query: Query) -> sql.Composable:
    """Return what of the changed rows is asked for: nothing else need be readable."""
    if not query.is_shown:
        return sql.SQL("1")
    names = [each.name for each in query.select] + [each.name for each in query.order]
    if "*" in names:
        names = [name for name in names if name not in found.columns]
    return _joined(map(_held, dict.fromkeys(names)))


def _joined(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
