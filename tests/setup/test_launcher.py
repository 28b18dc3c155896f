"""`python -m chatapp` in a folder of its own: starts, refuses a second, leaves nothing behind however it ends."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port
from tests.server import until

ROOT = Path(__file__).parents[2]
PARTS = (
    "chatapp",
    "alembic",
    "sql",
    "assets",
    "alembic.ini",
    "rxconfig.py",
    "pyproject.toml",
    ".npmrc",
    ".gitignore",
    "reflex.lock",
)
PAGE = """
from contextlib import asynccontextmanager
import reflex as rx
from chatapp import project

@asynccontextmanager
async def backend(app):
    await project.connect()
    yield

app = rx.App()
app.register_lifespan_task(backend)
app.add_page(rx.el.h1("Here"), route="/")
"""
START_SECONDS = 100  # the first start installs the front end's packages
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The project with a page that compiles fast, where the account that runs Postgres can enter."""
    folder = Path(tempfile.mkdtemp(prefix="chatapp-launcher-"))
    folder.chmod(0o755)
    for part in PARTS:
        _copy(ROOT / part, folder / part)
    (folder / "chatapp" / "chatapp.py").write_text(PAGE)
    yield folder
    subprocess.run([sys.executable, "-m", "chatapp.standin", "reset"], cwd=folder, check=True, capture_output=True)
    shutil.rmtree(folder)


@pytest.fixture
def app(folder: Path) -> Iterator[Launched]:
    launched = Launched(folder)
    yield launched
    launched.process.terminate()
    launched.process.wait(20)
    assert launched.left_behind() == []


