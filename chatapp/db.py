"""The database: one engine, and one way in, `transaction(actor)`.

The login role can do nothing by itself. Each transaction takes on the actor's role and claims, so row-level
security decides what it sees; a query outside of one is "permission denied", not a leak.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from chatapp import settings
from chatapp.actor import Actor, System
from chatapp.errors import ChatError, Forbidden, Internal, Invalid, NotMigrated, Unavailable

log = logging.getLogger(__name__)

POOL_SIZE = 10
POOL_OVERFLOW = 10
POOL_SECONDS = 5
CONNECT_SECONDS = 5
STATEMENT_TIMEOUT = "8s"  # as hosted gives `authenticated`; role settings do not apply to a role that is taken on
LOCK_TIMEOUT = "4s"

BUSY = "The database is busy. Please try again."
GONE = "The database does not answer. Please try again."

# One round trip. All of it is local to the transaction, so a pooler may hand the connection on afterwards.
_TAKE_ON = text(
    "select set_config('request.jwt.claims', :claims, true), set_config('statement_timeout', :statement, true),"
    " set_config('lock_timeout', :lock, true), set_config('role', :role, true)"
)


class _ActorSession(Session):
    """A session whose every transaction starts by taking on `info['actor']`."""


class _AsyncActorSession(AsyncSession):
    sync_session_class = _ActorSession


@event.listens_for(_ActorSession, "after_begin")
def _take_on(session: Session, _: SessionTransaction, connection: Connection) -> None:
    actor: Actor | System = session.info["actor"]
    limits = {"statement": STATEMENT_TIMEOUT, "lock": LOCK_TIMEOUT}
    connection.execute(_TAKE_ON, {"claims": _claims(actor), "role": actor.role, **limits})


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


def _cause_in_words(cause: BaseException | None, error: SQLAlchemyError) -> ChatError:
    match cause:
        case psycopg.errors.InsufficientPrivilege():
            return Forbidden()
        case psycopg.errors.UndefinedTable() | psycopg.errors.UndefinedColumn() | psycopg.errors.UndefinedFunction():
            log.error("The database lacks something that a query needs.", exc_info=error)
            return NotMigrated()
        case psycopg.errors.QueryCanceled() | psycopg.errors.LockNotAvailable() | psycopg.errors.TransactionRollback():
            return Unavailable(BUSY)
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return Unavailable(GONE)
        case psycopg.IntegrityError() | psycopg.DataError():
            return Invalid("That cannot be stored.")
    return _defect(error)


def _defect(error: SQLAlchemyError) -> ChatError:
    log.error("A query failed that should not.", exc_info=error)
    return Internal()
