"""`make run` while somebody writes code: the backend starts anew, and the tabs come back by themselves."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.network import Network
from tests.ports import free_port
from tests.server import ROOT, environment, until

from .conftest import Lobby
from .people import Person

PARTS = ("chatapp", "alembic", "sql", "assets", "alembic.ini", "rxconfig.py", "pyproject.toml")
CHANGE = "\n__import__('pathlib').Path({target!r}).touch()  # says that this was read\n"
START_SECONDS = 100
DROPPED = {"__REFLEX_SKIP_COMPILE", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP", "REFLEX_FRONTEND_PORT"}
"""Of what a server in production is told."""

pytestmark = pytest.mark.timeout(300)  # a development server starts, twice


@pytest.fixture
def folder() -> Iterator[Path]:
    """The project's code, where it can be changed."""
    made = Path(tempfile.mkdtemp(prefix="chatapp-reload-"))
    for part in PARTS:
        there = ROOT / part
        (shutil.copytree if there.is_dir() else shutil.copy)(there, made / part)
    config = made / "rxconfig.py"  # its port for the pages is one more than Reflex takes for a backend alone
    config.write_text(config.read_text().replace("    frontend_port=FRONTEND_PORT,", "    #", 1))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@contextmanager
def developing(folder: Path, data: Path, port: int) -> Iterator[None]:
    """Reflex's development backend, which watches the code."""
    surroundings = {
        **{name: value for name, value in environment().items() if name not in DROPPED},
        "REFLEX_ENV_MODE": "dev",
        "REFLEX_BACKEND_PORT": str(port),
        "REFLEX_WEB_WORKDIR": str(folder / ".web"),
        "PYTHONPATH": str(folder),
        "STANDIN_DATA": str(data),
    }
    command = [sys.executable, "-m", "reflex", "run", "--backend-only", "--backend-port", str(port)]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            command, cwd=folder, env=surroundings, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: answers(port) or running.poll() is not None, "The backend does not answer.", START_SECONDS)
        assert running.poll() is None, (folder / "log").read_text()[-4000:]
        yield
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(20)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/ping", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def test_tabs_come_back_when_the_code_has_changed(
    lobby: Lobby, network: Network, folder: Path, standin_folder: Path
) -> None:
    ada, grace = await lobby.room_of_two(proxy=network.proxy)
    port, marker = free_port(), folder / "reloaded"
    with developing(folder, standin_folder, port):
        network.lead_to(port)
        network.cut()
        network.mend()
        await is_back(ada)
        await ada.say("to the one that is being written")
        await grace.sees("to the one that is being written")
        await ada.box.fill("half a sentence")
        with (folder / "chatapp" / "texts.py").open("a") as source:
            source.write(CHANGE.format(target=str(marker)))
        await asyncio.to_thread(until, marker.exists, "The change was not noticed.", START_SECONDS)
        await grace.say("while it started anew")
        await ada.sees("while it started anew")
        await is_back(ada)
        await expect(ada.box).to_have_value("half a sentence")
        await ada.box.press("Enter")
        await grace.sees("half a sentence")
        assert await ada.texts() == await grace.texts()


async def is_back(who: Person) -> None:
    await expect(who.page.locator(".connection")).to_have_text("", timeout=60_000)
