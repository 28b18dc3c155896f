"""`make bench`: what the live path costs, measured at the sockets of the real app. One JSON line a figure.

Server, stand-in and clients share this machine, so absolute times say little: compare runs of one machine.
`VIEWERS=50,200,500` chooses how many look on.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import psycopg
import websockets

from chatapp import db, migrate, settings
from chatapp.accounts import actions as accounts
from chatapp.rooms import actions as rooms
from chatapp.standin import lifecycle
from tests.cast import Cast, assemble
from tests.server import URL, Server
from tests.tab import STATE, TIMELINE, Tab

VIEWERS = tuple(int(n) for n in os.environ.get("VIEWERS", "50,200").split(","))
MESSAGES = 40
PER_SECOND = 2.0
TEXT = "x" * 100


class Viewer:
    """The smallest client that is sent what a tab is sent: when it came, and how long it was."""

    def __init__(self, room_id: str, cookie: str) -> None:
        self._room_id, self._cookie = room_id, cookie
        self.arrived: dict[str, float] = {}
        self.sizes: list[int] = []
        self.ready = asyncio.Event()

    async def watch(self) -> None:
        """Look on until cancelled."""
        address = f"{URL.replace('http', 'ws')}/_event/?token={uuid4()}&EIO=4&transport=websocket"
        headers = {"Cookie": f"chatapp_session={self._cookie}"}
        async with websockets.connect(address, additional_headers=headers, compression=None) as socket:
            async for frame in socket:
                await self._take(socket, str(frame), time.perf_counter())

    async def _take(self, socket: websockets.ClientConnection, frame: str, now: float) -> None:
        if frame.startswith("0"):
            await socket.send("40/_event," + json.dumps({"event": self._boot()}))
        elif frame == "2":
            await socket.send("3")
        elif "window_rx_state_0" in frame:
            self.ready.set()
        elif (at := frame.find("bench ")) >= 0:
            self.arrived[frame[at : at + 14]] = now
            self.sizes.append(len(frame))

    def _boot(self) -> dict[str, object]:
        path = f"/chat/{self._room_id}"
        router = {"pathname": path, "asPath": path, "query": {"room_id": self._room_id}}
        return {"name": f"{STATE}.hydrate_and_load", "payload": {"vars": {}}, "router_data": router}


async def main() -> None:
    """Measure and print."""
    with folder() as data:
        project = await asyncio.to_thread(lifecycle.ensure, data)
        settings.use(
            settings.Settings(
                supabase_url=project.url,
                supabase_publishable_key=project.publishable_key,
                supabase_secret_key=project.secret_key,
                database_url=project.database_url,
                is_standin=True,
            )
        )
        await migrate.migrate()
        cast = await assemble()
        server = Server({"STANDIN_DATA": str(data), "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "0"}, data.parent / "log")
        await asyncio.to_thread(server.start)
        try:
            await from_send_to_seen(cast)
            for viewers in VIEWERS:
                await fan_out(cast, server, viewers)
        finally:
            await asyncio.to_thread(server.stop)
            await db.dispose()


async def from_send_to_seen(cast: Cast) -> None:
    """Two tabs, 100 messages both ways: from calling the handler to the other tab's having it."""
    room_id, cookies = await a_room(cast)
    tabs = [await Tab(URL, cookie).open(f"/chat/{room_id}") for cookie in cookies]
    for tab in tabs:
        await tab.until(lambda tab: tab.shared(TIMELINE, "window"))
    times = []
    for number, (sender, seer) in zip(range(100), itertools.cycle([tabs, tabs[::-1]]), strict=False):
        text, began = f"message {number}", time.perf_counter()
        await sender.send(room_id, text)
        await seer.until(lambda tab, text=text: text in tab.texts)
        times.append(time.perf_counter() - began)
    report("send to seen p50", 1000 * statistics.median(times), "ms")
    report("send to seen p99", 1000 * quantile(times, 0.99), "ms", limit=1000)
    for tab in tabs:
        await tab.close()


async def fan_out(cast: Cast, server: Server, viewers: int) -> None:
    """From the commit of a row written by hand to the delta at every viewer's socket."""
    room_id, (_, cookie) = await a_room(cast)
    async with watching([Viewer(room_id, cookie) for _ in range(viewers)]) as watchers:
        before = cpu_seconds(server.pid)
        committed = await write(room_id, str(cast.ada.id))
        await everything(watchers)
        used = cpu_seconds(server.pid) - before
    waits = [viewer.arrived[text] - at for viewer in watchers for text, at in committed.items()]
    name = f"fan-out {viewers} viewers"
    report(f"{name} p50", 1000 * statistics.median(waits), "ms")
    report(f"{name} p99", 1000 * quantile(waits, 0.99), "ms", limit={200: 100, 500: 250}.get(viewers))
    report(f"{name} a delivery", statistics.mean(watchers[0].sizes), "B", limit=600)
    report(f"{name} server CPU a delivery", 1e6 * used / len(waits), "us", limit=120)
    report(f"{name} lost", viewers * MESSAGES - len(waits), "messages", limit=0)


async def a_room(cast: Cast) -> tuple[str, list[str]]:
    """A room of Ada's that Grace is in, and a session's cookie for each."""
    room = await rooms.create_room(cast.ada.actor, "Bench", "", False)
    await rooms.join(cast.grace.actor, UUID(room.id))
    people = (cast.ada, cast.grace)
    return room.id, [await accounts.redeem(await accounts.sign_in(who.email, who.password)) for who in people]


@asynccontextmanager
async def watching(viewers: list[Viewer]) -> AsyncIterator[list[Viewer]]:
    tasks = [asyncio.create_task(viewer.watch()) for viewer in viewers]
    try:
        async with asyncio.timeout(60):
            for viewer in viewers:
                await viewer.ready.wait()
        yield viewers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def write(room_id: str, user_id: str) -> dict[str, float]:
    """Post at a steady rate; answers when each message was committed."""
    committed = {}
    statement = "insert into chat_messages (room_id, user_id, client_id, content) values (%s, %s, %s, %s)"
    async with await psycopg.AsyncConnection.connect(settings.current().owner_url, autocommit=True) as connection:
        for number in range(MESSAGES):
            text = f"bench {number:08}"
            await connection.execute(statement, (room_id, user_id, text, text + TEXT[14:]))
            committed[text] = time.perf_counter()
            await asyncio.sleep(1 / PER_SECOND)
    return committed


async def everything(viewers: list[Viewer], seconds: float = 30) -> None:
    """Wait for what is still on its way; what has not come by then counts as lost."""
    end = time.monotonic() + seconds
    while any(len(viewer.arrived) < MESSAGES for viewer in viewers) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def report(name: str, value: float, unit: str, limit: float | None = None) -> None:
    """Print a figure as a line of JSON."""
    ratio = round(value / limit, 2) if limit else None
    print(
        json.dumps({"name": name, "value": round(value, 1), "unit": unit, "limit": limit, "ratio": ratio}), flush=True
    )


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its workers."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(sum(process.cpu_times()[:2]) for process in family)


@contextmanager
def folder() -> Iterator[Path]:
    """A data folder that the account running Postgres can enter."""
    made = Path(tempfile.mkdtemp(prefix="chatapp-bench-"))
    made.chmod(0o755)
    try:
        yield made / "data"
    finally:
        lifecycle.release(made / "data", stop_if_last=False)
        lifecycle.reset(made / "data")
        shutil.rmtree(made, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
