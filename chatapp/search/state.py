"""What a tab holds of a search."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

import reflex as rx
from pydantic import StringConstraints
from typing_extensions import TypedDict

from chatapp.errors import ChatError
from chatapp.gate import actor, handler
from chatapp.search import queries
from chatapp.search.snapshots import FoundSnapshot, Last, Results, Wanted

Field = Annotated[str, StringConstraints(max_length=1000)]
Order = Literal["newest", "best"]
PAGE = "/search"
TEXT_ASKED = 300
"""Characters that an address may ask for: more than a search can have, so that it is told."""

SHOWN_MOST = 400
"""Results that a tab holds at the most."""


class Asked(TypedDict, total=False):
    """The form around the box `Search messages`."""

    search_for: Field


class Search(rx.State):
    """The page `Search`. What is searched for stands in the address, so that Back finds it again."""

    text: str = ""
    order: str = "newest"
    found: list[FoundSnapshot] = []
    busy: bool = False
    done: bool = False
    """Whether what is shown answers `text`."""
    alike: bool = False
    more: bool = False
    error: str = ""
    _last: Last | None = None

    @handler(background=False)
    def ask(self, form: Asked):
        """Go to the page of results."""
        text = form.get("search_for", "").strip()
        return rx.redirect(f"{PAGE}?q={quote(text[:TEXT_ASKED])}") if text else None

    @handler(page=True)
    async def load(self):
        """The page opens: search for what the address says."""
        async with self:
            self.text = self.router.url.query_parameters.get("q", "").strip()
            self.order, self.error, self.done, self.busy = "newest", "", False, bool(self.text)
            self.found, self.alike, self.more, self._last = [], False, False, None
            text = self.text
        if text:
            await self._find(text, "newest")

    @handler
    async def sort(self, order: Order):
        """The newest first, or what fits best."""
        async with self:
            text, self.order, self.busy, self.error = self.text, order, bool(self.text), ""
        if text:
            await self._find(text, order)

    @handler
    async def show_more(self):
        """The next page, below what is shown."""
        async with self:
            last, text, order = self._last, self.text, self.order
            if last is None or self.busy:
                return
            self.busy = True
        await self._find(text, order, last)

    async def _find(self, text: str, order: str, last: Last | None = None) -> None:
        results, refusal = await _search(text, best=order == "best", last=last)
        async with self:
            if (self.text, self.order, self._last if last else None) != (text, order, last):
                return  # a slower answer to an older question does not overwrite a newer one
            self.found = [*(self.found if last else []), *results.found]
            self.busy, self.done, self.error = False, not refusal, refusal
            self.alike, self._last = results.alike, results.last or (last if refusal else None)
            self.more = self._last is not None and len(self.found) < SHOWN_MOST


async def _search(text: str, *, best: bool, last: Last | None) -> tuple[Results, str]:
    try:
        return await queries.search(actor(), Wanted.of(text), best=best, last=last), ""
    except ChatError as error:
        return Results(), error.message
