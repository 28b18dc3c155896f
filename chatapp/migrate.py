"""Brings the database up to date: the migrations of `alembic/`, as its owner, then the app's own login.

Called by the composition root and the launcher. Safe to call from several processes at once: they wait for
each other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from alembic import command, op
from chatapp import settings
from chatapp.errors import ChatError, Misconfigured, NotMigrated, Unavailable
from chatapp.settings import APP_LOGIN, Settings

ROOT = Path(__file__).resolve().parents[1]
VERSION_SCHEMA = "private"
CONNECT_SECONDS = 5

_alembic = threading.Lock()  # its `context` and `op` are global to the process; processes wait in the database


async def migrate() -> None:
    """Upgrade to the newest version and make sure that the app can log in.

    Raises Unavailable when the database does not answer and Misconfigured when it refuses the owner's
    password, is newer than this code, or is no Supabase project's.
    """
    await asyncio.to_thread(upgrade, settings.current())


def pending() -> bool:
    """Tell whether migrations wait to be run. Raises as `migrate` does."""
    with _owner(settings.current()) as connection:
        return _version(connection) != _head()


def upgrade(project: Settings, target: str = "head") -> None:
    """Upgrade to `target`; the blocking half of `migrate`."""
    with _alembic, _owner(project) as connection:
        if _version(connection) != _head():
            command.upgrade(_config(connection), target)
    _let_app_in(project)


def downgrade(project: Settings, target: str = "base") -> None:
    """Undo migrations back to `target`. What they held is lost."""
    with _alembic, _owner(project) as connection:
        command.downgrade(_config(connection), target)


def execute_sql(folder: str, *names: str) -> None:
    """Execute files of `sql/` inside the running migration.

    Straight through the driver: SQLAlchemy would take `%` and `:` for parameters, and parameters allow one
    statement only.
    """
    driver: Any = op.get_bind().connection.driver_connection
    for name in names:
        driver.execute((ROOT / "sql" / folder / f"{name}.sql").read_text(encoding="utf-8"))


def owner_engine(project: Settings) -> Engine:
    """Return an engine that logs in as the database's owner."""
    url = project.owner_url
    arguments = {"prepare_threshold": None, "connect_timeout": CONNECT_SECONDS}
    return create_engine("postgresql+psycopg" + url[url.index("://") :], poolclass=NullPool, connect_args=arguments)


@contextmanager
def _owner(project: Settings) -> Iterator[Connection]:
    try:
        with owner_engine(project).connect() as connection:
            yield connection
    except DBAPIError as error:
        raise _in_words(error.orig, project) from error
    except psycopg.Error as error:
        raise _in_words(error, project) from error


def _config(connection: Connection) -> Config:
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["connection"] = connection
    return config


def _head() -> str:
    return ScriptDirectory(str(ROOT / "alembic")).get_current_head() or ""


def _version(connection: Connection) -> str:
    """Return the database's version, "" for none. Raises NotMigrated for one this code does not know."""
    found = MigrationContext.configure(connection, opts={"version_table_schema": VERSION_SCHEMA}).get_current_revision()
    connection.rollback()  # the look-up began a transaction; Alembic wants one of its own
    known = {script.revision for script in ScriptDirectory(str(ROOT / "alembic")).walk_revisions()}
    if found and found not in known:
        raise NotMigrated(f"The database is at version {found}, which is newer than this code: update the code.")
    return found or ""


def _let_app_in(project: Settings) -> None:
    """Give `chat_app` its derived password, unless it can log in already."""
    if project.app_database_url or _logs_in(project.app_url):
        return
    with psycopg.connect(project.owner_url, connect_timeout=CONNECT_SECONDS) as connection:
        # Of two that alter a role at the same time Postgres refuses one.
        connection.execute("select pg_advisory_xact_lock(hashtext('chatapp.migrate'))")
        password = sql.Literal(project.app_password)
        connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(APP_LOGIN), password))


def _logs_in(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.OperationalError:
        return False
    return True


def _in_words(error: BaseException | None, project: Settings) -> ChatError:
    """Return one sentence with the cure. It never holds the address as given: that has the password in it."""
    said = str(error).strip()
    where = _where(project)
    if "password authentication failed" in said or "Tenant or user not found" in said:
        return Misconfigured(f"The database at {where} refuses the user or password in DATABASE_URL: check both.")
    if isinstance(error, psycopg.OperationalError):
        return Unavailable(f"The database at {where} does not answer: check DATABASE_URL and that it is running.")
    if isinstance(error, psycopg.errors.InvalidSchemaName | psycopg.errors.UndefinedFunction):
        return Misconfigured(f"The database at {where} is not a Supabase project's: {_first_line(said)}.")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return Misconfigured(f"The user in DATABASE_URL may not change the database at {where}: use its owner's.")
    return Misconfigured(f"The database at {where} could not be migrated: {_first_line(said)}.")


def _where(project: Settings) -> str:
    known = psycopg.conninfo.conninfo_to_dict(project.owner_url)
    return f"{known.get('host', 'localhost')}:{known.get('port', 5432)}"


def _first_line(said: str) -> str:
    return said.splitlines()[0].rstrip(".") if said else "no reason given"
