"""Lists of invites at the sockets: told to those who may look after them, and to nobody else."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg

from chatapp.invites import actions, queries
from tests.tab import Tab, state_name

from .conftest import Place

INVITE_PEOPLE = state_name("invites.state", "invite_people")


def links(tab: Tab) -> list[dict[str, Any]]:
    """What a tab was told of the room's invites, the newest first."""
    return (tab.shared(INVITE_PEOPLE, "listed") or {"invites": []})["invites"]


async def ask(tab: Tab, place: Place) -> None:
    await tab.call(f"{INVITE_PEOPLE}.load", room_id=place.id)
    await tab.until(lambda tab: tab.var(INVITE_PEOPLE, "room") == place.id)


async def test_an_open_list_follows_what_is_made_used_and_revoked(place: Place) -> None:
    cast = place.company.cast
    async with place.tabs("ada", "grace", "grace") as (ada, grace, second):
        await ask(ada, place)
        await ask(grace, place)
        await grace.until(lambda tab: len(links(tab)) == 1)  # her own
        await ada.until(lambda tab: len(links(tab)) == 2)  # she runs the room
        token = links(grace)[0]["token"]
        assert await actions.accept_invite(cast.linus.actor, token) == place.room_id
        for tab in (ada, grace, second):
            await tab.until(lambda tab: [link["uses"] for link in links(tab) if link["token"] == token] == [1])
        await actions.revoke(cast.ada.actor, UUID(links(grace)[0]["id"]))
        for tab in (grace, second):
            await tab.until(lambda tab: links(tab) == [])
        await ada.until(lambda tab: len(links(tab)) == 1)


async def test_a_role_changes_what_is_on_the_list(place: Place) -> None:
    cast = place.company.cast
    await actions.create_invite(cast.ada.actor, place.room_id)
    async with place.tabs("grace", "ada") as (grace, ada):
        await ask(grace, place)
        await grace.until(lambda tab: len(links(tab)) == 1)
        role = {"room_id": place.id, "user_id": place.user_id("grace"), "role": "admin"}
        await ada.call(f"{state_name('rooms.state', 'run_room')}.change_role", **role)
        await grace.until(lambda tab: len(links(tab)) == 2)


async def test_who_has_not_asked_or_is_out_is_told_nothing(place: Place) -> None:
    cast = place.company.cast
    async with place.tabs("ada", "grace") as (ada, grace):
        await ask(grace, place)
        await grace.until(lambda tab: len(links(tab)) == 1)
        assert links(ada) == []
        await place.remove("grace")
        await grace.until(lambda tab: "/chat" in tab.redirects)
        seen = len(grace.frames)
        await ask(ada, place)
        secret = await actions.create_invite(cast.ada.actor, place.room_id)
        await ada.until(lambda tab: secret in [link["token"] for link in links(tab)])
        assert place.id not in json.dumps(grace.frames[seen:])
        assert (await queries.invites(cast.ada.actor, place.room_id))[0].token == secret
        assert secret not in json.dumps(grace.frames)


async def test_a_reconnected_tab_asks_again(place: Place) -> None:
    async with place.tabs("ada") as (ada,):
        await ask(ada, place)
        await ada.until(lambda tab: len(links(tab)) == 1)
        again = await place.tab("ada", ada.token)
        try:
            assert again.shared(INVITE_PEOPLE, "listed")["room"] == ""  # what an open dialog asks again for
        finally:
            await again.close()


async def test_a_list_heals_where_no_hint_was_heard(place: Place) -> None:
    async with place.tabs("ada") as (ada,):
        await ask(ada, place)
        await ada.until(lambda tab: len(links(tab)) == 1)
        async with await psycopg.AsyncConnection.connect(place.company.owner_url, autocommit=True) as psql:
            await psql.execute("alter table room_invites disable trigger hint_invited")
            try:
                await actions.create_invite(place.company.cast.ada.actor, place.room_id)
            finally:
                await psql.execute("alter table room_invites enable trigger hint_invited")
        await ada.until(lambda tab: len(links(tab)) == 2, seconds=15)
