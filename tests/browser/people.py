"""People at browsers: what they do and see, in the words of the product's promises."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from chatapp import gate
from chatapp.accounts import actions as accounts
from tests.cast import Someone
from tests.server import URL

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
CLOSING_SECONDS = 20
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

# Scrolls up in steps. Whenever rows are added above, the text that was first in sight must be where it was.
WATCH_ROWS = """
async (log, until) => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const first = () => {
    const top = log.getBoundingClientRect().top;
    return [...log.querySelectorAll("[data-row] .text")].find((row) => row.getBoundingClientRect().bottom > top);
  };
  const has = () => [...log.querySelectorAll("[data-row] .text")].some((one) => one.textContent === until);
  let worst = 0;
  const end = Date.now() + 30000;
  while (!has()) {
    if (Date.now() > end) throw new Error("never got to " + until);
    log.scrollTop -= 150;
    await frame();
    const row = first(), place = row.getBoundingClientRect().top, rows = log.querySelectorAll("[data-row]").length;
    await frame();
    if (log.querySelectorAll("[data-row]").length !== rows && row.isConnected)
      worst = Math.max(worst, Math.abs(row.getBoundingClientRect().top - place));
  }
  return worst;
}
"""


# What has begun to move is known from the next frame on.
IS_STILL = """
async () => {
  for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  const ends = (one) => one.effect.getComputedTiming().endTime < Infinity;
  await Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
}
"""


class Person:
    """One person at one browser of their own, found through roles and accessible names alone."""

    def __init__(self, context: BrowserContext, page: Page, site: str = URL) -> None:
        self.context, self.page, self.site = context, page, site
        self.errors: list[str] = []
        self.visited: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("framenavigated", lambda frame: self.visited.append(frame.url))

    async def go(self, path: str) -> None:
        await self.page.goto(self.site + path)

    async def continue_as(self, name: str, to: str = "/chat") -> None:
        """Sign in as one of the demo people."""
        await self.go(f"/sign-in?next={to}")
        await self.button(f"Continue as {name}").click()
        await self.page.wait_for_url(re.compile(re.escape(self.site + to) + "/?$"))

    async def enter_as(self, name: str, to: str = "/chat") -> None:
        """Come as one of the demo people who has signed in before."""
        await self._take(await accounts.continue_as(name))
        await self.go(to)

    async def _take(self, ticket: str) -> None:
        value, name = await accounts.redeem(ticket), gate.cookie_name(secure=False)
        await self.context.add_cookies([{"name": name, "value": value, "url": self.site, "httpOnly": True}])

    async def open_room(self, room_id: str) -> None:
        await self.go(f"/chat/{room_id}")
        await self.ready()

    async def ready(self) -> None:
        """The room's messages are here."""
        await expect(self.log).to_be_visible()
        await expect(self.box).to_be_focused()

    async def say(self, text: str) -> None:
        await self.box.fill(text)
        await self.button("Send").click()

    async def sees(self, text: str) -> None:
        """Exactly one message says this."""
        await expect(self.message(text)).to_have_count(1)

    async def sign_out(self) -> None:
        await self.button("Sign out").click()

    async def create_room(self, name: str, private: bool = False) -> None:
        await self.button("New room").first.click()
        await self.field("Room name").fill(name)
        if private:
            await self.page.get_by_role("switch", name="Private").click()
        await self.button("Create room").click()
        await self.page.wait_for_url(re.compile(r"/chat/[0-9a-f-]{36}/?$"))

    async def join_room(self, name: str) -> None:
        """From the page `Browse rooms`."""
        await self.page.get_by_role("searchbox").fill(name)
        card = self.page.get_by_role("listitem").filter(has_text=name)
        await card.get_by_role("button", name="Join", exact=True).click()
        await self.page.wait_for_url(re.compile(r"/chat/[0-9a-f-]{36}/?$"))

    async def leave_room(self) -> None:
        await self.button("Members").click()
        await self.button("Leave room").click()
        await self.button("Leave").click()

    async def tab_to(self, name: str, backwards: bool = False) -> None:
        """Press Tab until the focus is on something of that name."""
        for _ in range(60):
            await self.page.keyboard.press("Shift+Tab" if backwards else "Tab")
            wanted = await self.button(name).all()
            if any([await one.evaluate("one => one === document.activeElement") for one in wanted]):
                return
        raise AssertionError(f"{name} cannot be reached by keyboard")

    async def has_messages(self, count: int) -> None:
        await expect(self.log.locator("[data-row]")).to_have_count(count)
        await expect(self.log.locator("[data-row][aria-busy=true]")).to_have_count(0)

    async def texts(self) -> list[str]:
        """What the messages say, in the order they are shown."""
        return await self.log.locator("[data-row] .text").evaluate_all("all => all.map(one => one.textContent)")

    async def is_still(self) -> None:
        """Nothing moves any more: while a dialog opens, its colours and sizes are not yet what they will be."""
        await self.page.evaluate(IS_STILL)

    async def in_theme(self, theme: Theme) -> None:
        """The system's theme is another one, and all has changed its colours: the page hears of it a moment later."""
        await self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        await self.page.wait_for_function("theme => document.documentElement.classList.contains(theme)", arg=theme)
        await self.is_still()

    async def is_accessible(self) -> None:
        """Axe finds nothing wrong with the page as it is."""
        await self.is_still()
        found = await Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()

    async def is_at_bottom(self) -> None:
        """The newest message is in sight, and nothing is below it."""
        log = await self.log.element_handle()
        await self.page.wait_for_function("log => log.scrollHeight - log.scrollTop - log.clientHeight < 4", arg=log)

    async def scroll_top(self) -> float:
        return float(await self.log.evaluate("log => log.scrollTop"))

    async def scroll_by(self, pixels: int) -> None:
        await self.log.hover()
        await self.page.mouse.wheel(0, pixels)
        await expect(self.button("Jump to latest")).to_be_visible()

    async def scroll_to_top_watching_rows(self, until: str) -> float:
        """Scroll up until a text is shown; answers by how many px the first row in sight ever moved at once."""
        return float(await self.log.evaluate(WATCH_ROWS, until))

    @property
    def room_id(self) -> str:
        return self.page.url.rstrip("/").rpartition("/")[2]

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log", name="Messages")

    def message(self, text: str) -> Locator:
        return self.log.get_by_text(text, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name)

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, exact=True)

    def field(self, name: str) -> Locator:
        return self.page.get_by_label(name, exact=True)


