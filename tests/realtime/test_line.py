"""Backends that know of each other, over the stand-in's real Realtime; and people who may not listen in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from realtime import AsyncRealtimeClient

from chatapp.presence.announcer import Announcer
from chatapp.presence.roster import AWAY, OFFLINE, ONLINE, Roster
from chatapp.realtime import topic
from chatapp.realtime.feed import Feed
from chatapp.realtime.line import Line
from chatapp.realtime.peers import Peers
from chatapp.settings import Settings
from chatapp.supabase import auth
from tests.cast import Cast

ADA = str(uuid4())


class Backend:
    """What a process has of the live path, without its tabs."""

    def __init__(self, project: Settings) -> None:
        self.peers, self.roster = Peers(), Roster(grace=0.1)
        self.announcer = Announcer(self.roster, self.peers, list)
        self.heard: list[tuple[str, Mapping[str, Any]]] = []
        self.peers.on("word", lambda sender, content: self.heard.append((sender, content)))
        self.line = Line(self.peers)
        self.peers.speak_through(self.line.say)
        key = project.supabase_secret_key.get_secret_value()
        self.feed = Feed(f"{project.supabase_url}/realtime/v1", key, lambda _: None, lambda: None, self.line)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Backend]:
        tasks = [asyncio.create_task(self.feed.run()), asyncio.create_task(self.announcer.keep())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest_asyncio.fixture
async def start(project: Settings) -> AsyncIterator[Callable[[], Any]]:
    async with AsyncExitStack() as stack:

        async def start() -> Backend:
            return await stack.enter_async_context(Backend(project).running())

        yield start


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0.01)


async def know_each_other(*backends: Backend) -> None:
    ids = {backend.peers.id for backend in backends}
    await until(lambda: all(ids - {backend.peers.id} <= backend.peers.others for backend in backends))


async def test_a_new_backend_learns_who_is_there_and_what_changes(start: Callable[[], Any]) -> None:
    first = await start()
    first.roster.arrived("1", ADA)
    second = await start()
    await until(lambda: second.roster.status(ADA) == ONLINE)
    first.roster.set_away("1", away=True)
    await until(lambda: second.roster.status(ADA) == AWAY)
    second.roster.arrived("2", ADA)
    await until(lambda: first.roster.status(ADA) == ONLINE)
    first.roster.left("1")
    second.roster.left("2")
    await until(lambda: {first.roster.status(ADA), second.roster.status(ADA)} == {OFFLINE})


async def test_a_backend_that_ends_without_a_word_takes_its_people_with_it(
    start: Callable[[], Any], project: Settings
) -> None:
    first = await start()
    async with Backend(project).running() as second:
        second.roster.arrived("1", ADA)
        await until(lambda: first.roster.status(ADA) == ONLINE)
    await until(lambda: first.roster.status(ADA) == OFFLINE, seconds=10)
    assert second.peers.id not in first.peers.others


async def test_what_was_missed_while_cut_off_is_learnt_afterwards(start: Callable[[], Any]) -> None:
    first, second = await start(), await start()
    await know_each_other(first, second)
    await cut(second)
    first.roster.arrived("1", ADA)
    await until(lambda: second.roster.status(ADA) == ONLINE)
    assert first.roster.status(ADA) == ONLINE


async def test_who_was_there_stays_there_while_a_connection_is_made_anew(start: Callable[[], Any]) -> None:
    first, second = await start(), await start()
    second.roster.arrived("1", ADA)
    await until(lambda: first.roster.status(ADA) == ONLINE)
    first.roster.take()
    await cut(second)
    await until(lambda: second.peers.id not in first.peers.others)
    await know_each_other(first, second)
    assert ADA not in first.roster.take().all


async def test_hints_come_even_where_the_line_does_not_hold(project: Settings, psql: Any) -> None:
    hints: list[object] = []
    backend = Backend(project)

    class Broken(Line):
        async def keep(self, client: AsyncRealtimeClient) -> None:
            raise RuntimeError("no presence in this project")

    key = project.supabase_secret_key.get_secret_value()
    url = f"{project.supabase_url}/realtime/v1"
    backend.feed = Feed(url, key, hints.append, lambda: None, Broken(backend.peers))
    async with backend.running():
        await asyncio.wait_for(backend.feed.connected.wait(), 10)
        await psql.execute("select realtime.send('{\"what\": \"room\"}', 'hint', 'changes', true)")
        await until(lambda: hints)


@pytest.mark.parametrize("private", [True, False])
async def test_people_can_neither_listen_nor_speak_on_it(
    start: Callable[[], Any], project: Settings, cast: Cast, private: bool
) -> None:
    first, second = await start(), await start()
    await know_each_other(first, second)
    url, key = f"{project.supabase_url}/realtime/v1", project.supabase_publishable_key
    linus = AsyncRealtimeClient(url, key, auto_reconnect=False)
    try:
        token = (await auth.sign_in(cast.linus.email, cast.linus.password)).access_token
        await linus.set_auth(token)
        heard, states = list[object](), list[str]()
        config: Any = {"config": {"private": private, "presence": {"key": "forged", "enabled": True}}}
        channel = linus.channel(topic.BACKENDS, config)
        channel.on_broadcast(topic.PEER_EVENT, heard.append)
        await channel.subscribe(lambda state, _: states.append(state.value))
        forged = {"from": second.peers.id, "kind": "word", "word": "forged"}
        await channel.send_broadcast(topic.PEER_EVENT, forged)
        await channel.track({})
        await channel.http_send(topic.PEER_EVENT, forged)
        second.peers.say("word", {"word": "honest"})
        await until(lambda: first.heard)
        second.peers.say("word", {"word": "last"})
        await until(lambda: len(first.heard) > 1)
    finally:
        await linus.close()
    assert [content["word"] for _, content in first.heard] == ["honest", "last"]
    # The app that other tests run may be on the line, too; he is not.
    assert second.peers.id in first.peers.others
    assert "forged" not in first.peers.others
    assert "honest" not in str(heard)  # in the public topic of that name he hears himself, and nobody else
    assert ("SUBSCRIBED" in states) != private


async def cut(backend: Backend) -> None:
    """Lose the connection as a network does: the process goes on."""
    client = backend.line.client
    assert client is not None
    assert client._ws_connection is not None
    await client._ws_connection.close()
