"""What every dialog with a form has: whether it is shown, whether it waits for an answer, and what was refused."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import reflex as rx

from chatapp.errors import ChatError
from chatapp.gate import handler


class Asking(rx.State, mixin=True):
    """For states of dialogs and pages that ask something; each has these vars of its own."""

    shown: bool = False
    busy: bool = False
    error: str = ""

    @handler(background=False)
    def show(self, shown: bool) -> None:
        """Open or close the dialog; an old refusal is forgotten."""
        self.shown, self.busy, self.error = shown, False, ""

    async def _ask(self, deed: Awaitable[Any], *, stay: bool = False) -> Any:
        """Do what was asked for and answer its result, None where it was refused, in words. To be called from a
        background handler. Afterwards the dialog closes, unless something was refused or it is to `stay`.
        """
        async with self:
            self.busy, self.error = True, ""
        answer, refusal = await _answer(deed)
        async with self:
            self.shown, self.busy, self.error = self.shown and (stay or bool(refusal)), False, refusal
        return answer


async def _answer(deed: Awaitable[Any]) -> tuple[Any, str]:
    try:
        return await deed or True, ""  # a verb that answers nothing has been done
    except ChatError as error:
        return None, error.message
