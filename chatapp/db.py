"""The database: one engine, and one way in, `transaction(actor)`.

The login role can do nothing by itself. Each transaction takes on the actor's role and claims, so row-level
security decides what it sees; a query outside of one is "permission denied", not a leak.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Executable, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from chatapp import settings
from chatapp.actor import Actor, System
from chatapp.errors import ChatError, Forbidden, Internal, Invalid, NotMigrated, TooSlow, Unavailable

log = logging.getLogger(__name__)

POOL_SIZE = 10
POOL_OVERFLOW = 10
POOL_SECONDS = 5
CONNECT_SECONDS = 5
STATEMENT_TIMEOUT = "8s"  # as hosted gives `authenticated`; role settings do not apply to a role that is taken on
LOCK_TIMEOUT = "4s"

BUSY = "The database is busy. Please try again."
GONE = "The database does not answer. Please try again."

# All of it is local to the transaction, so a pooler may hand the connection on afterwards.
_TAKE_ON = sql.SQL(
    "select set_config('request.jwt.claims', {claims}, true) as claims,"
    " set_config('statement_timeout', {statement}, true) as statement,"
    " set_config('lock_timeout', {lock}, true) as lock, set_config('role', {role}, true) as role"
)
_ONE_SNAPSHOT = "begin isolation level repeatable read read only; {}; commit"


class _ActorSession(Session):
    """A session whose every transaction starts by taking on `info['actor']`."""


class _AsyncActorSession(AsyncSession):
    sync_session_class = _ActorSession


@event.listens_for(_ActorSession, "after_begin")
def _take_on(session: Session, _: SessionTransaction, connection: Connection) -> None:
    # The driver begins nothing by itself (see `_make_engine`): beginning and taking on are one round trip.
    connection.exec_driver_sql("begin; " + _taking_on(session.info["actor"], STATEMENT_TIMEOUT, LOCK_TIMEOUT))


@lru_cache(maxsize=1000)
def _taking_on(actor: Actor | System, statement: str, lock: str) -> str:
    """Return the statement that takes on an actor."""
    values = {"claims": _claims(actor), "role": actor.role, "statement": statement, "lock": lock}
    return _TAKE_ON.format(**{name: sql.Literal(value) for name, value in values.items()}).as_string()


def _claims(actor: Actor | System) -> str:
    """Return what `auth.uid()` and `auth.role()` read, in a JWT's words."""
    if isinstance(actor, System):
        return json.dumps({"role": actor.role})
    return json.dumps({"sub": str(actor.user_id), "role": actor.role, "session_id": actor.session_id})


@asynccontextmanager
async def transaction(actor: Actor | System) -> AsyncIterator[AsyncSession]:
    """Run a block as `actor` and commit it; an exception rolls it back.

    Raises ChatError only: Unavailable when the database is away or busy, Forbidden when a policy refuses,
    Invalid when a constraint does.
    """
    try:
        session = await _begin(actor)
        async with session:
            yield session
            await session.commit()
    except SQLAlchemyError as error:
        raise _in_words(error) from error


class Asked(NamedTuple):
    """A question with its values, for `at_once`."""

    text: str
    values: dict[str, Any]


class Question:
    """A statement made ready once, to be asked by `at_once`. Building and compiling one takes longer than running it.

    Rows are named tuples. A list is asked for by `= any(:values)`: `in` is another statement for each length.
    """

    def __init__(self, statement: Executable) -> None:
        compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]  # every statement has it
        self._text = compiled.string
        self._given = {name: value for name, value in compiled.params.items() if value is not None}

    def __call__(self, **values: Any) -> Asked:
        return Asked(self._text, {**self._given, **values})


_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy's own is not typed


async def at_once(actor: Actor | System, *asked: Asked, snapshot: bool = False, statement: str = "") -> list[list[Any]]:
    """Run statements as `actor` in one transaction and one round trip; return the rows of each.

    With `snapshot` all of them read the database as of the same moment; `statement` is how long each may take, if not
    as usual. Tried a second time where a pooled connection has died since its last use: statements must be harmless to
    repeat. Raises ChatError as `transaction` does, TooSlow where a statement took too long.
    """
    try:
        try:
            return await _round_trip(actor, asked, snapshot, statement)
        except _Dead:
            await _engine().dispose()  # the others have died with it: the next one is fresh
            return await _round_trip(actor, asked, snapshot, statement)
    except psycopg.Error as error:
        raise _cause_in_words(error, error) from error
    except SQLAlchemyError as error:
        raise _in_words(error) from error


