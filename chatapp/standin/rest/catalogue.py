"""What the catalogue says of the tables and functions of `public`, asked anew for each request."""

from __future__ import annotations

from dataclasses import dataclass

from chatapp.standin.database import Connection, Row, every

from .errors import RestError

SCHEMA = "public"


@dataclass(frozen=True)
class Table:
    """A table or view: its columns with their types as SQL writes them, and its primary key."""

    name: str
    columns: dict[str, str]
    key: list[str]

    def types(self, names: list[str]) -> dict[str, str]:
        """Return the types of the columns `names`. Raises RestError for one that is not there."""
        for name in names:
            if name not in self.columns:
                message = f"Could not find the '{name}' column of '{self.name}' in the schema cache"
                raise RestError(400, "PGRST204", message)
        return {name: self.columns[name] for name in names}


@dataclass(frozen=True)
class Function:
    """A function: its arguments with their types, those that must be given, and what it returns."""

    name: str
    arguments: dict[str, str]
    needed: frozenset[str]
    is_set: bool
    is_row: bool
    is_void: bool

    def takes(self, names: set[str]) -> bool:
        return self.needed <= names <= self.arguments.keys()

    def __str__(self) -> str:
        return f"{SCHEMA}.{self.name}({', '.join(f'{name} => {kind}' for name, kind in self.arguments.items())})"


async def table_of(connection: Connection, name: str) -> Table:
    """Return a table as it is now. Raises RestError."""
    rows = await every(
        connection,
        """select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
             coalesce(a.attnum = any(i.indkey), false) as is_key
           from pg_class c
           left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           left join pg_index i on i.indrelid = c.oid and i.indisprimary
           where c.relnamespace = %s::regnamespace and c.relname = %s and c.relkind in ('r', 'p', 'v', 'm', 'f')
           order by a.attnum""",
        SCHEMA,
        name,
    )
    if not rows:
        raise RestError(404, "PGRST205", f"Could not find the table '{SCHEMA}.{name}' in the schema cache")
    columns = {row["name"]: row["type"] for row in rows if row["name"] is not None}
    return Table(name, columns, [row["name"] for row in rows if row["is_key"]])


async def function_of(connection: Connection, name: str, given: list[str]) -> Function:
    """Return the one function of that name that takes the arguments `given`. Raises RestError."""
    rows = await every(
        connection,
        """select p.proname as name, p.pronargs - p.pronargdefaults as needed, p.proretset as is_set,
             p.prorettype = 'void'::regtype as is_void,
             t.typtype = 'c' or p.prorettype = 'record'::regtype as is_row,
             array(select name from unnest(p.proargnames, p.proargmodes) with ordinality u(name, mode, at)
                   where coalesce(mode, 'i') in ('i', 'b') order by at) as names,
             array(select format_type(kind, null) from unnest(p.proargtypes) with ordinality u(kind, at) order by at)
               as types
           from pg_proc p join pg_type t on t.oid = p.prorettype
           where p.pronamespace = %s::regnamespace and p.proname = %s and p.prokind = 'f' and p.provariadic = 0
             and (p.pronargs = 0 or p.proargnames is not null)""",
        SCHEMA,
        name,
    )
    fitting = [each for each in map(_function, rows) if each.takes(set(given))]
    if not fitting:
        raise _no_function(name, given)
    if len(fitting) > 1:
        message = "Could not choose the best candidate function between: " + ", ".join(map(str, fitting))
        hint = (
            "Try renaming the parameters or the function itself in the database so function overloading can be resolved"
        )
        raise RestError(300, "PGRST203", message, None, hint)
    return fitting[0]


def _function(row: Row) -> Function:
    arguments = dict(zip(row["names"], row["types"], strict=False))
    needed = frozenset(row["names"][: row["needed"]])
    return Function(row["name"], arguments, needed, row["is_set"], row["is_row"], row["is_void"])


def _no_function(name: str, given: list[str]) -> RestError:
    plain = f"{SCHEMA}.{name}"
    shown = f"{plain}({', '.join(given)})" if given else f"{plain} without parameters"
    what = f" with parameter{'s' * (len(given) > 1)} {', '.join(given)}" if given else " without parameters"
    details = f"Searched for the function {plain}{what}, but no matches were found in the schema cache."
    return RestError(404, "PGRST202", f"Could not find the function {shown} in the schema cache", details)
