"""`python -m tests.icons`: draw the app's icons anew, from assets/icons/icon.svg, with the browser the tests have.

They are committed: whoever runs the chat needs no browser on the server.
"""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, async_playwright

from tests.chromium import FLAGS, executable
from tests.server import ROOT

FOLDER = ROOT / "assets" / "icons"
SIZES = {"icon-192": 192, "icon-512": 512, "maskable-192": 192, "maskable-512": 512, "apple-touch-icon": 180}
MARK = {"icon": 1.0, "apple": 0.94, "maskable": 0.8}
"""How large the mark is. Of a maskable icon only a circle of 80 % across is sure to be seen; Apple rounds corners."""

PAGE = "<!doctype html><style>body { margin: 0 } svg { display: block; width: 100vw; height: 100vh }</style>"
SHAPE = """
([scale, cornered]) => {
  const mark = document.getElementById("mark");
  const about = `translate(256 256) scale(${scale}) translate(-256 -256)`;
  mark.setAttribute("transform", `${about} ${mark.getAttribute("transform")}`);
  if (!cornered) document.getElementById("paper").removeAttribute("rx");
}
"""


async def draw(page: Page, name: str) -> None:
    """One icon. Those that the system cuts into shape are paper to their edges, others have corners of their own."""
    kind = name.partition("-")[0]
    await page.set_viewport_size({"width": SIZES[name], "height": SIZES[name]})
    await page.set_content(PAGE + (FOLDER / "icon.svg").read_text())
    await page.evaluate(SHAPE, [MARK[kind], kind == "icon"])
    await page.screenshot(path=FOLDER / f"{name}.png", omit_background=True)


async def main() -> None:
    """All of them."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=await asyncio.to_thread(executable), args=FLAGS)
        page = await browser.new_page()
        for name in SIZES:
            await draw(page, name)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