async def enter(person: Person, who: Someone, password: str = "") -> Person:
    """Come to the list of rooms as somebody who has signed in before."""
    await person._take(await accounts.sign_in(who.email, password or who.password))
    await person.go("/chat")
    await expect(person.button(f"Profile, {who.name}")).to_be_visible()  # so it listens to keys, too
    return person


async def long_press(person: Person, what: Locator) -> None:
    """Put a finger down and leave it there until the sheet is open."""
    box = await what.bounding_box()
    assert box
    session = await person.context.new_cdp_session(person.page)
    point = {"x": box["x"] + 5, "y": box["y"] + box["height"] / 2}
    await session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    await expect(person.page.get_by_role("dialog", name="Message")).to_be_visible()
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@asynccontextmanager
async def person(browser: Browser, site: str = URL, **options: Any) -> AsyncIterator[Person]:
    """Somebody at a fresh browser; a script error on any of their pages fails the test."""
    context = await browser.new_context(**{"viewport": DESKTOP, **options})
    try:
        someone = Person(context, await context.new_page(), site)
        yield someone
    finally:
        await closed(context)
    assert someone.errors == []


async def closed(what: Browser | BrowserContext) -> None:
    """Close it. Chromium, once in thousands of times, never answers; the test has been judged by then, and goes on."""
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            await what.close()
    except TimeoutError:
        warnings.warn(f"{what} did not close within {CLOSING_SECONDS} s: left to the end of the run", stacklevel=1)
