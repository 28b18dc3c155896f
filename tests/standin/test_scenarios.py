"""The same scenarios through both clients that people use, with the same outcomes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from chatapp.standin.lifecycle import Project
from tests.standin.scenarios import CLEANUP, EXPECTED, SCHEMA, Player

JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def stage(project: Project) -> Iterator[Project]:
    with psycopg.connect(project.database_url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        yield project
        connection.execute(CLEANUP)


@pytest.mark.parametrize("name", EXPECTED)
async def test_python(stage: Project, name: str) -> None:
    assert await Player(stage).play(name) == EXPECTED[name]


@pytest.fixture(scope="module")
def played(stage: Project) -> dict[str, Any]:
    """Play all of them with `@supabase/supabase-js`, once."""
    _install()
    keys = {"SUPABASE_PUBLISHABLE_KEY": stage.publishable_key, "SUPABASE_SECRET_KEY": stage.secret_key}
    keys["SUPABASE_URL"] = stage.url
    run = _run("node", "scenarios.mjs", **keys)
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith('{"name"')]
    return {line["name"]: line.get("outcome", line.get("error")) for line in lines}


def _install() -> None:
    """From the lock file, which carries hashes and no addresses; nothing is done when it is there already."""
    wanted = (JS / "package-lock.json").read_text()
    note = JS / "node_modules" / ".installed"
    if note.exists() and note.read_text() == wanted:
        return
    options = ["--omit-lockfile-registry-resolved", "--no-audit", "--no-fund", "--ignore-scripts"]
    run = _run("npm", "ci", *options)
    assert run.returncode == 0, f"npm could not install the client: {run.stderr}"
    note.write_text(wanted)


def _run(tool: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Node or npm, which come with the environment, from PyPI."""
    command = [str(Path(sys.executable).with_name(tool)), *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, check=False, cwd=JS, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("name", EXPECTED)
def test_javascript(played: dict[str, Any], name: str) -> None:
    assert played.get(name) == EXPECTED[name]


def test_the_lock_carries_no_addresses() -> None:
    packages = json.loads((JS / "package-lock.json").read_text())["packages"]
    assert not any("resolved" in package for package in packages.values())
    assert all(package["integrity"] for name, package in packages.items() if name)


def test_a_page_may_call_the_services_and_not_the_outbox(project: Project) -> None:
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "apikey,authorization,x-client-info",
    }
    for path in ("auth/v1/token", "realtime/v1/api/broadcast", "storage/v1/object/list/b", "rest/v1/x"):
        preflight = httpx.options(f"{project.url}/{path}", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-headers"] == asked["access-control-request-headers"]
        assert httpx.get(f"{project.url}/{path}").headers["access-control-allow-origin"] == "*"
    for path in ("", "health", "outbox", "outbox.json"):
        assert "access-control-allow-origin" not in httpx.get(f"{project.url}/{path}", headers=asked).headers
