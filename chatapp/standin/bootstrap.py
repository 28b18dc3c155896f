"""Make a plain Postgres look like a hosted project: run `sql/*.sql` in order, each when it is new or has
changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql

SCRIPTS = Path(__file__).parent / "sql"
LEDGER = """
create schema if not exists _standin;
create table if not exists _standin.scripts (
  name text primary key, sha256 text not null, ran_at timestamptz default now()
);
"""


def bootstrap(superuser_url: str, postgres_password: str) -> None:
    """Bring the database up to date. Every script can be run again, so a cut start does no harm."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("set client_min_messages = error")
        connection.execute(LEDGER)
        for script in sorted(SCRIPTS.glob("*.sql")):
            _run_if_changed(connection, script)
        _give_password(connection, "postgres", postgres_password)
        _give_password(connection, "authenticator", postgres_password)


def _run_if_changed(connection: psycopg.Connection, script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    ran = connection.execute("select 1 from _standin.scripts where name = %s and sha256 = %s", (script.name, digest))
    if ran.fetchone():
        return
    with connection.transaction():
        connection.execute(text)
        connection.execute(
            "insert into _standin.scripts (name, sha256) values (%s, %s) "
            "on conflict (name) do update set sha256 = excluded.sha256, ran_at = now()",
            (script.name, digest),
        )


def _give_password(connection: psycopg.Connection, role: str, password: str) -> None:
    """Set the role's password once, as a verifier: statements may end up in a log."""
    row = connection.execute("select rolpassword from pg_authid where rolname = %s", [role]).fetchone()
    if row and row[0]:
        return
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier)))
