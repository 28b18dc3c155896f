"""`python -m tests.churn`: tabs open and leave at random, and afterwards nothing of them is left in the server.

`MINUTES=10 TABS=500` are the defaults. One JSON line a minute and one for each count at the end; exits with 1 where
something is left over.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from uuid import UUID

from chatapp import db, migrate, settings
from chatapp.accounts import actions as accounts
from chatapp.rooms import actions as rooms
from chatapp.standin import lifecycle
from tests.cast import Cast, assemble
from tests.conftest import settings_of
from tests.folders import data_folder
from tests.server import URL, Server
from tests.tab import TAB, TIMELINE, Tab

ROOMS = 5
OPENINGS = 30
"""Pages opened a second, by all tabs together: more would only measure how long the queue gets."""
STATES_KEPT = 20
"""Seconds that the server keeps the state of a tab which has gone; an hour for real."""
SETTLED = 90.0
"""Seconds after which what is still there counts as left over: a room that nobody looks at is cached for 60."""

Say = Callable[..., None]


class Visitor:
    """Somebody whose tab opens a room, does a little and leaves, politely or not, again and again."""

    def __init__(self, cookie: str, room_ids: list[str], pause: float, fresh: float) -> None:
        self._cookie, self._rooms, self._pause, self._fresh = cookie, room_ids, pause, fresh
        self._token = str(uuid.uuid4())
        self.opened = 0

    async def visit(self, until: float) -> None:
        """Until a moment of `time.monotonic()`."""
        while time.monotonic() < until:
            await asyncio.sleep(random.uniform(0, self._pause))
            if random.random() < self._fresh:
                self._token = str(uuid.uuid4())  # a new tab instead of the old one again
            await self._once()

    async def look_into_every_room(self) -> None:
        """So that what is kept for a while is there before anything is counted."""
        tab = await Tab(URL, self._cookie, self._token).open("/chat")
        for room_id in self._rooms:
            await tab.go(f"/chat/{room_id}")
            await tab.until(lambda tab, room_id=room_id: _shows(tab, room_id), 30)
        await tab.close()

    async def _once(self) -> None:
        tab = await Tab(URL, self._cookie, self._token).open(f"/chat/{random.choice(self._rooms)}")
        self.opened += 1
        try:
            await self._look_around(tab)
        finally:
            await random.choice([tab.close, tab.cut])()
            await tab.close()

    async def _look_around(self, tab: Tab) -> None:
        deeds: list[Callable[[], Awaitable[object]]] = [
            lambda: tab.until(lambda tab: tab.shared(TIMELINE, "window"), 60),
            lambda: tab.call(f"{TAB}.load_older"),
            lambda: tab.go(f"/chat/{random.choice(self._rooms)}"),
            lambda: tab.send(random.choice(self._rooms), "on my way out"),
            lambda: asyncio.sleep(random.uniform(0, self._pause)),
        ]
        for deed in random.sample(deeds, random.randrange(len(deeds))):
            await deed()


async def churn(server: Server, visitors: list[Visitor], seconds: float, say: Say) -> dict[str, tuple[int, int]]:
    """Let them come and go; answers what is left over: count before and after."""
    for visitor in visitors[:40]:
        await visitor.look_into_every_room()
    before = await quiet(server, {"sockets": 0})
    end = time.monotonic() + seconds
    coming = asyncio.gather(*(visitor.visit(end) for visitor in visitors))
    while not coming.done():
        await asyncio.wait([coming], timeout=60)
        say(opened=sum(visitor.opened for visitor in visitors), **await asyncio.to_thread(server.counts))
    await coming
    after = await quiet(server, before)
    return {name: (before[name], after[name]) for name in before if after[name] > before[name]}


async def quiet(server: Server, wanted: dict[str, int]) -> dict[str, int]:
    """The counts, once none of them is above what is wanted, or when that takes too long."""
    end = time.monotonic() + SETTLED
    while True:
        now = await asyncio.to_thread(server.counts)
        if all(now[name] <= most for name, most in wanted.items()) or time.monotonic() > end:
            return now
        await asyncio.sleep(0.5)


async def visitors_of(cast: Cast, count: int, fresh: float = 0.2) -> list[Visitor]:
    """Tabs of two people in their rooms; `fresh` says how often one is closed for good and a new one opened."""
    made = [await rooms.create_room(cast.ada.actor, f"Churn {n}", "", False) for n in range(ROOMS)]
    for room in made:
        await rooms.join(cast.grace.actor, UUID(room.id))
    people = (cast.ada, cast.grace)
    cookies = [await accounts.redeem(await accounts.sign_in(who.email, who.password)) for who in people]
    pause = max(1.0, count / OPENINGS)
    return [Visitor(cookies[n % 2], [room.id for room in made], pause, fresh) for n in range(count)]


def _shows(tab: Tab, room_id: str) -> bool:
    return (tab.shared(TIMELINE, "window") or {}).get("room") == room_id


async def main(minutes: float, tabs: int) -> int:
    """Run, print, and answer the exit code."""
    with data_folder("churn") as data:
        shortly = {"STANDIN_DATA": str(data), "REFLEX_REDIS_TOKEN_EXPIRATION": str(STATES_KEPT)}
        server = Server(shortly, data.parent / "log")
        try:
            settings.use(settings_of(await asyncio.to_thread(lifecycle.ensure, data)))
            await migrate.migrate()
            visitors = await visitors_of(await assemble(), tabs)
            await asyncio.to_thread(server.start)
            left = await churn(server, visitors, 60 * minutes, lambda **values: print(json.dumps(values), flush=True))
            print(json.dumps({"name": "left over", "value": left, "opened": sum(v.opened for v in visitors)}))
            return 1 if left else 0
        finally:
            await asyncio.to_thread(server.stop)
            await db.dispose()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(float(os.environ.get("MINUTES", "10")), int(os.environ.get("TABS", "500")))))
