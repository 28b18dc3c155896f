"""Servers that come as packages of the system: found, or installed when that is possible without asking anybody."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from tests.bench.figures import Skip, note

SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"


def find(program: str) -> str | None:
    """Return the program's path; daemons live in folders that are not on everybody's PATH."""
    return shutil.which(program, path=f"{os.environ['PATH']}:{SYSTEM}")


async def have(program: str, package: str) -> str:
    """Return the program's path, after installing its package if need be. Raises Skip with the reason."""
    if not (found := find(program)):
        await _install(package)
        found = find(program)
    if not found:
        raise Skip(f"the package {package} has no {program}")
    return found


async def _install(package: str) -> None:
    if not shutil.which("apt-get"):
        raise Skip(f"{package} is not installed, and there is no apt-get to install it with")
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if rights and not shutil.which("sudo"):
        raise Skip(f"{package} is not installed: run `apt-get install {package}` as root")
    note(f"installing {package}")
    # RUNLEVEL=1: the package's own service is not started, we start one of our own with its own data.
    variables = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
    code, said = await _run(*rights, *variables, "apt-get", "install", "-y", "--no-install-recommends", package)
    if code:
        raise Skip(f"{package} could not be installed: {said}")


async def _run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    lines = out.decode(errors="replace").strip().splitlines() or [""]
    return process.returncode or 0, lines[-1]


def written(path: Path, text: str) -> Path:
    """Return `path`, with `text` in it."""
    path.write_text(text)
    return path
