"""The page that `reflex init` makes, built and served as ours is: what Reflex alone takes to be there."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import reflex_base

from tests.bench import processes
from tests.bench.figures import Skip
from tests.ports import free_port
from tests.server import ROOT

TEMPLATE = Path(reflex_base.__file__).parent / ".templates" / "apps" / "blank"
CONFIG = """
import runpy
import reflex as rx
theirs = runpy.run_path({ours!r})["config"]  # Node, npm and the addresses as the app has them
config = rx.Config(
    app_name="blank",
    frontend_port=theirs.frontend_port,
    backend_port=theirs.backend_port,
    api_url=theirs.api_url,
    telemetry_enabled=False,
    disable_plugins=theirs.disable_plugins,
)
"""


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Its address, as long as it is served. Raises Skip where it cannot be built."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="chatapp-blank-") as folder:
        made, environment = Path(folder), _environment(Path(folder), port)
        await asyncio.to_thread(_build, made, environment)
        command = [sys.executable, "-m", "uvicorn", "--factory", "--app-dir", folder, "--port", str(port)]
        serving = {**environment, "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "1", "__REFLEX_SKIP_COMPILE": "1"}
        with processes.running([*command, "blank.blank:app"], port, serving):
            yield f"http://localhost:{port}"


def _build(folder: Path, environment: dict[str, str]) -> None:
    shutil.copytree(TEMPLATE / "code", folder / "blank")
    shutil.copytree(TEMPLATE / "assets", folder / "assets")
    shutil.copy(ROOT / ".npmrc", folder)
    (folder / "rxconfig.py").write_text(CONFIG.format(ours=str(ROOT / "rxconfig.py")))
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Skip(f"the blank page could not be built: {(done.stdout + done.stderr)[-300:]}")


def _environment(folder: Path, port: int) -> dict[str, str]:
    address = f"http://localhost:{port}"
    ports = {"REFLEX_FRONTEND_PORT": str(port), "REFLEX_BACKEND_PORT": str(port)}
    places = {"REFLEX_API_URL": address, "REFLEX_DEPLOY_URL": address, "REFLEX_WEB_WORKDIR": str(folder / ".web")}
    return {**ports, **places, "REFLEX_ENV_MODE": "prod", "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
