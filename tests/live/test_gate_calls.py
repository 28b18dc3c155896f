"""Every registered handler, called from a socket by people it was not made for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from chatapp.accounts import actions as accounts
from tests.tab import COMPOSER, STATE, TAB, TIMELINE, VIEWER, Tab

from .conftest import Company, Place, handlers

HOSTILE = [
    None,
    "",
    "x" * 1000,
    -1,
    0,
    1e308,
    True,
    [],
    {},
    {"form": {}},
    "../../etc/passwd",
    "' or 1=1 --",
    "\ud800",
    "\0",
    {"$ne": None},
    [[[[[]]]]],
]
INTERNAL = {"hydrate", "hydrate_and_load", "on_load_internal", "set_is_hydrated"}
PUBLIC = {"sign_in", "sign_up", "set_up", "continue_as", "arrive", "mail_link", "mail_reset", "go_to", "set_password"}


def name_of(handler: str) -> str:
    return handler.rpartition(".")[2]


@pytest_asyncio.fixture
async def stranger(company: Company) -> AsyncIterator[Tab]:
    async with company.tab("", "/sign-in") as tab:
        yield tab


def test_the_handlers_are_found() -> None:
    assert {f"{TAB}.open_room", f"{TAB}.load_older"} <= set(handlers())


@pytest.mark.parametrize("handler", [name for name in handlers() if name_of(name) not in INTERNAL | PUBLIC])
async def test_a_strangers_call_gets_unauthorized_or_nothing(
    handler: str, stranger: Tab, place: Place, company: Company
) -> None:
    before = await company.counts()
    await stranger.call(handler, **arguments(handler, place))
    await stranger.call(handler)
    await fence(stranger)
    told = json.dumps([frame.get("events") for frame in stranger.frames])
    assert place.id not in json.dumps(stranger.state)
    assert "Traceback" not in told
    assert "Something went wrong" not in told
    assert await company.counts() == before


@pytest.mark.parametrize("handler", [name for name in handlers() if name_of(name) not in INTERNAL])
async def test_hostile_arguments_are_refused_without_an_error(handler: str, place: Place) -> None:
    async with place.tabs("ada") as (ada,):
        names = list(handlers()[handler]) or ["room_id"]
        for value in HOSTILE:
            await ada.call(handler, **dict.fromkeys(names, value))
        await fence(ada, place)
        assert "Something went wrong" not in ada.toasts
        assert "Traceback" not in ada.toasts


async def test_what_one_person_wrote_is_not_sent_as_another(place: Place) -> None:
    async with place.tabs("grace") as (grace,):
        written = {"room_id": place.id, "client_id": "1", "content": "by Ada", "author": place.user_id("ada")}
        await grace.call(f"{COMPOSER}.send", **written)
        await grace.until(lambda tab: "Unauthorized" in tab.toasts)
        await grace.send(place.id, "by Grace")
        await grace.until(lambda tab: tab.texts == ["by Grace"])


async def test_an_outsider_is_told_not_a_member(place: Place, company: Company) -> None:
    async with company.tab("linus", "/chat") as linus:
        await linus.send(place.id, "let me in")
        await linus.until(lambda tab: "Not a member of this room" in tab.toasts)
        await linus.send(str(uuid4()), "is there anybody")
        await linus.until(lambda tab: tab.toasts.count("Not a member of this room") == 2)


async def test_holding_somebodys_token_shows_nothing_of_theirs(place: Place, company: Company) -> None:
    # The client token is chosen by the browser and seen in addresses: the cookie decides.
    async with place.tabs("ada") as (ada,):
        await ada.send(place.id, "secret plans")
        await ada.until(lambda tab: "secret plans" in tab.texts)
        token = ada.token
    thief = await Tab(company.url, cookie="", token=token).open(f"/chat/{place.id}")
    await thief.until(lambda tab: any("/sign-in" in path for path in tab.redirects))
    seen = json.dumps(thief.state)
    assert "secret plans" not in seen
    assert place.user_id("ada") not in seen
    await thief.close()


async def test_a_stranger_is_sent_to_sign_in_and_back(company: Company, place: Place) -> None:
    async with company.tab("", f"/chat/{place.id}") as stranger:
        await stranger.until(lambda tab: f"/sign-in?next=/chat/{place.id}" in tab.redirects)


async def test_signing_out_in_one_tab_ends_every_tab_of_that_session(place: Place, company: Company) -> None:
    cookie = await company.sign_in("grace")
    first = await Tab(company.url, cookie).open(f"/chat/{place.id}")
    second = await Tab(company.url, cookie).open("/chat")
    for tab in (first, second):
        await tab.until(lambda tab: tab.var(f"{STATE}.chatapp___accounts___state____viewer", "signed_in"))
    await first.call(f"{STATE}.chatapp___accounts___state____viewer.sign_out")
    await second.until(lambda tab: "/sign-in" in tab.redirects, seconds=1)
    await second.call(f"{TAB}.open_room")
    await second.until(lambda tab: "Unauthorized" in tab.toasts or len(tab.redirects) > 1)
    for tab in (first, second):
        await tab.close()


async def test_a_tab_that_only_opened_a_room_is_ended_too(place: Place, company: Company) -> None:
    # Whoever writes their own browser need not call what our pages call first.
    cookie = await company.sign_in("grace")
    quiet = await Tab(company.url, cookie).open("/nowhere")  # a page without handlers
    quiet.path = f"/chat/{place.id}"
    await quiet.call(f"{TAB}.open_room")
    await quiet.until(lambda tab: (tab.shared(TIMELINE, "window") or {}).get("room") == place.id)
    assert not quiet.var(VIEWER, "signed_in")
    async with place.tabs("ada") as (ada,):
        await ada.send(place.id, "before")
        await quiet.until(lambda tab: tab.texts == ["before"])
        other = await Tab(company.url, cookie).open("/chat")
        await other.call(f"{VIEWER}.sign_out")
        await quiet.until(lambda tab: "/sign-in" in tab.redirects)
        await ada.send(place.id, "after")
        await ada.until(lambda tab: tab.texts == ["before", "after"])
    await quiet.call(f"{TAB}.load_older")
    await quiet.until(lambda tab: "Unauthorized" in tab.toasts)
    assert quiet.texts == ["before"]
    for tab in (quiet, other):
        await tab.close()


@pytest.mark.parametrize("form", ["{}", "ticket:{}", "ticket\xff{}"])
async def test_a_ticket_as_a_cookie_is_nobody(place: Place, company: Company, form: str) -> None:
    ada = company.cast.ada
    cookie = form.format(await accounts.sign_in(ada.email, ada.password))
    tab = await Tab(company.url, cookie).open(f"/chat/{place.id}")
    await tab.until(lambda tab: any("/sign-in" in path for path in tab.redirects))
    assert place.user_id("ada") not in json.dumps(tab.state)
    await tab.close()


def arguments(handler: str, place: Place) -> dict[str, object]:
    """Arguments that would work for somebody who may."""
    values = {
        "room_id": place.id,
        "message_id": str(uuid4()),
        "user_id": place.user_id("grace"),
        "role": "member",
        "client_id": str(uuid4()),
        "content": "hello",
        "form": {"name": "x"},
        "shown": True,
        "emoji": "👍",
        "on": True,
        "pinned": True,
        "archived": True,
        "parent_id": str(uuid4()),
        "reply_seq": 1,
        "below": 2,
    }
    return {name: values.get(name, "x") for name in handlers()[handler]}


async def fence(tab: Tab, place: Place | None = None) -> None:
    """Wait until everything sent before has been handled: a handler's answer comes after those of earlier ones."""
    events = len(tab.events)
    await tab.call(f"{STATE}.chatapp___rooms___state____create_room.show", shown=False)
    if place is None:
        await tab.until(lambda tab: len(tab.events) > events and "Unauthorized" in tab.toasts)
    else:
        client_id = await tab.send(place.id, "")
        await tab.until(
            lambda tab: client_id in (tab.var(f"{STATE}.chatapp___messages___state____composer", "outcomes") or {})
        )
