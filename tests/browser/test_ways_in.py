"""FEATURES 1.2, 1.3 and 1.6: links by mail, another password, another address, out of every browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest_asyncio
from playwright.async_api import expect

from chatapp.settings import Settings
from tests.cast import Someone, someone

from .conftest import Lobby
from .people import THEMES, Person

NEW = "a better battery staple"


@pytest_asyncio.fixture
async def ada(project: Settings) -> AsyncIterator[Someone]:
    yield await someone("Ada Lovelace")


async def axe(person: Person) -> None:
    """No violation in either theme."""
    for theme in THEMES:
        await person.in_theme(theme)
        await person.is_accessible()


async def sign_in(person: Person, email: str, password: str) -> None:
    await person.go("/sign-in")
    await person.field("Email").fill(email)
    await person.field("Password").fill(password)
    await person.button("Sign in").click()


async def ask(person: Person, how: str, email: str, send: str) -> None:
    """From the sign-in page to the page that says to look into the mail."""
    await person.page.get_by_role("link", name=how, exact=True).click()
    await expect(person.button(send)).to_be_visible()  # the page before has such a field, too
    await person.field("Email").fill(email)
    await person.button(send).click()
    await expect(person.heading("Check your inbox")).to_be_visible()


async def open_mail(person: Person, to: str) -> None:
    """Open the newest mail's link where one reads mails: in the stand-in's outbox, from the page."""
    async with person.context.expect_page() as opened:
        await person.link("the outbox").click()
    outbox = await opened.value
    await outbox.goto(f"{outbox.url}?to={to}")
    link = await outbox.get_by_role("link").filter(has_text="verify").first.get_attribute("href")
    await outbox.close()
    await person.page.goto(str(link))


async def test_a_link_by_mail_signs_in_and_only_the_browser_that_asked(lobby: Lobby, ada: Someone) -> None:
    phone, stranger = await lobby.phone(), await lobby.stranger()
    await phone.go("/sign-in?next=/chat/browse")
    await expect(phone.page.get_by_role("link", name="Email me a link", exact=True)).to_be_visible()
    await axe(phone)
    await ask(phone, "Email me a link", ada.email, "Email me a link")
    await axe(phone)

    async with phone.context.expect_page() as opened:
        await phone.link("the outbox").click()
    outbox = await opened.value
    await outbox.goto(f"{outbox.url}?to={ada.email}")
    link = str(await outbox.get_by_role("link").filter(has_text="verify").first.get_attribute("href"))
    used = await phone.context.new_page()
    await used.goto(link)
    await expect(used).to_have_url(re.compile(r"/chat/browse/?$"))
    await expect(used.get_by_role("heading", name="Browse rooms")).to_be_visible()
    kept = await used.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "chatapp_" not in kept
    assert "eyJ" not in kept

    await stranger.page.goto(link)
    await expect(stranger.heading("This link doesn't work any more")).to_be_visible()
    await stranger.go("/chat")
    await expect(stranger.page).to_have_url(re.compile(r"/sign-in"))


async def test_a_forgotten_password(lobby: Lobby, ada: Someone) -> None:
    elsewhere, person = await lobby.stranger(), await lobby.stranger()
    await sign_in(elsewhere, ada.email, ada.password)
    await expect(elsewhere.heading("Chat Rooms")).to_be_visible()

    await person.go("/sign-in")
    await ask(person, "Forgot password?", ada.email, "Send link")
    await open_mail(person, ada.email)
    await expect(person.heading("Choose a new password")).to_be_visible()
    await axe(person)
    await person.field("New password").fill(ada.password)
    await person.button("Set new password").click()
    await expect(person.page.get_by_role("alert").filter(has_text="same as the current one")).to_be_visible()
    await person.field("New password").fill(NEW)
    await person.button("Set new password").click()
    await expect(person.heading("Chat Rooms")).to_be_visible()
    await expect(elsewhere.page).to_have_url(re.compile(r"/sign-in"))  # whoever else was signed in

    await sign_in(elsewhere, ada.email, NEW)
    await expect(elsewhere.heading("Chat Rooms")).to_be_visible()
    await person.go("/reset-password")
    await expect(person.heading("This link doesn't work any more")).to_be_visible()
    await axe(person)


async def test_an_address_nobody_has_is_answered_alike(lobby: Lobby) -> None:
    person = await lobby.stranger()
    await person.go("/sign-in")
    await ask(person, "Forgot password?", f"{uuid4()}@example.com", "Send link")
    assert urlsplit(person.page.url).path.rstrip("/") == "/check-inbox"


async def test_another_address_and_out_of_every_browser(lobby: Lobby, ada: Someone, project: Settings) -> None:
    person, phone, new = await lobby.stranger(), await lobby.phone(), f"ada-{uuid4().hex[:8]}@example.com"
    for one in (person, phone):
        await sign_in(one, ada.email, ada.password)
        await expect(one.heading("Chat Rooms")).to_be_visible()
    await person.button("Settings").click()
    await person.button("Change email").click()
    await axe(person)
    await person.field("New email").fill(new)
    await person.button("Change email").click()
    await expect(person.page.get_by_text("Check your inboxes")).to_be_visible()
    reader = await person.context.new_page()
    for to, said in ((ada.email, "Half done"), (new, "Email changed")):
        await reader.goto(f"{project.supabase_url}/outbox?to={to}")
        await reader.get_by_role("link").filter(has_text="verify").first.click()
        await expect(reader.get_by_role("heading", name=said)).to_be_visible()

    await person.button("Sign out everywhere").click()
    for one in (person, phone):
        await expect(one.page).to_have_url(re.compile(r"/sign-in"))
    await sign_in(phone, new, ada.password)
    await expect(phone.heading("Chat Rooms")).to_be_visible()
