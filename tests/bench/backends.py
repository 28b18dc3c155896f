"""P10: two backends with their tabs' states in Redis, over one database and one Realtime, beside one such backend."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench import app as bench_app
from tests.bench import live, processes
from tests.bench.figures import Peer, Report
from tests.bench.peers import packages
from tests.folders import data_folder
from tests.ports import free_port
from tests.server import PORT


async def measure(report: Report) -> None:
    """Measure one, then both; the viewers are spread evenly over the backends."""
    program = await packages.have("redis-server", "redis-server")
    with data_folder("bench") as data, tempfile.TemporaryDirectory(prefix="chatapp-bench-") as folder:
        port = free_port()
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with processes.running(command, port):
            async with bench_app.project(data):
                one = await sustained(report, data, f"redis://127.0.0.1:{port}", [PORT])
                two = await sustained(report, data, f"redis://127.0.0.1:{port}", [PORT, free_port()])
    peer = Peer("one backend", one)
    report.figure("two backends: sustained", two, "deliveries/s", goal="P10", limit=1.7 * one, at_least=True, peer=peer)


async def sustained(report: Report, data: Path, redis: str, ports: list[int]) -> float:
    """The most that so many backends carry together."""
    async with AsyncExitStack() as stack:
        backends = [bench_app.backend(data, port, REFLEX_REDIS_URL=redis) for port in ports]
        servers = [await stack.enter_async_context(each) for each in backends]
        app = await stack.enter_async_context(bench_app.furnished(*servers))
        app.name = f"{len(ports)} backend{'s' * (len(ports) > 1)} with Redis"
        reached = await live.sustained(report, app, start=50)
    report.figure(f"{app.name}: sustained", reached, "deliveries/s")
    return reached