class Launched:
    """A launcher that was started, and everything it started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.backend_port = folder, free_port(), free_port()
        self.log = (folder / "launcher.log").open("w+")
        ports = {"PORT": str(self.port), "BACKEND_PORT": str(self.backend_port)}
        self.process = self.start({**_environment(), **ports})
        try:
            self.wait_for("The chat runs at")
        except BaseException:
            self.process.kill()
            raise
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def start(self, environment: dict[str, str]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "chatapp"]
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=self.log, stderr=self.log, text=True)

    def said(self) -> str:
        return Path(self.log.name).read_text()

    def page(self) -> int:
        return _status(self.port, "/")

    def has_a_backend(self) -> None:
        """Wait until it answers; it and what it started are of the family from then on."""
        until(lambda: _status(self.backend_port, "/ping") == 200, "The backend does not answer.\n" + self.said(), 30)
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def one(self, pattern: str) -> psutil.Process:
        """The one process of ours whose command matches."""
        (found,) = [each for each in self.family if re.search(pattern, " ".join(each.cmdline()))]
        return found

    def backend(self) -> psutil.Process:
        """What serves the port: Reflex replaces it when the code changes."""
        (found,) = [each for each in self.one(LEASH).children()[0].children() if not re.match("npm|node", each.name())]
        return found

    def left_behind(self) -> list[str]:
        """Commands that still run, once everything had the time it may take to end."""
        _, alive = psutil.wait_procs(self.family, timeout=15)
        return [" ".join(each.cmdline()) for each in alive]

    def saves(self, code: str, says: str) -> None:
        """Save code until the backend has run it: one that starts at this moment does not look for changes yet."""
        source, deadline = self.folder / "chatapp" / "chatapp.py", time.monotonic() + START_SECONDS
        while says not in self.said() and time.monotonic() < deadline:
            source.write_text(f"{code}\n# {time.monotonic()}")
            with contextlib.suppress(RuntimeError):
                until(lambda: says in self.said(), "", 5)
        assert says in self.said(), self.said()

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while text not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)


def test_it_answers_and_says_where(app: Launched) -> None:
    assert app.page() == 200
    assert f"http://localhost:{app.port}\n" in app.said()
    assert "`Continue as Ada`" in app.said()


def test_it_serves_this_machine_only(app: Launched) -> None:
    listening = {c.laddr.ip for each in app.family for c in each.net_connections("tcp") if c.status == "LISTEN"}
    assert listening == {"127.0.0.1"}


def test_a_second_one_is_refused_in_one_sentence(app: Launched) -> None:
    done = _run(app.folder)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"already runs from this folder, at http://localhost:{app.port} (process {app.process.pid})" in done.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_quietly(app: Launched, ending: signal.Signals) -> None:
    said = app.said()
    app.process.send_signal(ending)
    assert app.process.wait(20) == 0
    assert app.left_behind() == []
    assert app.said() == said


LEASH = r"standin\.leash --signal INT --grace 8"


@pytest.mark.parametrize("victim", ["launcher", LEASH, r"-m reflex run$", r"^node .*react-router dev"])
def test_whatever_is_killed_nothing_is_left_behind(app: Launched, victim: str) -> None:
    if victim == "launcher":
        app.process.kill()
    elif victim == r"-m reflex run$":
        app.one(LEASH).children()[0].kill()
    else:
        app.one(victim).kill()
    app.process.wait(20)
    assert app.left_behind() == []


def test_killing_launcher_and_leash_together_leaves_nothing_behind(app: Launched) -> None:
    app.one(LEASH).suspend()  # so that it cannot act before it is killed too
    app.process.kill()
    app.one(LEASH).kill()
    assert app.left_behind() == []


def test_a_killed_standin_comes_back_with_its_data(app: Launched) -> None:
    record = app.folder / ".standin" / "standin.json"
    before = record.read_text()
    app.one(r"chatapp\.standin --data .* serve").kill()
    deadline = time.monotonic() + 30
    while _standin(app.folder) != 0 or record.read_text() == before:
        assert time.monotonic() < deadline, app.said()
        time.sleep(0.1)
    app.family = psutil.Process(app.process.pid).children(recursive=True)
    assert app.page() == 200


def test_a_killed_backend_is_started_again_and_one_with_broken_code_waits_for_it_to_be_mended(app: Launched) -> None:
    again = "The backend has ended unexpectedly. It is started again."
    app.backend().kill()
    app.wait_for(again)
    app.has_a_backend()
    try:
        app.saves("raise RuntimeError('not yet')", "RuntimeError: not yet")
        app.saves(
            PAGE.replace("await project.connect()", "raise RuntimeError('no service')"), "RuntimeError: no service"
        )
        time.sleep(2)  # in which it would be started again
    finally:
        app.saves(f"{PAGE}print('It is mended.')", "It is mended.")
        (app.folder / "chatapp" / "chatapp.py").write_text(PAGE)
    app.has_a_backend()
    assert app.said().count(again) == 1


def test_a_port_in_use_is_said_in_one_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run(folder, PORT=str(port), BACKEND_PORT=str(free_port()))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"Port {port} is taken by" in done.stderr


def test_half_a_project_is_said_in_one_sentence(folder: Path) -> None:
    done = _run(folder, SUPABASE_URL="http://127.0.0.1:9", PORT=str(free_port()), BACKEND_PORT=str(free_port()))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "DATABASE_URL is not" in done.stderr


def test_no_network_for_the_front_ends_packages_is_said_in_one_sentence(folder: Path) -> None:
    nowhere = {"NPM_CONFIG_REGISTRY": "http://127.0.0.1:9", "npm_config_cache": str(folder / "empty")}
    shutil.move(folder / ".web", folder / ".web-kept") if (folder / ".web").exists() else None
    try:
        done = _run(folder, **nowhere, PORT=str(free_port()), BACKEND_PORT=str(free_port()))
    finally:
        shutil.rmtree(folder / ".web", ignore_errors=True)
        shutil.move(folder / ".web-kept", folder / ".web") if (folder / ".web-kept").exists() else None
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "JavaScript packages could not be downloaded (ECONNREFUSED): connect this machine" in done.stderr


def _status(port: int, path: str) -> int:
    """What is answered there; 0 for nothing."""
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0


def _run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chatapp"],
        cwd=folder,
        env={**_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _standin(folder: Path) -> int:
    command = [sys.executable, "-m", "chatapp.standin", "status"]
    return subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, check=False).returncode


def _environment() -> dict[str, str]:
    """Ours, without what a developer's shell, or the `make` that runs these tests, has set for an app."""
    ours = ("SUPABASE_", "DATABASE_URL", "APP_DATABASE_URL", "REFLEX_", "__REFLEX", "STANDIN_", "MAKELEVEL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    elif source.exists():
        shutil.copy(source, target)
