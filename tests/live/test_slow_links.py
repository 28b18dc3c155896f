"""Long messages over slow links: what opens a room is bounded in bytes, comes in small frames, and arrives."""

from __future__ import annotations

from tests.network import Network
from tests.tab import TIMELINE, Tab

from .conftest import Company, Place

LONG = "é" * 9_900


def shown(tab: Tab) -> list[int]:
    return [row["seq"] for row in tab.rows]


def size(frames: list[str]) -> int:
    return sum(len(frame.encode()) for frame in frames)


async def test_a_room_of_long_messages_opens_with_as_many_as_a_slow_link_carries(place: Place) -> None:
    await place.write(40, LONG)
    async with place.tabs("ada", "grace") as (ada, grace):
        assert shown(ada)[-1] == 40
        assert shown(ada) == list(range(shown(ada)[0], 41))
        assert 1 < shown(ada)[0] < 40
        assert size(ada.raw) < 300_000
        assert max(len(frame.encode()) for frame in ada.raw) < 100_000
        while shown(ada)[0] > 1:  # the rest is history
            frames = len(ada.raw)
            await ada.load_older()
            assert size(ada.raw[frames:]) < 170_000
        assert shown(ada) == list(range(1, 41))
        await ada.send(place.id, "short")
        for tab in (ada, grace):
            await tab.until(lambda tab: tab.texts[-1] == "short")


async def test_a_single_message_is_shown_however_long_it_is(place: Place) -> None:
    await place.write(1, LONG)
    async with place.tabs("ada") as (ada,):
        assert shown(ada) == [1]


async def test_it_arrives_over_a_slow_link(place: Place, company: Company, network: Network) -> None:
    await place.write(40, LONG)
    network.slow_down(64 * 1024)
    tab = await Tab(network.url, await company.cookie("ada")).open(f"/chat/{place.id}")
    await tab.until(lambda tab: (tab.shared(TIMELINE, "window") or {}).get("room") == place.id, seconds=60)
    assert shown(tab)[-1] == 40
    assert network.carried == 1
    await tab.close()
