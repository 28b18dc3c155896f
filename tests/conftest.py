"""One stand-in for all tests, with this product's schema in it; each test makes rooms and people of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from chatapp import db, migrate, settings
from chatapp.settings import Settings
from chatapp.standin import lifecycle
from chatapp.supabase import client
from tests.cast import Cast, assemble
from tests.folders import data_folder
from tests.network import Network
from tests.ports import free_port
from tests.server import PORT

Sql = psycopg.AsyncConnection[psycopg.rows.DictRow]


@pytest.fixture(scope="session")
def standin_folder() -> Iterator[Path]:
    with data_folder("tests") as data:
        yield data


@pytest_asyncio.fixture(scope="session")
async def project(standin_folder: Path) -> AsyncIterator[Settings]:
    """The project that this process uses: started, chosen, migrated."""
    made = await asyncio.to_thread(lifecycle.ensure, standin_folder, api_port=free_port(), db_port=free_port())
    chosen = settings_of(made)
    settings.use(chosen)
    await migrate.migrate()
    yield chosen
    await client.dispose()
    await db.dispose()


@pytest_asyncio.fixture(scope="session")
async def cast(project: Settings) -> Cast:
    return await assemble()


@pytest_asyncio.fixture
async def psql(project: Settings) -> AsyncIterator[Sql]:
    """The owner at a prompt: each statement is committed at once, and no policy applies."""
    async with await connect(project.owner_url) as connection:
        yield connection


@pytest_asyncio.fixture
async def network() -> AsyncIterator[Network]:
    """In front of the app, for whom it shall be bad."""
    made = await Network([PORT]).start()
    yield made
    await made.stop()


def settings_of(made: lifecycle.Project) -> Settings:
    return Settings(
        supabase_url=made.url,
        supabase_publishable_key=made.publishable_key,
        supabase_secret_key=SecretStr(made.secret_key),
        database_url=SecretStr(made.database_url),
        is_standin=True,
    )


async def connect(url: str) -> Sql:
    return await psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=psycopg.rows.dict_row)
