"""FEATURES 1: getting in."""

from __future__ import annotations

import asyncio
import re
from uuid import uuid4

import pytest
from playwright.async_api import Route, expect

from tests import cast
from tests.server import URL

from .conftest import Lobby
from .people import Person

PASSWORD = "correct horse battery"


async def test_a_stranger_is_led_to_sign_in_and_then_to_what_they_asked_for(lobby: Lobby) -> None:
    stranger = await lobby.stranger()
    await stranger.go("/chat/browse")
    await expect(stranger.page).to_have_url(re.compile(r"/sign-in/?\?next=/chat/browse/?$"))
    await stranger.button("Continue as Ada").click()
    await expect(stranger.page).to_have_url(re.compile(r"/chat/browse/?$"))
    await expect(stranger.heading("Browse rooms")).to_be_visible()


async def test_the_first_page_offers_the_demo_people(lobby: Lobby) -> None:
    stranger = await lobby.phone()
    await stranger.go("/")
    await expect(stranger.button("Continue as Grace")).to_be_visible()
    await stranger.is_accessible()
    await stranger.button("Continue as Ada").click()
    await expect(stranger.page).to_have_url(re.compile(r"/chat/?$"))
    await expect(stranger.heading("Chat Rooms")).to_be_visible()


async def test_next_leads_nowhere_but_into_this_site(lobby: Lobby) -> None:
    stranger = await lobby.stranger()
    await stranger.go("/sign-in?next=https://evil.example/")
    await stranger.button("Continue as Ada").click()
    await expect(stranger.page).to_have_url(re.compile(r"^http://localhost:\d+/chat/?$"))


async def test_sign_up_sign_out_sign_in(lobby: Lobby) -> None:
    someone = await lobby.stranger()
    email = f"{uuid4()}@example.com"
    await someone.go("/sign-up")
    await someone.field("Name").fill("Mary Jackson")
    await someone.field("Email").fill(email)
    await someone.field("Password").fill(PASSWORD)
    await someone.button("Sign up").click()
    await expect(someone.heading("Chat Rooms")).to_be_visible()
    await expect(someone.page.get_by_text("No chat rooms yet. Create one to get started!")).to_be_visible()

    await someone.sign_out()
    await expect(someone.page).to_have_url(re.compile(r"/sign-in"))
    await someone.go("/chat")
    await expect(someone.page).to_have_url(re.compile(r"/sign-in/?\?next=/chat"))

    await someone.field("Email").fill(email)
    await someone.field("Password").fill(PASSWORD)
    await someone.button("Sign in").click()
    await expect(someone.heading("Chat Rooms")).to_be_visible()


async def test_a_wrong_password_is_told_and_nothing_is_lost(lobby: Lobby) -> None:
    someone = await lobby.stranger()
    await someone.go("/sign-in")
    await someone.field("Email").fill("ada@example.com")
    await someone.field("Password").fill("not her password")
    await someone.button("Sign in").click()
    await expect(someone.page.get_by_role("alert").filter(has_text="Email or password is incorrect.")).to_be_visible()
    await expect(someone.field("Email")).to_have_value("ada@example.com")
    await expect(someone.button("Sign in")).to_be_enabled()


async def scripts_are_late(person: Person) -> asyncio.Event:
    """What they open is dead until the event is set: its scripts arrive no sooner."""
    arrives = asyncio.Event()

    async def late(route: Route) -> None:
        await arrives.wait()
        await route.continue_()

    await person.page.route("**/assets/*.js", late)
    return arrives


@pytest.mark.parametrize("press", ["Enter", "the button"])
async def test_a_form_sent_before_the_page_is_alive_waits_and_leaks_nothing(lobby: Lobby, press: str) -> None:
    someone, ann = await lobby.stranger(), await cast.someone("Ann Early")
    arrives = await scripts_are_late(someone)
    await someone.page.goto(f"{URL}/sign-in", wait_until="commit")
    await someone.field("Email").fill(ann.email)
    await someone.field("Password").fill(ann.password)
    await (someone.field("Password").press("Enter") if press == "Enter" else someone.button("Sign in").click())
    arrives.set()
    await expect(someone.button("Profile, Ann Early")).to_be_visible()
    assert not [url for url in someone.visited if "password" in url]


async def test_a_search_begun_before_the_page_is_alive_is_made(lobby: Lobby) -> None:
    ada = await lobby.signed_in("Ada")
    arrives = await scripts_are_late(ada)
    await ada.page.goto(f"{URL}/chat", wait_until="commit")
    search = ada.page.get_by_role("textbox", name="Search messages")
    await search.fill("walrus")
    await search.press("Enter")
    arrives.set()
    await expect(ada.page).to_have_url(re.compile(r"/search\?q=walrus"))
    assert not [url for url in ada.visited if "search_for" in url]


async def test_navigation_shows_chat_only_to_the_signed_in(lobby: Lobby) -> None:
    someone = await lobby.stranger()
    await someone.go("/")
    await expect(someone.page.get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    await expect(someone.page.get_by_role("link", name="Chat", exact=True)).to_have_count(0)
    await someone.continue_as("Ada")
    await someone.go("/")
    await expect(someone.page.get_by_role("link", name="Chat", exact=True)).to_be_visible()


async def test_the_session_cookie_is_out_of_scripts_reach(lobby: Lobby) -> None:
    ada = await lobby.stranger()
    await ada.continue_as("Ada")
    [cookie] = [c for c in await ada.context.cookies() if "chatapp_session" in c["name"]]
    assert cookie["httpOnly"] is True
    assert cookie["sameSite"] == "Lax"
    assert "chatapp_session" not in await ada.page.evaluate("document.cookie")
    kept = await ada.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert cookie["value"] not in kept
    assert "eyJ" not in kept  # no JWT of Supabase's either


async def test_signing_out_in_one_tab_signs_out_the_other(lobby: Lobby) -> None:
    ada = await lobby.signed_in("Ada")
    second = await ada.context.new_page()
    await second.goto(ada.page.url)
    await expect(second.get_by_role("heading", name="Chat Rooms")).to_be_visible()
    await ada.sign_out()
    await expect(second).to_have_url(re.compile(r"/sign-in"))
