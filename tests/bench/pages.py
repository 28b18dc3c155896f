"""P8: what a page weighs on its way to a browser that has nothing of it yet, and how soon it can be used."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, BrowserContext, Page, WebSocket, async_playwright

from chatapp import gate
from tests.bench import app as bench_app
from tests.bench.app import App
from tests.bench.figures import Peer, Report, note, quantile
from tests.bench.peers import blank
from tests.chromium import FLAGS, executable
from tests.folders import data_folder
from tests.server import PORT, URL, build

ROUNDS = 9
MESSAGES = 100
LIMITS = {"sign-in page": 190, "room page": 240}
"""KB of JavaScript, compressed."""
STYLES = 30
SLOWER = 1.5
"""Times the blank page's wait that the room's may take: until messages are there and the box has the focus."""

WEIGH = """
() => {
  const all = performance.getEntriesByType("resource");
  const sum = (kinds) =>
    all.filter((one) => kinds.test(new URL(one.name).pathname)).reduce((bytes, one) => bytes + one.encodedBodySize, 0);
  return { js: sum(/\\.m?js$/) / 1000, css: sum(/\\.css$/) / 1000 };
}
"""

IS_READY = """
() => document.querySelector("[role=log] [data-row]") && document.activeElement?.matches("textarea")
"""

Usable = Callable[[Page], Awaitable[object]]


async def measure(report: Report) -> None:
    """The built pages, a backend and a stand-in of their own, Reflex's blank page beside them, one Chromium."""
    await asyncio.to_thread(build)
    program = await asyncio.to_thread(executable)
    with data_folder("bench") as data:
        async with (
            bench_app.project(data),
            bench_app.backend(data, PORT, pages=True) as server,
            bench_app.furnished(server, messages=MESSAGES) as app,
            blank.served() as beside,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
            await _compare(report, browser, app, beside)
            await browser.close()


async def _compare(report: Report, browser: Browser, app: App, beside: str) -> None:
    note("pages: weighing")
    addresses = {"sign-in page": "/sign-in", "room page": f"/chat/{app.room_id}"}
    for name, address in addresses.items():
        weight = await _weigh(browser, app, URL + address)
        report.figure(f"{name}: JavaScript, compressed", weight["js"], "KB", goal="P8", limit=LIMITS[name])
        report.figure(f"{name}: styles, compressed", weight["css"], "KB", goal="P8", limit=STYLES)
    note("pages: opening")
    theirs, ours = [], []
    for _ in range(ROUNDS):  # in turns, so that both meet the same weather
        theirs.append(await _open(browser, None, beside, _hydrated))
        ours.append(await _open(browser, app, URL + addresses["room page"], _ready))
    peer = Peer("blank page", 1000 * quantile(theirs, 0.5))
    took = 1000 * quantile(ours, 0.5)
    report.figure("room page: until it can be used", took, "ms", goal="P8", limit=SLOWER * peer.value, peer=peer)


async def _weigh(browser: Browser, app: App, address: str) -> dict[str, float]:
    context = await _context(browser, None if address.endswith("/sign-in") else app)
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_load_state("networkidle")
    weight: dict[str, float] = await page.evaluate(WEIGH)
    await context.close()
    return weight


async def _open(browser: Browser, app: App | None, address: str, usable: Usable) -> float:
    """Seconds from the address to a page that can be used, by a browser that has nothing of it."""
    context = await _context(browser, app)
    page = await context.new_page()
    waiting = usable(page)
    began = time.perf_counter()
    await page.goto(address, wait_until="commit")
    await waiting
    took = time.perf_counter() - began
    await context.close()
    return took


async def _context(browser: Browser, app: App | None) -> BrowserContext:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    if app:
        name = gate.cookie_name(secure=False)
        await context.add_cookies([{"name": name, "value": app.cookies[0], "url": URL}])
    return context


def _hydrated(page: Page) -> Awaitable[object]:
    """The blank page has its state: its buttons do something."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def heard(payload: bytes | str) -> None:
        if "is_hydrated" in str(payload) and not done.done():
            done.set_result(None)

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", heard)

    page.on("websocket", opened)
    return asyncio.wait_for(done, 30)


async def _ready(page: Page) -> None:
    """The room has its messages, and what is typed goes into its box."""
    await page.wait_for_function(IS_READY)  # looks at every frame, which `expect` does not
