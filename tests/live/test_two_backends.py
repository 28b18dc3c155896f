"""Two backends, one database, one Realtime, Reflex's states in Redis: nobody can tell who is connected where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from chatapp.settings import Settings
from tests.cast import Cast
from tests.network import Network
from tests.ports import free_port
from tests.redis import Redis
from tests.server import Server
from tests.tab import COMPOSER, OPEN_ROOM, ROOM_LIST, TAB, TIMELINE, VIEWER, Tab

from .conftest import Company, Place

pytestmark = pytest.mark.timeout(240)  # the first one starts two backends


@dataclass
class Backends:
    first: Server
    second: Server
    redis: Redis

    @property
    def both(self) -> tuple[Server, Server]:
        return self.first, self.second


@asynccontextmanager
async def running(data: Path, pages: bool = False) -> AsyncIterator[Backends]:
    """Two backends over one database, one Realtime and one Redis."""
    redis = await asyncio.to_thread(Redis, data.parent, free_port())
    surroundings = {"STANDIN_DATA": str(data), "REFLEX_REDIS_URL": redis.url}
    logs = [data.parent / f"{name}.log" for name in ("first", "second")]
    first, second = (Server(surroundings, log, free_port(), pages) for log in logs)
    made = Backends(first, second, redis)
    try:
        for one in made.both:
            await asyncio.to_thread(one.start)
        yield made
    finally:
        for one in made.both:
            await asyncio.to_thread(one.stop)
        await asyncio.to_thread(redis.stop)


@pytest_asyncio.fixture(scope="module")
async def backends(project: Settings, standin_folder: Path) -> AsyncIterator[Backends]:
    async with running(standin_folder) as made:
        yield made


@pytest_asyncio.fixture
async def company(cast: Cast, backends: Backends, standin_folder: Path) -> Company:
    return Company(cast, standin_folder, backends.first.url)


@pytest_asyncio.fixture
async def proxy(backends: Backends) -> AsyncIterator[Network]:
    """In front of both, taking turns, as a proxy without stickiness does."""
    made = await Network([one.port for one in backends.both]).start()
    yield made
    await made.stop()


async def at(backend: Server | Network, place: Place, name: str, token: str = "") -> Tab:
    """A tab that shows the room, through this backend."""
    tab = await Tab(backend.url, await place.company.cookie(name), token).open(f"/chat/{place.id}")
    await tab.until(shows(place), seconds=15)
    return tab


def shows(place: Place):
    return lambda tab: (tab.shared(TIMELINE, "window") or {}).get("room") == place.id


async def test_people_at_different_backends_talk_once_and_in_order(place: Place, backends: Backends) -> None:
    ada, grace = await at(backends.first, place, "ada"), await at(backends.second, place, "grace")

    async def talk(tab: Tab, name: str) -> None:
        for number in range(20):  # each once the one before has its answer, as the browser's outbox does
            client_id = await tab.send(place.id, f"{name} {number}")
            await tab.until(lambda tab, sent=client_id: sent in (tab.var(COMPOSER, "outcomes") or {}), seconds=15)

    await asyncio.gather(talk(ada, "ada"), talk(grace, "grace"))
    for tab in (ada, grace):
        await tab.until(lambda tab: len(tab.rows) == 40, seconds=15)
    assert ada.texts == grace.texts
    for name in ("ada", "grace"):
        assert [text for text in ada.texts if text.startswith(name)] == [f"{name} {n}" for n in range(20)]
    for tab in (ada, grace):
        assert times_delivered(tab) == dict.fromkeys(range(1, 41), 1)
        await tab.close()


async def test_a_removed_member_hears_nothing_more_at_the_other_backend(place: Place, backends: Backends) -> None:
    ada, grace = await at(backends.first, place, "ada"), await at(backends.second, place, "grace")
    await ada.send(place.id, "for both")
    await grace.until(lambda tab: tab.texts == ["for both"])
    await place.remove("grace")
    await grace.until(lambda tab: "/chat" in tab.redirects)
    frames = len(grace.frames)
    await ada.send(place.id, "for ada alone")
    await ada.until(lambda tab: "for ada alone" in tab.texts)
    later = str(grace.frames[frames:])
    assert "for ada alone" not in later
    await ada.close()
    await grace.close()


async def test_signing_out_at_one_backend_ends_the_tabs_at_the_other(place: Place, backends: Backends) -> None:
    cookie = await place.company.sign_in("grace")
    here = await Tab(backends.first.url, cookie).open("/chat")
    there = await Tab(backends.second.url, cookie).open(f"/chat/{place.id}")
    await here.until(lambda tab: tab.var(VIEWER, "signed_in"))
    await there.until(shows(place))
    await here.call(f"{VIEWER}.sign_out")
    await there.until(lambda tab: "/sign-in" in tab.redirects)
    await there.call(f"{TAB}.load_older")
    await there.until(lambda tab: "Unauthorized" in tab.toasts)
    await here.close()
    await there.close()


async def test_the_room_list_is_live_at_both(place: Place, backends: Backends) -> None:
    cookie = await place.company.cookie("linus")
    tabs = [await Tab(one.url, cookie).open("/chat") for one in backends.both]
    for tab in tabs:
        await tab.until(lambda tab: tab.shared(ROOM_LIST, "rooms") is not None)
    await place.join("linus")
    for tab in tabs:
        await tab.until(lambda tab: place.id in [room["id"] for room in tab.shared(ROOM_LIST, "rooms")])
        await tab.close()


async def test_the_next_socket_of_a_tab_may_lead_to_the_other_backend(
    place: Place, proxy: Network, backends: Backends
) -> None:
    await place.write(120)
    ada = await at(proxy, place, "ada")
    await ada.call(f"{TAB}.load_older")
    await ada.until(lambda tab: len(tab.rows) == 100)
    await ada.close()
    back = await at(proxy, place, "ada", ada.token)  # the same token: the state comes from Redis
    await is_whole(back, place)
    assert len(back.rows) == 100  # what was read back is kept
    await back.call(f"{TAB}.load_older")
    await back.until(lambda tab: len(tab.rows) == 120)
    await back.close()


async def test_the_tabs_of_a_killed_backend_live_on_at_the_other(
    place: Place, proxy: Network, backends: Backends
) -> None:
    proxy.lead_to(backends.first.port)
    ada = await at(proxy, place, "ada")
    grace = await at(backends.second, place, "grace")
    await ada.send(place.id, "before")
    await grace.until(lambda tab: tab.texts == ["before"])
    await asyncio.to_thread(backends.first.kill)
    try:
        proxy.lead_to(backends.second.port)
        await grace.send(place.id, "while Ada was away")
        back = await at(proxy, place, "ada", ada.token)  # Redis still holds the dead backend's claim on this token
        await back.until(lambda tab: tab.texts == ["before", "while Ada was away"])
        await is_whole(back, place)
        client_id = await back.send(place.id, "after")
        await back.send(place.id, "after", client_id)
        for tab in (back, grace):
            await tab.until(lambda tab: tab.texts == ["before", "while Ada was away", "after"])
            await tab.close()
    finally:
        await asyncio.to_thread(backends.first.start)
    again = await at(backends.first, place, "ada")
    await again.until(lambda tab: len(tab.rows) == 3)
    await again.close()


async def test_a_state_that_expired_while_its_socket_was_open_is_made_anew(place: Place, backends: Backends) -> None:
    await place.write(120)
    ada = await at(backends.first, place, "ada")
    await is_whole(ada, place)
    opened = times_opened(ada)
    await asyncio.to_thread(backends.redis.forget)
    await ada.call(f"{TAB}.load_older")
    await ada.until(lambda tab: times_opened(tab) > opened)  # Reflex runs the page's handlers again
    await ada.call(f"{TAB}.load_older")
    await ada.until(lambda tab: len(tab.rows) == 100)
    await asyncio.to_thread(backends.redis.forget)
    await ada.send(place.id, "still here")
    await ada.until(lambda tab: "still here" in tab.texts)
    await is_whole(ada, place)
    await ada.close()


async def test_a_tab_whose_drop_the_server_has_not_noticed_gets_a_new_token_and_everything(
    place: Place, proxy: Network, backends: Backends
) -> None:
    ada = await at(proxy, place, "ada")
    proxy.hold()  # the old socket hangs: its backend believes that it is there
    back = await at(backends.second, place, "ada", ada.token)
    await is_whole(back, place)
    await back.send(place.id, "from the new socket")
    await back.until(lambda tab: tab.texts == ["from the new socket"])
    proxy.mend()
    await ada.until(lambda tab: tab.texts == ["from the new socket"])  # it was only slow: it is a tab of its own again
    for tab in (back, ada):
        await tab.close()


async def is_whole(tab: Tab, place: Place) -> None:
    """Everything a room's page shows is there, whatever the server had forgotten."""
    await tab.until(lambda tab: tab.var(VIEWER, "signed_in"))
    await tab.until(lambda tab: place.id in [room["id"] for room in tab.shared(ROOM_LIST, "rooms") or []])
    await tab.until(lambda tab: (tab.shared(OPEN_ROOM, "room") or {}).get("id") == place.id)
    await tab.until(lambda tab: len(tab.shared(OPEN_ROOM, "members") or []) == 2)
    assert tab.redirects == []
    assert tab.var(TAB, "missing") == ""


def times_opened(tab: Tab) -> int:
    """How often the room was sent from the start."""
    deltas = [(frame.get("delta") or {}).get(TIMELINE, {}) for frame in tab.frames]
    return sum(any(key.startswith("window") for key in delta) for delta in deltas)


def times_delivered(tab: Tab) -> dict[int, int]:
    """How often each seq came: more than once would be another backend's delta too."""
    seen: dict[int, int] = {}
    for frame in tab.frames:
        for key, row in (frame.get("delta") or {}).get(TIMELINE, {}).items():
            if key.startswith("messages") and row:
                seen[row["seq"]] = seen.get(row["seq"], 0) + 1
    return seen