class _Dead(psycopg.OperationalError):
    """The connection is gone, and with it what was asked."""


async def _round_trip(actor: Actor | System, asked: Sequence[Asked], snapshot: bool, statement: str) -> list[list[Any]]:
    async with _engine().connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        try:
            return await _send(driver, actor, asked, snapshot, statement)
        except psycopg.OperationalError as error:
            if not driver.closed:
                raise
            await connection.invalidate()
            raise _Dead(*error.args) from error


async def _send(
    driver: psycopg.AsyncConnection[Any], actor: Actor | System, asked: Sequence[Asked], snapshot: bool, statement: str
) -> list[list[Any]]:
    """Statements sent as one text are one transaction; what they name is resolved under the role taken on before."""
    quoting = psycopg.AsyncClientCursor(driver)
    said = [quoting.mogrify(each.text, each.values) for each in asked]
    text = "; ".join([_taking_on(actor, statement or STATEMENT_TIMEOUT, LOCK_TIMEOUT), *said])
    cursor = driver.cursor(row_factory=namedtuple_row)
    await cursor.execute(_ONE_SNAPSHOT.format(text) if snapshot else text)
    if snapshot:
        cursor.nextset()
    rows = []
    for _ in asked:
        cursor.nextset()
        rows.append(await cursor.fetchall())
    return rows


async def _begin(actor: Actor | System) -> AsyncSession:
    """Return a session that has begun. A pooled connection may have died since its last use: try one anew."""
    try:
        return await _begin_once(actor)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return await _begin_once(actor)  # SQLAlchemy has emptied the pool: this one is fresh


async def _begin_once(actor: Actor | System) -> AsyncSession:
    session = _AsyncActorSession(_engine(), expire_on_commit=False, info={"actor": actor})
    try:
        await session.connection()
    except BaseException:
        await session.close()
        raise
    return session


async def dispose() -> None:
    """Close every connection of this loop's engine; the next transaction makes a new one."""
    if engine := _engines.pop(asyncio.get_running_loop(), None):
        await engine.dispose()


# Connections belong to the event loop that opened them, and a launcher may run several loops one after the
# other.
_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncEngine] = WeakKeyDictionary()


def _engine() -> AsyncEngine:
    loop = asyncio.get_running_loop()
    if loop not in _engines:
        _engines[loop] = _make_engine(settings.current().app_url)
    return _engines[loop]


def _make_engine(url: str) -> AsyncEngine:
    return create_async_engine(
        "postgresql+psycopg" + url[url.index("://") :],
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_SECONDS,
        pool_recycle=1800,
        connect_args={
            "autocommit": True,  # the driver's own BEGIN is a round trip: ours travels with the statement after it
            "prepare_threshold": None,  # a transaction pooler forgets prepared statements between transactions
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "chatapp",
        },
    )


def _in_words(error: SQLAlchemyError) -> ChatError:
    """Return the ChatError that tells a person what `error` means for them."""
    if isinstance(error, PoolTimeout):
        return Unavailable(BUSY)
    if not isinstance(error, DBAPIError):
        return _defect(error)
    return _cause_in_words(error.orig, error)


def _cause_in_words(cause: BaseException | None, error: Exception) -> ChatError:
    match cause:
        case psycopg.errors.InsufficientPrivilege():
            return Forbidden()
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn() | psycopg.errors.UndefinedFunction():
            log.error("The database lacks something that a query needs.", exc_info=error)
            return NotMigrated()
        case psycopg.errors.QueryCanceled() | psycopg.errors.LockNotAvailable() | psycopg.errors.TransactionRollback():
            return TooSlow(BUSY) if isinstance(cause, psycopg.errors.QueryCanceled) else Unavailable(BUSY)
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return Unavailable(GONE)
        case psycopg.IntegrityError() | psycopg.DataError():
            return Invalid("That cannot be stored.")
    return _defect(error)


def _defect(error: Exception) -> ChatError:
    log.error("A query failed that should not.", exc_info=error)
    return Internal()
