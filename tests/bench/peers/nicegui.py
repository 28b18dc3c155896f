"""NiceGUI's documented chat example, in a virtual environment of its own: nothing of it is a dependency of ours."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from uuid import uuid4

import httpx

from tests.bench import processes
from tests.bench.figures import Report, Skip, note
from tests.bench.peers import peer
from tests.bench.viewers import SocketIo
from tests.ports import free_port
from tests.server import ROOT

VENV = ROOT / ".bench-venv"
PACKAGE = "nicegui>=3,<4"
CHAT = Path(__file__).parent / "nicegui_chat.py"
_CLIENT = re.compile(r"'client_id': '([0-9a-f-]+)'")


class NiceGuiTab(SocketIo):
    """A tab: it loads the page, which makes its client on the server, and then connects as that."""

    def opened(self) -> None:
        with urllib.request.urlopen(f"http://{self.host}:{self.port}/", timeout=60) as page:
            found = _CLIENT.search(page.read().decode())
        if found is None:
            raise RuntimeError("NiceGUI's page does not name its client as it used to")
        tab = {"client_id": found[1], "document_id": uuid4(), "tab_id": uuid4(), "old_tab_id": ""}
        query = {**tab, "next_message_id": 0, "implicit_handshake": "true", "EIO": 4, "transport": "websocket"}
        self.path = f"/_nicegui_ws/socket.io/?{urllib.parse.urlencode(query)}"
        super().opened()


class NiceGui(peer.Peer):
    """The example posts from its own page: one route more does it for us."""

    client: httpx.AsyncClient

    async def post(self, text: str) -> float:
        began = time.perf_counter()
        await self.client.post(f"/post/{text}")
        return began


async def measure(report: Report) -> None:
    """Measure it, if it can be had."""
    python = await asyncio.to_thread(_install)
    port = free_port()
    # -P: beside the script there is a module that is called nicegui too.
    with processes.running([str(python), "-P", str(CHAT)], port, {"BENCH_PORT": str(port)}) as program:
        system = NiceGui("nicegui", program, lambda _: NiceGuiTab("127.0.0.1", port))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as system.client:
            await peer.measure(report, system, start=1)


def _install() -> Path:
    python = VENV / "bin" / "python"
    if (VENV / "installed").exists():
        return python
    note(f"installing {PACKAGE} into {VENV.name}")
    _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV))
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv:
        _run(uv, "pip", "install", "--quiet", "--python", str(python), PACKAGE)
    else:
        _run(str(python), "-m", "ensurepip")
        _run(str(python), "-m", "pip", "install", "--quiet", PACKAGE)
    (VENV / "installed").touch()
    return python


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise Skip(f"{PACKAGE} could not be installed: {said.strip().splitlines()[-1]}") from error
