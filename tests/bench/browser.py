"""What a browser does with a busy room: whether it stays fluent, and whether reading back moves what is read."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page, async_playwright, expect

from chatapp import gate
from tests.bench import app as bench_app
from tests.bench import processes
from tests.bench.app import App
from tests.bench.figures import Report, note
from tests.chromium import FLAGS, executable
from tests.folders import data_folder
from tests.server import PORT, URL, build

ROWS = 500
PER_SECOND = 20
SECONDS = 15
LONGEST = 50.0
"""Milliseconds of one task, beyond which people notice."""

OBSERVE = """
() => {
  const seen = { tasks: [], shift: 0, frames: 0, began: performance.now() };
  const watch = (type, add) =>
    new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type });
  watch("longtask", (task) => seen.tasks.push(task.duration));
  watch("layout-shift", (one) => (seen.shift += one.value)); // also those right after a key or a wheel
  const frame = () => ((seen.frames += 1), requestAnimationFrame(frame));
  requestAnimationFrame(frame);
  window.seen = seen;
}
"""
TAKE = """
() => {
  const { tasks, shift, frames, began } = window.seen;
  const rate = (1000 * frames) / (performance.now() - began);
  const taken = { longest: Math.max(0, ...tasks), tasks: tasks.length, shift, rate };
  Object.assign(window.seen, { tasks: [], shift: 0, frames: 0, began: performance.now() });
  return taken;
}
"""
READ_BACK = """
async (log, rows) => {
  const end = Date.now() + 60000;
  while (log.querySelectorAll("[data-row]").length < rows) {
    if (Date.now() > end) throw new Error("history does not come");
    log.scrollTop = Math.max(0, log.scrollTop - 300);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
}
"""
GLIDE = """
async ([log, milliseconds]) => {
  const end = performance.now() + milliseconds;
  let step = -40;
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    log.scrollTop += step;
    if (log.scrollTop <= log.clientHeight) step = 40;
    if (log.scrollHeight - log.scrollTop - log.clientHeight < log.clientHeight) step = -40;
  }
}
"""


async def measure(report: Report) -> None:
    """The built pages, a server and a stand-in of their own, one Chromium."""
    await asyncio.to_thread(build)
    program = await asyncio.to_thread(executable)
    with data_folder("bench") as data:
        async with (
            bench_app.project(data),
            bench_app.backend(data, PORT, pages=True) as server,
            bench_app.furnished(server, messages=ROWS) as app,
            async_playwright() as playwright,
        ):
            browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
            await _look(report, app, await browser.new_page(viewport={"width": 1440, "height": 900}))
            await browser.close()


async def _look(report: Report, app: App, page: Page) -> None:
    name = gate.cookie_name(secure=False)
    await page.context.add_cookies([{"name": name, "value": app.cookies[0], "url": URL}])
    await page.goto(f"{URL}/chat/{app.room_id}")
    log = page.get_by_role("log", name="Messages")
    await expect(log.locator("[data-row]").first).to_be_visible(timeout=30_000)
    await page.evaluate(OBSERVE)
    await page.evaluate(TAKE)
    await log.evaluate(READ_BACK, ROWS)
    read = await page.evaluate(TAKE)
    report.figure("browser: layout shift while reading 500 messages back", read["shift"], "CLS", limit=0)
    await page.get_by_role("button", name="Jump to latest").click()
    await _under_load(report, app, page, "following", asyncio.sleep(SECONDS))
    handle = await log.element_handle()
    await _under_load(report, app, page, "scrolling", page.evaluate(GLIDE, [handle, 1000 * SECONDS]))


async def _under_load(report: Report, app: App, page: Page, what: str, work: Any) -> None:
    """20 messages a second arrive while somebody follows them, or scrolls."""
    note(f"browser: {what}, {PER_SECOND} messages/s")
    before = await asyncio.to_thread(processes.busy)
    posting = asyncio.create_task(_post(app))
    await page.evaluate(TAKE)
    await work
    taken = await page.evaluate(TAKE)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    rows = await page.locator("[role=log] [data-row]").count()
    name = f"browser: {what}, {rows} messages on screen, {PER_SECOND} messages/s"
    report.figure(f"{name}, CPU in use", before, "% of the machine")
    report.figure(f"{name}, longest task", taken["longest"], "ms", goal="P8", limit=LONGEST)
    report.figure(f"{name}, tasks above 50 ms", taken["tasks"], "tasks", limit=0)
    report.figure(f"{name}, frames", taken["rate"], "a second")


async def _post(app: App) -> None:
    while True:
        await app.post("One of many messages, as long as messages are. ".ljust(100, "x"))
        await asyncio.sleep(1 / PER_SECOND)
