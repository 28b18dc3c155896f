"""Sockets and the channels joined on them: join, leave, heartbeat, token, broadcast, presence."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import psycopg

from chatapp.standin.database import Database
from chatapp.standin.keys import Keys, TokenError

from .authorization import Rights, reading_rights, writing_rights
from .changes import Changes
from .hub import Hub, Topic
from .limits import Usage
from .protocol import Broadcast, Frame, Message, encode
from .replay import earlier, valid
from .subscriptions import SubscriptionError, checked, echoed

PREFIX = "realtime:"
QUEUE_FRAMES = 2_000  # a socket that lags by more is closed: memory stays bounded, the client rejoins
CHECK_SECONDS = 300.0  # a far expiry is looked at again: a laptop's clock jumps when it wakes


class RefusedError(Exception):
    """A join the server says no to; `str` is the reason the client is given."""


@dataclass(frozen=True)
class Services:
    """What a socket needs of the process around it."""

    database: Database
    keys: Keys
    hub: Hub
    changes: Changes
    usage: Usage


class Channel:
    """One socket's membership in one topic."""

    def __init__(self, socket: Socket, message: Message, token: str | None, claims: dict[str, Any]) -> None:
        config = _object(message.payload.get("config"))
        broadcast, presence = _object(config.get("broadcast")), _object(config.get("presence"))
        self.socket, self.full_topic, self.join_ref = socket, message.topic, message.join_ref or message.ref
        self.name = message.topic.removeprefix(PREFIX)
        self.private = bool(config.get("private"))
        self.hears_itself, self.acknowledges = bool(broadcast.get("self")), bool(broadcast.get("ack"))
        self.wants_presence = bool(presence.get("enabled"))
        self.presence_key = str(presence.get("key") or "") or str(uuid.uuid4())
        asked = config.get("postgres_changes")
        self.changes = [each for each in asked if isinstance(each, dict)] if isinstance(asked, list) else []
        self.replay = _object(broadcast.get("replay"))
        self.token, self.claims = token, claims
        self.reading: Rights = {}
        self.writing: Rights | None = None  # asked for at the first write
        self.presence_calls = socket.services.usage.presence_calls()
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def topic(self) -> Topic:
        return self.name, self.private

    def may_read(self, extension: str) -> bool:
        return not self.private or self.reading.get(extension, False)

    def push(self, event: str, payload: object) -> None:
        self.socket.put(encode(self.socket.version, self.full_topic, event, payload, join_ref=self.join_ref))

    def system(self, status: str, text: str, extension: str = "system") -> None:
        self.push("system", {"extension": extension, "status": status, "message": text, "channel": self.name})

    def watch_expiry(self) -> None:
        """Close when the token runs out, unless a newer one arrives before."""
        self.stop_watching()
        left = self.claims["exp"] - time.time()
        wait = min(max(left, 0), CHECK_SECONDS)
        self._expiry = asyncio.get_running_loop().call_later(wait, self._check_expiry)

    def stop_watching(self) -> None:
        if self._expiry:
            self._expiry.cancel()

    def _check_expiry(self) -> None:
        late = time.time() - self.claims["exp"]
        if late < 0:
            self.watch_expiry()
        else:
            self.socket.close_channel(self, f"Token has expired {int(late)} seconds ago")


