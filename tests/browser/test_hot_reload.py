"""`make run` while somebody writes code: all works there too, and tabs come back when the backend starts anew."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.ports import free_port
from tests.server import ROOT, WEB, Server, environment, until

from .conftest import Lobby
from .people import Person

PARTS = ("chatapp", "alembic", "sql", "assets", "alembic.ini", "rxconfig.py", "pyproject.toml", ".npmrc", "reflex.lock")
CHANGE = "\n__import__('pathlib').Path({target!r}).touch()  # says that this was read\n"
START_SECONDS = 100
DROPPED = {"__REFLEX_SKIP_COMPILE", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP"}
"""Of what a server in production is told."""

pytestmark = pytest.mark.timeout(300)  # a development server starts, twice


@dataclass(frozen=True)
class Development:
    """A development server: the folder with its code, and where its pages are."""

    folder: Path
    site: str


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The project's code, where it can be changed, with the front end's packages."""
    made = Path(tempfile.mkdtemp(prefix="chatapp-reload-"))
    for part in PARTS:
        there = ROOT / part
        (shutil.copytree if there.is_dir() else shutil.copy)(there, made / part)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def development(folder: Path, standin_folder: Path, server: Server) -> Iterator[Development]:
    """Pages and backend as `make run` has them, at the same database as the server in production."""
    shutil.copytree(WEB, folder / ".web", symlinks=True, ignore=lambda at, _: ["build"] if at == str(WEB) else [])
    pages, backend = free_port(), free_port()
    site = f"http://localhost:{pages}"
    surroundings = {
        **{name: value for name, value in environment().items() if name not in DROPPED},
        "REFLEX_ENV_MODE": "dev",
        "REFLEX_FRONTEND_PORT": str(pages),
        "REFLEX_BACKEND_PORT": str(backend),
        "REFLEX_API_URL": f"http://localhost:{backend}",
        "REFLEX_DEPLOY_URL": site,
        "REFLEX_WEB_WORKDIR": str(folder / ".web"),
        "PYTHONPATH": str(folder),
        "STANDIN_DATA": str(standin_folder),
    }
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "reflex", "run"],
            cwd=folder,
            env=surroundings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        ready = (f"http://localhost:{backend}/ping", site)
        until(lambda: all(map(answers, ready)) or running.poll() is not None, "Nothing answers.", START_SECONDS)
        assert running.poll() is None, (folder / "log").read_text()[-4000:]
        yield Development(folder, site)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(20)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


async def tool(person: Person, name: str) -> None:
    """Point at the only message and press a button of its toolbar."""
    await person.log.locator("[data-row]").hover()
    await person.log.get_by_role("toolbar", name="Message actions").get_by_role("button", name=name, exact=True).click()


async def test_what_people_do_works_in_development(lobby: Lobby, development: Development) -> None:
    """React mounts everything twice there: what an effect does once must be right then, too."""
    room_id = await lobby.room("Ada", "Grace")
    grace, ada = await lobby.at("Grace", room_id), await lobby.stranger(site=development.site)
    asked: list[str] = []
    ada.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(str(frame))))
    await ada.enter_as("Ada", f"/chat/{room_id}")
    await ada.ready()
    await edits(ada)
    await invites(ada)
    assert sum("invite_people.load" in frame for frame in asked) == 1
    await replies_and_reacts(ada)
    await expect(grace.log.get_by_role("button", name=re.compile("^👍 1"))).to_be_visible()
    await expect(grace.log.locator(".text")).to_have_text("typo(edited)")
    await opens_and_closes(ada)
    await keeps_a_draft(ada)


async def edits(ada: Person) -> None:
    await ada.say("tpyo")
    await tool(ada, "Edit")
    await expect(ada.field("Edit message")).to_be_focused()
    await ada.field("Edit message").fill("typo")
    await ada.button("Save").click()
    await expect(ada.log.locator(".text")).to_have_text("typo(edited)")
    await expect(ada.box).to_be_focused()


async def invites(ada: Person) -> None:
    await ada.button("Invite").click()
    await expect(ada.field("Invite link")).to_have_value(re.compile("/invite/."))
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_role("dialog")).to_have_count(0)


async def replies_and_reacts(ada: Person) -> None:
    await tool(ada, "Reply in thread")
    await expect(ada.field("Reply")).to_be_focused()
    await ada.field("Reply").fill("about that")
    await ada.field("Reply").press("Enter")
    await expect(ada.page.get_by_role("log", name="Thread").get_by_text("about that")).to_have_count(1)
    await ada.page.keyboard.press("Escape")
    await expect(ada.page.get_by_role("log", name="Thread")).to_have_count(0)
    await tool(ada, "React with 👍")


async def opens_and_closes(ada: Person) -> None:
    await ada.page.keyboard.press("Control+k")
    await expect(ada.page.get_by_role("combobox", name="Go to a room")).to_be_focused()
    await ada.page.keyboard.press("Escape")
    await ada.page.set_viewport_size({"width": 390, "height": 844})
    await ada.button("Open rooms").click()
    await expect(ada.link("Browse rooms")).to_be_visible()
    await ada.page.go_back()  # which closes it
    await expect(ada.link("Browse rooms")).not_to_be_visible()
    await expect(ada.log).to_be_visible()


async def keeps_a_draft(ada: Person) -> None:
    await ada.box.fill("half a sentence")
    await ada.page.reload()
    await ada.ready()
    await expect(ada.box).to_have_value("half a sentence")
    await ada.box.fill("")


async def test_tabs_come_back_when_the_code_has_changed(lobby: Lobby, development: Development) -> None:
    room_id, marker = await lobby.room("Ada", "Grace"), development.folder / "reloaded"
    ada = await lobby.at("Ada", room_id, site=development.site)
    grace = await lobby.at("Grace", room_id)
    await ada.say("to the one that is being written")
    await grace.sees("to the one that is being written")
    await ada.box.fill("half a sentence")
    with (development.folder / "chatapp" / "texts.py").open("a") as source:
        source.write(CHANGE.format(target=str(marker)))
    await asyncio.to_thread(until, marker.exists, "The change was not noticed.", START_SECONDS)
    await grace.say("while it started anew")
    await ada.sees("while it started anew")
    await expect(ada.page.locator(".connection")).to_have_text("", timeout=60_000)
    await expect(ada.box).to_have_value("half a sentence")
    await ada.box.press("Enter")
    await grace.sees("half a sentence")
    assert await ada.texts() == await grace.texts()
