"""Filters of `postgres_changes`: `column=operator.value`, joined by commas, each reversed by `not.`."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from chatapp.standin.lists import array_of, split, unquoted

COMPARISONS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
PATTERNS = {"like": "like", "ilike": "ilike", "match": "~", "imatch": "~*"}
KEYWORDS = ("null", "true", "false", "unknown")
MOST_VALUES = 100  # hosted limit of an `in`


class FilterError(Exception):
    """A filter that cannot be read or cannot be asked of its column; `str` says why."""


@dataclass(frozen=True)
class Filter:
    """One condition on one column."""

    column: str
    operator: str
    value: str
    negated: bool = False

    def condition(self, held: sql.Composable, kind: sql.SQL) -> sql.Composed:
        """Return SQL that tells whether `held`, of the type `kind`, meets this. What is unknown does not."""
        return sql.SQL("coalesce({}({}), false)").format(sql.SQL("not " * self.negated), self._plain(held, kind))

    def _plain(self, held: sql.Composable, kind: sql.SQL) -> sql.Composed:
        value = sql.Literal(self.value)
        if self.operator == "is":
            return sql.SQL("{} is {}").format(held, sql.SQL(_keyword(self.value)))
        if self.operator == "in":
            return sql.SQL("{} = any({}::{}[])").format(held, sql.Literal(array_of(_values(self.value))), kind)
        symbol = {**COMPARISONS, **PATTERNS, "isdistinct": "is distinct from"}[self.operator]
        return sql.SQL("{} {} {}::{}").format(held, sql.SQL(symbol), value, kind)


def parse(text: str) -> tuple[Filter, ...]:
    """Read the filters of one subscription. Raises FilterError."""
    return tuple(_parse_one(part) for part in split(text.strip(), ",")) if text.strip() else ()


def _parse_one(part: str) -> Filter:
    column, equals, rest = part.partition("=")
    negated = rest.startswith("not.")
    operator, dot, value = rest.removeprefix("not.").partition(".")
    if not column.strip() or not equals or not dot or operator not in OPERATORS:
        raise FilterError(f"Error parsing `filter` params: {part!r}")
    if operator == "is":
        _keyword(value)
    if operator == "in" and len(_values(value)) > MOST_VALUES:
        raise FilterError("too many values for `in` filter. Maximum 100")
    return Filter(column.strip(), operator, value if operator == "in" else unquoted(value), negated)


OPERATORS = frozenset({*COMPARISONS, *PATTERNS, "in", "is", "isdistinct"})


def _keyword(value: str) -> str:
    if value.lower() not in KEYWORDS:
        raise FilterError("invalid value for is filter: must be null, true, false, or unknown")
    return value.lower()


def _values(value: str) -> list[str]:
    if not (value.startswith("(") and value.endswith(")")):
        raise FilterError(f"Error parsing `filter` params: an `in` filter takes a list in parentheses, not {value!r}")
    return [unquoted(each.strip()) for each in split(value[1:-1], ",")]
