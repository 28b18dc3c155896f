"""The bare python-socketio room under the app's own server."""

from __future__ import annotations

import sys

from tests.bench import processes
from tests.bench.figures import Report
from tests.bench.peers import peer
from tests.bench.viewers import RoomViewer
from tests.ports import free_port


async def measure(report: Report) -> None:
    """Measure it."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.peers.room_server", "--port", str(port)]
    with processes.running(command, port) as program:
        system = peer.Peer("room", program, lambda _: RoomViewer("127.0.0.1", port))
        async with system.speaking():
            await peer.measure(report, system)
