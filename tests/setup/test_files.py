"""The files that set a machine up say what the code needs, and nothing of the machine they were made on."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", [*LOCKS, ".npmrc", "reflex.lock/package-lock.json"])
def test_no_lock_file_carries_an_address(name: str) -> None:
    addresses = re.findall(r"\w+://\S+", (ROOT / name).read_text())
    # Licence funding pages are the packages' own words in npm's lock; what is downloaded has no address.
    assert name == "reflex.lock/package-lock.json" or addresses == []
    assert '"resolved": "' not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text())
    assert [entry for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []


def test_what_runs_is_what_was_tested() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for wanted, lock in (
        (project["project"]["dependencies"], "requirements.lock"),
        (project["dependency-groups"]["dev"], "requirements-dev.lock"),
    ):
        names = {re.split(r"[\[<>=~!]", line)[0].lower() for line in wanted}
        assert names <= pins(lock).keys()


def test_the_front_ends_packages_are_locked() -> None:
    locked = json.loads((ROOT / "reflex.lock" / "package-lock.json").read_text())["packages"]
    assert "node_modules/react" in locked
    assert [name for name, entry in locked.items() if name and not entry.get("integrity")] == []


@pytest.mark.parametrize("target", ["run", "test", "check", "lock", "clean"])
def test_make_knows(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr


def test_git_ignores_what_a_run_makes() -> None:
    made = [".venv/x", ".web/x", ".standin/x", ".env", ".chatapp.lock", "frontend.zip"]
    done = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == made
