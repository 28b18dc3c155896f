"""The hub: which channels are on which topic, and getting a frame to all of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from .presence import Diff, Presence
from .protocol import Broadcast

if TYPE_CHECKING:
    from .channels import Channel

Topic = tuple[
    str, bool
]  # name and privacy: `room` and private `room` are two topics, or a public reader could listen in


class Hub:
    """Every joined channel of this process, by topic."""

    def __init__(self) -> None:
        self._channels: defaultdict[Topic, set[Channel]] = defaultdict(set)
        self._presence: defaultdict[Topic, Presence] = defaultdict(Presence)

    def add(self, channel: Channel) -> None:
        self._channels[channel.topic].add(channel)

    def remove(self, channel: Channel) -> None:
        """Forget a channel, and what it tracked."""
        self._channels[channel.topic].discard(channel)
        self.untrack(channel)
        if not self._channels[channel.topic]:
            del self._channels[channel.topic]

    def broadcast(self, topic: Topic, broadcast: Broadcast, *, sender: Channel | None = None) -> None:
        """Send to every channel that may read, except `sender`. Never waits: a socket that lags is closed."""
        for channel in tuple(self._channels.get(topic, ())):
            if channel is not sender and channel.may_read("broadcast"):
                channel.socket.put(broadcast.frame(channel.socket.version))

    def track(self, channel: Channel, content: dict[str, object]) -> None:
        """Tell everybody what a channel tracks; the same once more is no news."""
        diff = self._presence[channel.topic].track(channel.presence_key, channel, content)
        if diff:
            self._announce(channel.topic, diff)

    def untrack(self, channel: Channel) -> None:
        if channel.topic not in self._presence:
            return
        presence = self._presence[channel.topic]
        diff = presence.untrack(channel.presence_key, channel)
        if not presence:
            del self._presence[channel.topic]
        if diff:
            self._announce(channel.topic, diff)

    def presence_state(self, topic: Topic) -> dict[str, dict[str, list[dict[str, object]]]]:
        return self._presence[topic].state() if topic in self._presence else {}

    def _announce(self, topic: Topic, diff: Diff) -> None:
        for channel in tuple(self._channels.get(topic, ())):
            if channel.may_read("presence"):
                channel.push("presence_diff", diff.payload())
