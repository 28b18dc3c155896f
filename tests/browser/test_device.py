"""FEATURES 6.1: installed on a device, and what is seen there while nothing can be reached."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.async_api import Browser, Page, expect

from tests.chromium import FLAGS, executable
from tests.server import URL, WEB, Server

from .conftest import Lobby, killed
from .people import PHONE, Person

IS_SERVED_BY_THE_WORKER = "navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)"
WATCH_FOR_CHANGE = """
() => {
  window.changed = new Promise((done) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => done(true));
  });
}
"""
KEYBOARD = """
covered => {
  const view = window.visualViewport;
  Object.defineProperty(view, "height", { get: () => window.innerHeight - covered, configurable: true });
  view.dispatchEvent(new Event("resize"));
}
"""
"""As Safari tells of a keyboard that lies over the page; Chromium has none to show."""


async def is_installed(page: Page) -> None:
    """The service worker runs, and this page is its own."""
    await page.wait_for_function(f"async () => await {IS_SERVED_BY_THE_WORKER}")


async def test_a_browser_offers_to_install_it(browser: Browser, server: Server, tmp_path: Path) -> None:
    # A browser with a profile: a private window, as the other tests have, never offers it.
    program = await asyncio.to_thread(executable)
    kind = browser.browser_type
    context = await kind.launch_persistent_context(tmp_path / "profile", executable_path=program, args=FLAGS)
    page = await context.new_page()
    await page.goto(f"{URL}/sign-in")
    await is_installed(page)
    session = await context.new_cdp_session(page)
    assert (await session.send("Page.getInstallabilityErrors"))["installabilityErrors"] == []
    manifest = await session.send("Page.getAppManifest")
    assert manifest["url"] == f"{URL}/manifest.webmanifest"
    assert manifest["errors"] == []
    await check_icons(page, json.loads(manifest["data"]))
    await context.close()


async def check_icons(page: Page, manifest: dict[str, Any]) -> None:
    """Each is there, and is what the manifest says."""
    for icon in manifest["icons"]:
        answer = await page.request.get(URL + icon["src"])
        assert answer.headers["content-type"].startswith(icon["type"])
        if icon["sizes"] != "any":
            with Image.open(io.BytesIO(await answer.body())) as picture:
                assert f"{picture.width}x{picture.height}" == icon["sizes"]
    touch = await page.locator("link[rel=apple-touch-icon]").get_attribute("href")
    assert (await page.request.get(f"{URL}{touch}")).ok


async def test_while_the_server_is_away_a_page_says_so_and_gives_way_by_itself(lobby: Lobby, server: Server) -> None:
    ada = await lobby.phone(color_scheme="light")
    await ada.enter_as("Ada")
    await ada.create_room("Kept")
    await ada.ready()
    await is_installed(ada.page)
    await ada.page.evaluate("localStorage.setItem('theme', 'dark')")
    async with killed(server):
        await ada.page.reload()
        await expect(ada.heading("The chat can't be reached")).to_be_visible()
        assert await shows_dark(ada)
        await ada.is_accessible()
        await ada.context.set_offline(True)
        await expect(ada.heading("You're offline")).to_be_visible()
        await ada.context.set_offline(False)
    await ada.ready()
    await expect(ada.heading("Kept")).to_be_visible()
    assert await shows_dark(ada)


async def test_the_worker_keeps_nothing_and_lets_signing_in_alone(lobby: Lobby) -> None:
    ada = await lobby.stranger()
    await ada.go("/sign-in")
    await is_installed(ada.page)
    by_worker = []
    ada.page.on("response", lambda answer: by_worker.append((answer.url, answer.from_service_worker)))
    await ada.continue_as("Ada")
    await ada.create_room("Passing through")
    await ada.ready()
    assert await ada.page.evaluate("caches.keys()") == []
    assert any("/auth/session" in url for url, _ in by_worker)
    pages = {url for url, served in by_worker if served}
    assert pages
    assert all(re.fullmatch(f"{URL}/(sign-in|chat)/?(\\?.*)?", url) for url in pages), pages


async def test_a_new_worker_takes_over_without_being_asked(lobby: Lobby) -> None:
    ada = await lobby.signed_in("Ada")
    await is_installed(ada.page)
    await ada.page.evaluate(WATCH_FOR_CHANGE)
    with newer_worker("The chat can't be reached", "A newer page"):
        await ada.page.evaluate(
            "async () => { await (await navigator.serviceWorker.ready).update(); await window.changed; }"
        )
        await ada.context.set_offline(True)
        assert await ada.page.evaluate("fetch('/chat').then(() => true, () => false)") is False  # the premise
        await ada.page.reload()
        await expect(ada.heading("You're offline")).to_be_visible()
        assert "A newer page" in await ada.page.content()


@contextmanager
def newer_worker(old: str, new: str) -> Iterator[None]:
    """As the server gives it out after a deployment, to those who take it compressed, too."""
    served = [WEB / "build" / "client" / name for name in ("sw.js", "sw.js.gz")]
    before = [file.read_bytes() for file in served]
    changed = before[0].replace(old.encode(), new.encode())
    assert changed != before[0]
    for file, content in zip(served, (changed, gzip.compress(changed)), strict=True):
        file.write_bytes(content)
    try:
        yield
    finally:
        for file, content in zip(served, before, strict=True):
            file.write_bytes(content)


async def test_the_box_stands_above_a_keyboard_that_lies_over_the_page(lobby: Lobby) -> None:
    phone = await lobby.phone()
    await phone.enter_as("Ada")
    await phone.link("General").first.click()
    await phone.ready()
    await phone.page.evaluate(KEYBOARD, 336)
    edge = PHONE["height"] - 336
    for one in (phone.box, phone.button("Send"), phone.heading("General")):
        place = await one.bounding_box()
        assert place
        assert 0 <= place["y"] <= edge - place["height"]
    await phone.is_at_bottom()
    await phone.page.evaluate(KEYBOARD, 0)
    place = await phone.box.bounding_box()
    assert place
    assert place["y"] > edge


async def test_the_browsers_bars_follow_the_theme_that_is_chosen(lobby: Lobby) -> None:
    ada = await lobby.signed_in("Ada", color_scheme="light")
    await expect_bars(ada, "rgb(245, 242, 236)")
    await ada.button("Settings").click()
    await ada.page.get_by_text("Dark", exact=True).click()
    await expect_bars(ada, "rgb(22, 21, 19)")


async def expect_bars(person: Person, colour: str) -> None:
    for meta in await person.page.locator("meta[name=theme-color]").all():
        await expect(meta).to_have_attribute("content", colour)


async def shows_dark(person: Person) -> bool:
    return bool(await person.page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")) and bool(
        await person.page.evaluate("document.documentElement.classList.contains('dark')")
    )
