"""What the catalogue says of a published table.

It holds until Postgres describes the table anew in the change stream, as it does after whatever alters the table, its
rights or its policies. Only who is a member of which role, which rights depend on too, is not told there: a `Table`
remembers which memberships it was read under.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatapp.standin.database import Connection, every

ROLES = ["anon", "authenticated", "service_role"]
MEMBERSHIPS = "select sum(xmin::text::bigint)::text from pg_auth_members"
"""Another number after each GRANT and REVOKE of a role."""


@dataclass(frozen=True)
class Column:
    """One column. `type` is how SQL writes its type, `kind` the type's own name; `readers` are roles that may
    select it.
    """

    name: str
    type: str
    kind: str
    is_key: bool
    readers: frozenset[str]


@dataclass(frozen=True)
class Table:
    """A table. `guarded` tells whether row-level security is on; `memberships` see MEMBERSHIPS."""

    schema: str
    name: str
    guarded: bool
    memberships: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> list[Column]:
        return [column for column in self.columns if column.is_key]

    def column(self, name: str, role: str) -> Column | None:
        """Return a column that `role` may select."""
        return next((column for column in self.columns if column.name == name and role in column.readers), None)

    def fault(self, kind: str, role: str) -> str | None:
        """Return why nobody with `role` can be told of changes of this `kind`, in a hosted project's words."""
        if kind == "DELETE":
            return None
        if not self.key:
            return "Error 400: Bad Request, no primary key"
        return None if all(role in column.readers for column in self.key) else "Error 401: Unauthorized"


async def table_of(connection: Connection, schema: str, name: str) -> Table | None:
    """Return a table as it is now, None when it is gone."""
    rows = await every(
        connection,
        f"""select c.relrowsecurity as guarded, ({MEMBERSHIPS}) as memberships,
             a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
             t.typname as kind, coalesce(a.attnum = any(i.indkey), false) as is_key,
             array(select role from unnest(%s::text[]) role
                   where has_column_privilege(role, c.oid, a.attnum, 'select')) as readers
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           join pg_type t on t.oid = a.atttypid
           left join pg_index i on i.indrelid = c.oid and i.indisprimary
           where n.nspname = %s and c.relname = %s order by a.attnum""",  # noqa: S608 - our own constant
        ROLES,
        schema,
        name,
    )
    if not rows:
        return None
    columns = [Column(row["name"], row["type"], row["kind"], row["is_key"], frozenset(row["readers"])) for row in rows]
    return Table(schema, name, rows[0]["guarded"], rows[0]["memberships"], tuple(columns))


async def published(connection: Connection, schema: str, name: str) -> list[tuple[str, str]]:
    """Return the tables that `schema` and `name` mean, `*` being all, as far as they are published."""
    rows = await every(
        connection,
        """select schemaname, tablename from pg_publication_tables
           where pubname = 'supabase_realtime' and %s::text in (schemaname::text, '*')
             and %s::text in (tablename::text, '*')""",
        schema,
        name,
    )
    return [(row["schemaname"], row["tablename"]) for row in rows]
