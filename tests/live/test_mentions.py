"""Where somebody is mentioned, at real sockets: told to all tabs of that person's at once, and to nobody else."""

from __future__ import annotations

from tests.tab import MESSAGE_TOOLS, ROOM_LIST, Tab

from .conftest import Company, Place


def mentions(tab: Tab, room_id: str) -> list[int] | None:
    """The messages that mention me, as `merged` in assets/unread.js reads them."""
    found: list[int] | None = tab.var(ROOM_LIST, "mentions", room_id)
    return found


async def test_a_mention_is_told_and_taken_back(place: Place, company: Company) -> None:
    async with (
        company.tab("grace", "/chat") as elsewhere,
        company.tab("linus", "/chat") as outsider,
        place.tabs("ada", "grace") as (ada, grace),
    ):
        await elsewhere.until(lambda tab: any(room["id"] == place.id for room in tab.shared(ROOM_LIST, "rooms") or []))
        await ada.send(place.id, "@Grace Hopper, @Ada Lovelace and @Linus Torvalds")
        for tab in (elsewhere, grace):
            await tab.until(lambda tab: mentions(tab, place.id) == [1])
        await grace.until(lambda tab: tab.texts)
        assert grace.rows[0]["html"].count('class="mention"') == 2
        await ada.call(f"{MESSAGE_TOOLS}.edit", message_id=grace.rows[0]["id"], content="nobody")
        for tab in (elsewhere, grace):
            await tab.until(lambda tab: mentions(tab, place.id) == [])
        assert not mentions(ada, place.id)
        assert mentions(outsider, place.id) is None


async def test_a_list_that_is_loaded_later_has_them(place: Place, company: Company) -> None:
    async with place.tabs("ada") as (ada,):
        for _ in range(2):
            await ada.send(place.id, "@Grace Hopper")
        await ada.until(lambda tab: len(tab.rows) == 2 and all(row["id"] for row in tab.rows))
    async with company.tab("grace", "/chat") as later:
        await later.until(lambda tab: mentions(tab, place.id) == [2, 1])