@dataclass(eq=False)
class Socket:
    """One connection: its channels, and the frames that wait to be sent."""

    services: Services
    token: str | None
    version: int
    channels: dict[str, Channel] = field(default_factory=dict)
    outgoing: asyncio.Queue[Frame] = field(default_factory=lambda: asyncio.Queue(QUEUE_FRAMES))
    lagging: asyncio.Event = field(default_factory=asyncio.Event)
    is_ending: bool = False
    """Whether it is hung up on once everything that waits was sent."""

    async def handle(self, message: Message) -> None:
        """Do what one frame asks for."""
        if message.topic == "phoenix" and message.event == "heartbeat":
            self._reply(message, "ok")
        elif message.event == "phx_join":
            await self._join(message)
        elif channel := self.channels.get(message.topic):
            await self._handle_on(channel, message)
        else:
            self._reply(message, "error", {"reason": "unmatched topic"})

    async def _handle_on(self, channel: Channel, message: Message) -> None:
        if message.event == "phx_leave":
            self._reply(message, "ok")
            self.close_channel(channel)
        elif message.event == "access_token":
            await self._renew_token(channel, message.payload.get("access_token"))
        elif message.event == "broadcast":
            await self._broadcast(channel, message)
        elif message.event == "presence":
            await self._presence(channel, message)

    def put(self, frame: Frame | None) -> None:
        """Queue a frame; a full queue marks the socket as lagging, and its connection is closed."""
        if frame is None or self.lagging.is_set():
            return
        try:
            self.outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            self.lagging.set()

    def close_channel(self, channel: Channel, reason: str | None = None) -> None:
        """Take a channel off its topic and tell the client, with an error if there is a `reason`."""
        if self.channels.get(channel.full_topic) is not channel:
            return
        self._forget(channel)
        if reason:
            channel.system("error", reason)
        frame = encode(
            self.version, channel.full_topic, "phx_close", {}, ref=channel.join_ref, join_ref=channel.join_ref
        )
        self.put(frame)

    def close(self) -> None:
        """The connection is gone: leave every topic."""
        for channel in tuple(self.channels.values()):
            self._forget(channel)

    def _forget(self, channel: Channel) -> None:
        del self.channels[channel.full_topic]
        channel.stop_watching()
        self.services.hub.remove(channel)
        self.services.changes.remove(channel)

    async def _join(self, message: Message) -> None:
        if not self.services.usage.joins.take():
            self.is_ending = True
            self._reply(message, "error", {"reason": "ClientJoinRateLimitReached: Too many joins per second"})
            return
        try:
            channel = await self._authorized(message)
        except RefusedError as refusal:
            self._reply(message, "error", {"reason": str(refusal)})
            return
        if previous := self.channels.get(message.topic):
            self._forget(previous)  # silently, as Phoenix: a `phx_close` would end the new channel in the client
        self.channels[message.topic] = channel
        self._reply(message, "ok", {"postgres_changes": echoed(channel.changes)})
        self._welcome(channel)
        await self._replay(channel)
        await self._watch_changes(channel)

    async def _replay(self, channel: Channel) -> None:
        """Tell again what the database broadcast before, marked as such."""
        if not channel.replay or not channel.may_read("broadcast"):
            return
        for broadcast in await earlier(self.services.database, channel.name, channel.replay):
            self.put(broadcast.frame(self.version))

    async def _watch_changes(self, channel: Channel) -> None:
        """Start telling of changes, and say so: whoever waits for that word misses none that are committed later."""
        if not channel.changes:
            return
        try:
            bindings = await checked(self.services.database, channel.changes, channel.claims["role"])
        except SubscriptionError as error:
            channel.system("error", str(error), "postgres_changes")
            return
        if self.channels.get(channel.full_topic) is channel:
            self.services.changes.add(channel, bindings)
            channel.system("ok", "Subscribed to PostgreSQL", "postgres_changes")

    def _welcome(self, channel: Channel) -> None:
        """State first, then changes: the snapshot and the subscription are one step, so that nothing falls
        between.
        """
        hub = self.services.hub
        hub.add(channel)
        channel.watch_expiry()
        if channel.wants_presence and channel.may_read("presence"):
            channel.push("presence_state", hub.presence_state(channel.topic))

    async def _authorized(self, message: Message) -> Channel:
        """Return the channel a join asks for. Raises RefusedError."""
        if not message.topic.startswith(PREFIX) or message.topic == PREFIX:
            raise RefusedError("TopicNameRequired: You must provide a topic name")
        if len(self.channels) >= self.services.usage.limits.channels and message.topic not in self.channels:
            raise RefusedError("ChannelRateLimitReached: Too many channels")
        _check_replay(_object(message.payload.get("config")))
        token = self._token_for(message.payload)
        channel = Channel(self, message, token, self._claims(token))
        if channel.private:
            await self._ask_reading(channel)
        return channel

    def _token_for(self, payload: dict[str, Any]) -> str | None:
        """The clients send the API key where a token belongs when nobody is signed in."""
        token = payload.get("access_token") or payload.get("user_token")
        return token if isinstance(token, str) and not token.startswith("sb_") else self.token

    def _claims(self, token: str | None) -> dict[str, Any]:
        try:
            return self.services.keys.claims_of(token)
        except TokenError as error:
            raise RefusedError(f"InvalidJWTToken: {error}") from error

    async def _ask_reading(self, channel: Channel) -> None:
        try:
            channel.reading = await reading_rights(self.services.database, channel.name, channel.claims)
        except (
            psycopg.Error,
            UnicodeError,
        ) as error:  # a topic Postgres cannot hold, or no Postgres right now
            raise RefusedError("UnableToAuthorize: the database could not be asked") from error
        if not any(channel.reading.values()):
            raise RefusedError(
                f"Unauthorized: You do not have permissions to read from this Channel topic: {channel.name}"
            )

    async def _renew_token(self, channel: Channel, token: object) -> None:
        """Go on with a new token. It is checked like a join: who lost the right to read, or the sign-in, is
        put out.
        """
        if not isinstance(token, str) or token.startswith("sb_") or token == channel.token:
            return
        try:
            await self._take_over(channel, token)
        except RefusedError as refusal:
            self.close_channel(channel, str(refusal))

    async def _take_over(self, channel: Channel, token: str) -> None:
        before = channel.reading
        channel.claims, channel.token, channel.writing = self._claims(token), token, None
        self.services.changes.ask_anew()
        if channel.private:
            await self._ask_reading(channel)
        if any(had and not channel.reading.get(extension) for extension, had in before.items()):
            raise RefusedError(f"You no longer have permission to read from this Channel topic: {channel.name}")
        channel.watch_expiry()

    async def _may_write(self, channel: Channel, extension: str) -> bool:
        if not channel.private:
            return True
        if channel.writing is None:
            channel.writing = await writing_rights(self.services.database, channel.name, channel.claims)
        return channel.writing.get(extension, False)

    async def _broadcast(self, channel: Channel, message: Message) -> None:
        """A refused broadcast is dropped without a word, as hosted: the sender learns nothing about the topic."""
        if not await self._may_write(channel, "broadcast"):
            return
        if not self.services.usage.events.take():
            self.close_channel(channel, "Too many messages per second")
            return
        is_small = message.size <= self.services.usage.limits.payload
        if is_small:
            event, payload = str(message.payload.get("event", "")), message.payload.get("payload")
            broadcast = Broadcast(channel.name, event, payload, raw=message.raw)
            sender = None if channel.hears_itself else channel
            self.services.hub.broadcast(channel.topic, broadcast, sender=sender)
        if channel.acknowledges and is_small:
            self._reply(message, "ok")
        elif channel.acknowledges:
            self._reply(message, "error", {"reason": "payload_size_exceeded"})

    async def _presence(self, channel: Channel, message: Message) -> None:
        if not channel.presence_calls.take():
            self.close_channel(channel, "Client presence rate limit exceeded")
        elif not await self._may_write(channel, "presence"):
            self._reply(message, "error")
        elif str(message.payload.get("event", "")).lower() == "track":
            self._track(channel, message)
        else:
            self.services.hub.untrack(channel)
            self._reply(message, "ok")

    def _track(self, channel: Channel, message: Message) -> None:
        content, usage = message.payload.get("payload", {}), self.services.usage
        if not isinstance(content, dict):
            self._reply(message, "error", {"reason": "Presence track payload must be a map"})
        elif message.size > usage.limits.payload:
            self.close_channel(channel, "Track message size exceeded")
        elif not usage.presences.take():
            self.close_channel(channel, "Too many presence messages per second")
        else:
            self.services.hub.track(channel, content)
            self._reply(message, "ok")

    def _reply(self, message: Message, status: str, response: dict[str, Any] | None = None) -> None:
        payload = {"status": status, "response": response or {}}
        self.put(encode(self.version, message.topic, "phx_reply", payload, ref=message.ref, join_ref=message.join_ref))


def _check_replay(config: dict[str, Any]) -> None:
    replay = _object(config.get("broadcast")).get("replay")
    if replay is None:
        return
    if not config.get("private"):
        raise RefusedError("UnableToReplayMessages: Replay is not allowed for public channels")
    if not valid(replay):
        raise RefusedError("UnableToReplayMessages: Replay params are not valid")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
