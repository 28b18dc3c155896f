"""The line to the other backends: the channel `backends` on the feed's connection.

Realtime Presence says which backends are on it, broadcasts carry what they say. The same traits of the `realtime`
client as in `feed` apply: an exception in a callback would end its listening for good, and no channel is used twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimeSubscribeStates

from chatapp.realtime import topic

log = logging.getLogger(__name__)

QUEUE_LIMIT = 1_000
"""Messages waiting to be said at most. What is dropped is made up for by the lists told again from time to time."""

BACKOFF = (1.0, 2.0, 5.0, 30.0)
"""Seconds before the n-th try in a row to join; the last one repeats. The project has few joins per second."""


class Listener(Protocol):
    """Who hears what comes over the line. Called on the event loop; must not block."""

    @property
    def id(self) -> str: ...
    def present(self, backends: frozenset[str]) -> None: ...
    def heard(self, message: Any) -> None: ...


class Line:
    """Supervised membership in the topic `backends`, under the listener's id."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(QUEUE_LIMIT)
        self.joined = asyncio.Event()
        self.client: AsyncRealtimeClient | None = None

    def say(self, message: dict[str, Any]) -> None:
        """Tell every other backend, in order, soon. Nothing is kept for those who come later."""
        if self.joined.is_set() and not self._waiting.full():
            self._waiting.put_nowait(message)

    async def keep(self, client: AsyncRealtimeClient) -> None:
        """Stay on the topic until cancelled, as long as the client is connected."""
        self.client, failures = client, 0
        while client.is_connected:
            try:
                await self._stay(client)
            except Exception as error:  # noqa: BLE001  # the client raises bare ones; each means: not on the line
                log.warning("The line to the other backends broke: %s", type(error).__name__)
            await asyncio.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
            failures += 1

    async def _stay(self, client: AsyncRealtimeClient) -> None:
        """Live through one membership."""
        lost = asyncio.Event()
        channel: AsyncRealtimeChannel = client.channel(
            topic.BACKENDS,
            {
                "config": {
                    "private": True,
                    "broadcast": {"ack": True, "self": False},
                    "presence": {"key": self._listener.id, "enabled": True},
                }
            },
        )
        channel.on_broadcast(topic.PEER_EVENT, partial(_guarded, self._hear))
        channel.on_presence_sync(partial(_guarded, lambda: self._look(channel)))
        try:
            await channel.subscribe(partial(self._state_changed, lost))
            if channel.is_joined:
                await channel.track({})
                await self._speak(channel, lost)
        finally:
            self._hang_up()
            with contextlib.suppress(Exception):
                await client.remove_channel(channel)

    async def _speak(self, channel: AsyncRealtimeChannel, lost: asyncio.Event) -> None:
        speaking = asyncio.create_task(self._say_all(channel), name="line-say")
        losing = asyncio.create_task(lost.wait(), name="line-lost")
        try:
            await asyncio.wait({speaking, losing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            speaking.cancel()
            losing.cancel()
            await asyncio.gather(speaking, losing, return_exceptions=True)

    async def _say_all(self, channel: AsyncRealtimeChannel) -> None:
        while True:
            await channel.send_broadcast(topic.PEER_EVENT, await self._waiting.get())

    def _hear(self, message: Any) -> None:
        self._listener.heard(message["payload"])

    def _look(self, channel: AsyncRealtimeChannel) -> None:
        self._listener.present(frozenset(channel.presence_state()))

    def _state_changed(self, lost: asyncio.Event, state: RealtimeSubscribeStates, _: Exception | None) -> None:
        if state == RealtimeSubscribeStates.SUBSCRIBED:
            self.joined.set()
        else:
            lost.set()

    def _hang_up(self) -> None:
        self.joined.clear()
        while not self._waiting.empty():  # the lists that are told after the next joining are newer
            self._waiting.get_nowait()


def _guarded(callback: Callable[..., None], *arguments: Any) -> None:
    try:
        callback(*arguments)
    except Exception:
        log.exception("What another backend said could not be handled")
