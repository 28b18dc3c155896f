"""The process's one Realtime connection, and with `line` the only modules that know the `realtime` client.

The client gives up after five tries, dies silently when a callback raises, never awaits async callbacks and loses
whatever happened while it was away. So nothing of it is reused after a failure: callbacks only enqueue, a
supervisor builds a fresh client for every connection, and after each one subscribers must assume a gap.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimeSubscribeStates

from chatapp.realtime import topic
from chatapp.realtime.hint import Hint, parse
from chatapp.realtime.line import Line

log = logging.getLogger(__name__)

QUEUE_LIMIT = 10_000
"""Hints waiting at most. Hints carry no content, so dropping all of them costs one catch-up and nothing else."""

BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the n-th try in a row to connect; the last one repeats for ever."""

SETTLED = 5.0
"""Seconds after which a connection counts as good, and the next failure as the first."""

HEARTBEAT = 15
"""Seconds between heartbeats; the client allows no less."""


class Feed:
    """Supervised subscription to the topic `changes`; a `line` to the other backends lives on the same connection.

    `on_hint` is called for every hint in order, `on_gap` after every (re)connection and whenever hints had to be
    dropped. Both run on the event loop, must not block, and an exception in them is logged and survived.
    """

    def __init__(
        self,
        url: str,
        key: str,
        on_hint: Callable[[Hint], None],
        on_gap: Callable[[], None],
        line: Line | None = None,
    ) -> None:
        self._url, self._key, self._line = url, key, line
        self._on_hint, self._on_gap = on_hint, on_gap
        self._queue: asyncio.Queue[Hint | None] = asyncio.Queue(QUEUE_LIMIT)
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Stay subscribed until cancelled."""
        failures = 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver(), name="feed-deliver")
            while True:
                began = time.monotonic()
                await self._connection()
                # One that is thrown out at once is no success: it would be back within a tenth of a second, for ever.
                failures = 0 if time.monotonic() - began > SETTLED else failures + 1
                await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])

    async def _connection(self) -> None:
        """Live through one connection."""
        client = AsyncRealtimeClient(
            self._url, self._key, auto_reconnect=False, hb_interval=HEARTBEAT, max_retries=1, timeout=5
        )
        lost = asyncio.Event()  # of this connection alone: its client may speak up long after it was closed
        try:
            await self._subscribe(client, lost)
            await self._until(lost, client)
        except Exception as error:  # noqa: BLE001  # the client raises bare ones; each means: not connected
            log.warning("Realtime is not reachable: %s", type(error).__name__)
        finally:
            self.connected.clear()
            with contextlib.suppress(Exception):
                await client.close()

    async def _until(self, lost: asyncio.Event, client: AsyncRealtimeClient) -> None:
        """Hints neither wait for the line nor fall with it: it looks after itself."""
        line = asyncio.create_task(self._line.keep(client), name="feed-line") if self._line else None
        try:
            await lost.wait()
        finally:
            if line:
                line.cancel()
                await asyncio.gather(line, return_exceptions=True)

    async def _subscribe(self, client: AsyncRealtimeClient, lost: asyncio.Event) -> None:
        channel: AsyncRealtimeChannel = client.channel(
            topic.CHANGES,
            {"config": {"private": True, "broadcast": None, "presence": None}},
        )
        channel.on_broadcast(topic.HINT_EVENT, self._received)
        await channel.subscribe(partial(self._state_changed, lost))

    def _state_changed(self, lost: asyncio.Event, state: RealtimeSubscribeStates, _: Exception | None) -> None:
        if state == RealtimeSubscribeStates.SUBSCRIBED:
            log.info("Subscribed to Realtime.")
            self.connected.set()
            self._enqueue(None)
        elif not lost.is_set():
            log.warning("Lost Realtime (%s).", state.value)
            lost.set()

    def _received(self, message: Any) -> None:
        # An exception here would kill the client's listen task for good, with is_connected staying True.
        try:
            if hint := parse(dict(message["payload"])):
                self._enqueue(hint)
        except Exception:
            log.exception("Unreadable hint")

    def _enqueue(self, item: Hint | None) -> None:
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            item = None
        self._queue.put_nowait(item)

    async def _deliver(self) -> None:
        while True:
            item = await self._queue.get()
            try:
                self._on_gap() if item is None else self._on_hint(item)
            except Exception:
                log.exception("A subscriber of the feed failed")
