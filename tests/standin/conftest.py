"""One stand-in for all tests that only use it; those that start, stop and kill make their own.

The clients are the ones from PyPI, unmodified. Run with pytest-asyncio, `asyncio_mode = auto`.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from supabase import AsyncClient, acreate_client

from chatapp.standin.lifecycle import Project, ensure, release, reset
from tests.ports import free_port
from tests.standin.helpers import PASSWORD

GRACE = "1"  # seconds a stand-in of these tests outlives its last user


@pytest.fixture(scope="session", autouse=True)
def short_grace() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANDIN_GRACE", GRACE)
        yield


def make_folder() -> Path:
    """Return an empty data folder that the account running Postgres can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="standin-test-"))
    folder.chmod(0o755)
    return folder / "data"


@pytest.fixture(scope="session")
def shared_data() -> Iterator[Path]:
    folder = make_folder()
    yield folder
    clear(folder)


@pytest.fixture(scope="session")
def project(short_grace: None, shared_data: Path) -> Iterator[Project]:
    """The shared stand-in."""
    yield ensure(shared_data, api_port=free_port(), db_port=free_port())
    release(shared_data)


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder of the test's own; whatever it started is stopped afterwards."""
    folder = make_folder()
    yield folder
    release(folder, stop_if_last=False)
    clear(folder)


def clear(data: Path) -> None:
    if data.exists():
        reset(data)
    shutil.rmtree(data.parent)


@pytest.fixture
def database(project: Project) -> Iterator[psycopg.Connection]:
    """What psql would have: the role `postgres`, each statement committed at once."""
    with psycopg.connect(project.database_url, autocommit=True) as connection:
        yield connection


@dataclass
class Person:
    """Somebody signed in, with a client of their own."""

    client: AsyncClient
    email: str
    id: str

    async def token(self) -> str:
        session = await self.client.auth.get_session()
        assert session
        return session.access_token


@pytest.fixture
async def clients(project: Project) -> AsyncIterator[Callable[[], Awaitable[AsyncClient]]]:
    """Make clients with the publishable key; their sockets are closed at the end."""
    made: list[AsyncClient] = []

    async def make(key: str = project.publishable_key) -> AsyncClient:
        made.append(await acreate_client(project.url, key))
        return made[-1]

    yield make
    for client in made:
        await client.realtime.close()
        await client.auth.close()


@pytest.fixture
async def sign_up(clients: Callable[[], Awaitable[AsyncClient]]) -> Callable[[str], Awaitable[Person]]:
    """Sign somebody up under an address nobody had before."""

    async def make(name: str) -> Person:
        client, email = await clients(), f"{name}-{secrets.token_hex(4)}@example.com"
        answer = await client.auth.sign_up({"email": email, "password": PASSWORD})
        assert answer.user
        assert answer.session
        await client.realtime.set_auth(answer.session.access_token)
        return Person(client, email, answer.user.id)

    return make
