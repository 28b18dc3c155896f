"""Migrating: forth and back, by several at once, and what is said when it cannot be done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr

from chatapp import migrate, schema, settings
from chatapp.errors import Misconfigured, NotMigrated, Unavailable
from chatapp.settings import Settings
from chatapp.standin import lifecycle
from tests.conftest import Sql, settings_of
from tests.ports import free_port

LEFT_OVER = """
    select relname from pg_class where relnamespace = 'public'::regnamespace
    union select proname from pg_proc where pronamespace = to_regnamespace('private')
    union select tgname from pg_trigger where tgrelid = 'auth.users'::regclass and not tgisinternal
    union select rolname from pg_roles where rolname = 'chat_app'
"""


@pytest.fixture(scope="module")
def empty_project(standin_folder: Path) -> Iterator[Settings]:
    """A project of its own that nothing has been migrated in."""
    data = standin_folder.with_name("empty")
    yield settings_of(lifecycle.ensure(data, api_port=free_port(), db_port=free_port()))
    lifecycle.release(data)
    lifecycle.reset(data)


def at(project: Settings, **changes: str) -> Settings:
    """The same project with other parts of its database's address."""
    known = psycopg.conninfo.conninfo_to_dict(project.owner_url)
    url = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**{**known, **changes})
    return project.model_copy(update={"database_url": SecretStr(url)})


def left_over(project: Settings) -> list[str]:
    with psycopg.connect(project.owner_url) as connection:
        return [row[0] for row in connection.execute(LEFT_OVER).fetchall()]


async def test_forth_by_four_at_once_and_back_and_forth(empty_project: Settings) -> None:
    assert left_over(empty_project) == []
    threads = (asyncio.to_thread(migrate.upgrade, empty_project) for _ in range(2))
    await asyncio.gather(*threads, *(in_another_process(empty_project) for _ in range(2)))
    assert {"chat_rooms", "number_message", "make_profile", "chat_app"} <= set(left_over(empty_project))
    migrate.downgrade(empty_project)
    assert left_over(empty_project) == []
    migrate.upgrade(empty_project)
    psycopg.connect(empty_project.app_url).close()


async def in_another_process(project: Settings) -> None:
    code = "import asyncio; from chatapp import migrate, settings as s; s.use(s.load()); asyncio.run(migrate.migrate())"
    environment = {
        **os.environ,
        "SUPABASE_URL": project.supabase_url,
        "SUPABASE_PUBLISHABLE_KEY": project.supabase_publishable_key,
        "SUPABASE_SECRET_KEY": project.supabase_secret_key.get_secret_value(),
        "DATABASE_URL": project.owner_url,
    }
    started = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=migrate.ROOT, env=environment)
    assert await started.wait() == 0


async def test_accounts_from_before_get_a_profile(empty_project: Settings) -> None:
    migrate.downgrade(empty_project)
    with psycopg.connect(empty_project.owner_url) as connection:
        connection.execute("insert into auth.users (id, email) values (gen_random_uuid(), 'early.bird@example.com')")
    migrate.upgrade(empty_project)
    with psycopg.connect(empty_project.owner_url) as connection:
        assert connection.execute("select name from profiles").fetchall() == [("early.bird",)]


async def test_the_login_is_mended_when_the_secret_key_changes(empty_project: Settings) -> None:
    changed = empty_project.model_copy(update={"supabase_secret_key": SecretStr("another")})
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(changed.app_url)
    migrate.upgrade(changed)
    psycopg.connect(changed.app_url).close()


async def test_nothing_is_pending_after_migrating(project: Settings) -> None:
    assert not migrate.pending()
    await migrate.migrate()


async def test_a_database_newer_than_the_code_is_left_alone(empty_project: Settings) -> None:
    with psycopg.connect(empty_project.owner_url) as connection:
        connection.execute("update private.alembic_version set version_num = '9999'")
    with pytest.raises(NotMigrated, match="newer than this code"):
        migrate.upgrade(empty_project)


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"port": "1"}, Unavailable, "does not answer: check DATABASE_URL"),
        ({"password": "wrong"}, Misconfigured, "refuses the user or password in DATABASE_URL"),
        ({"user": "nobody"}, Misconfigured, "refuses the user or password in DATABASE_URL"),
        ({"dbname": "plain"}, Misconfigured, "is not a Supabase project's"),
    ],
)
async def test_one_sentence_with_the_cure(
    project: Settings, plain_database: None, changes: dict[str, str], error: type[Misconfigured], sentence: str
) -> None:
    with pytest.raises(error, match=sentence) as raised:
        migrate.upgrade(at(project, **changes))
    known = psycopg.conninfo.conninfo_to_dict(project.owner_url)
    assert str(known["password"]) not in raised.value.message


@pytest.fixture
async def plain_database(psql: Sql) -> None:
    found = await psql.execute("select 1 from pg_database where datname = 'plain'")
    if not await found.fetchone():
        await psql.execute("create database plain")


async def test_models_and_database_agree(project: Settings) -> None:
    """Tables, columns, types, defaults' presence, indexes and unique constraints; checks are the database's alone."""
    assert settings.current() is project
    with migrate.owner_engine(project).connect() as connection:
        options = {"include_object": schema.comparable, "compare_server_default": False}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []
