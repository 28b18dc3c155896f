"""Direct messages at the sockets: on whose list, under which name, and to whom nothing is told."""

from __future__ import annotations

import json

import psycopg

from chatapp.direct.actions import open_direct
from tests.cast import say
from tests.tab import ROOM_LIST, Tab, state_name

from .conftest import Company, Place

NEW_MESSAGE = state_name("direct.state", "new_message")


def listed(tab: Tab) -> dict[str, str]:
    return {room["id"]: room["name"] for room in tab.shared(ROOM_LIST, "rooms") or []}


async def test_lists_follow_the_first_word_and_a_new_name(place: Place, company: Company) -> None:
    ada, grace = company.cast.ada, company.cast.grace
    async with place.tabs("ada", "grace") as (hers, other), company.tab("linus", "/chat") as linus:
        await linus.until(lambda tab: tab.shared(ROOM_LIST, "rooms") is not None)
        before = len(linus.frames)
        pair = str(await open_direct(ada.actor, [grace.id]))
        await hers.until(lambda tab: listed(tab).get(pair) == "Grace Hopper")
        assert pair not in listed(other)
        await say(ada, await open_direct(grace.actor, [ada.id]), "hello")
        await other.until(lambda tab: listed(tab).get(pair) == "Ada Lovelace")
        await rename(company, "Ada King")
        await other.until(lambda tab: listed(tab).get(pair) == "Ada King")
        await rename(company, "Ada Lovelace")
        await other.until(lambda tab: listed(tab).get(pair) == "Ada Lovelace")
        assert pair not in json.dumps(linus.frames[before:])


async def test_a_list_shows_whether_the_other_is_there_and_nobody_elses_does(place: Place, company: Company) -> None:
    ada, grace = company.cast.ada, company.cast.grace
    await say(ada, await open_direct(ada.actor, [grace.id]), "hello")

    def there(tab: Tab) -> str | None:
        status: str | None = tab.var(ROOM_LIST, "people", str(ada.id))
        return status

    async with company.tab("grace", "/chat") as hers, company.tab("linus", "/chat") as linus:
        await hers.until(lambda tab: there(tab) == "")
        async with company.tab("ada", "/chat"), company.tab("grace", "/chat") as second:
            for tab in (hers, second):
                await tab.until(lambda tab: there(tab) == "online")
        await hers.until(lambda tab: there(tab) == "", seconds=30)
        assert there(linus) is None
        assert str(ada.id) not in json.dumps(linus.frames)


async def test_the_dialog_finds_nobody_from_elsewhere(place: Place, company: Company) -> None:
    async with company.tab("linus", "/chat") as linus:
        await linus.call(f"{NEW_MESSAGE}.show", shown=True)
        await linus.until(lambda tab: tab.var(NEW_MESSAGE, "shown"))
        await linus.call(f"{NEW_MESSAGE}.choose", person_id=place.user_id("grace"))
        await linus.call(f"{NEW_MESSAGE}.start")
        await linus.until(lambda tab: "Choose somebody" in (tab.var(NEW_MESSAGE, "error") or ""))


async def rename(company: Company, name: str) -> None:
    async with await psycopg.AsyncConnection.connect(company.owner_url, autocommit=True) as psql:
        await psql.execute("update profiles set name = %s where id = %s", (name, company.cast.ada.id))
