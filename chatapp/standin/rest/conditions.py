"""Conditions: `column=operator.value`, and `or=(…)`, `and=(…)` of such. Names are quoted, values are parameters."""

from __future__ import annotations

import re
from typing import Any

from psycopg import sql

from chatapp.standin.lists import array_of, split, unquoted

from .errors import not_here, unreadable
from .query import name_of

PATTERNS = {"like": "like", "ilike": "ilike"}
COMPARED = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "match": "~", "imatch": "~*", **PATTERNS}
"""These may be asked of `any` or `all` values of a list."""
SIMPLE = {
    **COMPARED,
    "neq": "<>",
    "isdistinct": "is distinct from",
    "cs": "@>",
    "cd": "<@",
    "ov": "&&",
    "sl": "<<",
    "sr": ">>",
    "nxr": "&<",
    "nxl": "&>",
    "adj": "-|-",
}
WORDS = {"null": "null", "not_null": "not null", "true": "true", "false": "false", "unknown": "unknown"}
TEXT_SEARCH = ("fts", "plfts", "phfts", "wfts")
OPERATION = re.compile(r"(not\.)?(\w+)(?:\((\w*)\))?\.(.*)", re.DOTALL)
LOGIC = re.compile(r"(not\.)?(and|or)\s*\((.*)\)", re.DOTALL)
JOINED = ("and", "or", "not.and", "not.or")
MOST_DEPTH = 10  # of conditions in conditions


class Values(list[Any]):
    """A statement's values, in the order of their numbers."""

    def put(self, value: object) -> sql.SQL:
        """Return what stands for `value` in the statement."""
        self.append(value)
        return sql.SQL(f"${len(self)}")


def is_condition(name: str, text: str) -> bool:
    """Tell a condition from a function's argument."""
    found = OPERATION.fullmatch(text)
    return name in JOINED or (found is not None and found[2] in (*SIMPLE, *TEXT_SEARCH, "in", "is"))


def where(conditions: tuple[tuple[str, str], ...], values: Values) -> sql.Composable:
    """Return the `where` of a statement, empty for none. Raises RestError."""
    if not conditions:
        return sql.SQL("")
    return sql.SQL("where ") + sql.SQL(" and ").join(_top(name, text, values) for name, text in conditions)


def _top(name: str, text: str, values: Values) -> sql.Composable:
    if name in JOINED:
        return _tree(f"{name}{text}", values, 0)
    if "." in name and not name.startswith('"'):
        raise not_here("embedding")
    return _one(name_of(name), text, text, values)


def _tree(text: str, values: Values, depth: int) -> sql.Composable:
    """Return one part of `or=(…)`: a condition, or several that are joined."""
    found = LOGIC.fullmatch(text)
    if depth > MOST_DEPTH or (depth == 0 and found is None):
        raise unreadable("logic tree", text, "conditions in parentheses")
    if found is None:
        return _leaf(text, values)
    parts = [_tree(part.strip(), values, depth + 1) for part in split(found[3], ",", "(){}")]
    joined = sql.SQL(f" {found[2]} ").join(parts)
    return sql.SQL("not ({})" if found[1] else "({})").format(joined)


def _leaf(text: str, values: Values) -> sql.Composable:
    name, *rest = split(text, ".", "(){}")
    operation = ".".join(rest)
    return _one(name_of(name), operation, text, values, is_quoted=True)


def _one(name: str, operation: str, shown: str, values: Values, *, is_quoted: bool = False) -> sql.Composable:
    found = OPERATION.fullmatch(operation)
    if found is None:
        raise unreadable("filter", shown, "an operator and a value")
    negated, operator, quantity, value = found.groups()
    column = sql.Identifier("_source", name)
    told = _told(operator, quantity, unquoted(value) if is_quoted and operator != "in" else value, shown)
    asked = sql.SQL(told[0]).format(column, *[values.put(each) for each in told[1:]])
    return sql.SQL("not ({})").format(asked) if negated else asked


def _told(operator: str, quantity: str | None, value: str, shown: str) -> tuple[str, ...]:
    """Return the operator's SQL and the value it takes, if it takes one. Raises RestError."""
    if operator in TEXT_SEARCH:
        raise not_here("full-text search")
    if quantity is not None and (operator not in COMPARED or quantity not in ("any", "all")):
        raise unreadable("filter", shown, f"unknown single value operator {operator}({quantity})")
    if operator == "is" and value.lower() in WORDS:
        return (f"{{}} is {WORDS[value.lower()]}",)
    if operator == "in" and value.strip().startswith("(") and value.strip().endswith(")"):
        inside = value.strip()[1:-1]
        return "{} = any({})", array_of([unquoted(each) for each in split(inside, ",")] if inside else [])
    if operator not in SIMPLE:
        raise unreadable("filter", shown, f"unknown single value operator {operator}, or its value")
    value = value.replace("*", "%") if operator in PATTERNS else value
    return f"{{}} {SIMPLE[operator]} {f'{quantity}({{}})' if quantity else '{}'}", value
