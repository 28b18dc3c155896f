"""The dialog `New message`: whom to write to."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import reflex as rx
from pydantic import StringConstraints
from typing_extensions import TypedDict

from chatapp.direct import actions, queries
from chatapp.errors import ChatError
from chatapp.gate import actor, handler
from chatapp.rooms.snapshots import PersonSnapshot
from chatapp.texts import email_address

Field = Annotated[str, StringConstraints(max_length=300)]


class Typed(TypedDict, total=False):
    """The form around the field `To`."""

    direct_to: Field


class NewMessage(rx.State):
    """Who has been found, and who is chosen: by their id, or by an address, which is then id and name."""

    shown: bool = False
    busy: bool = False
    error: str = ""
    search: str = ""
    address: str = ""
    """What was typed, where it is an address that somebody may have."""
    found: list[PersonSnapshot] = []
    chosen: list[PersonSnapshot] = []

    @handler
    async def show(self, shown: bool):
        """Open the dialog with the people one shares most with, or close it."""
        async with self:
            self.shown, self.busy, self.error = shown, False, ""
            self.search, self.address, self.chosen = "", "", []
        if shown:
            await self._find("")

    @handler
    async def look_for(self, search: Field):
        """By a part of the name, or by a whole e-mail address."""
        async with self:
            self.search, self.address, self.error = search, _address(search), ""
        await self._find(search)

    @handler
    async def enter(self, form: Typed):
        """Choose whom the text means: an address, else the first person found by it; without a text, begin."""
        text = form.get("direct_to", "").strip()
        found = await queries.people(actor(), text) if text and not _address(text) else ()
        async with self:
            ready = not text and bool(self.chosen)
            self._add(_by_address(text) if _address(text) else list(found[:1]))
            if text and not found and not _address(text):
                self.error = "Nobody found by that name."
        if ready:
            return NewMessage.start
        await self._find("")
        return None

    @handler
    async def choose(self, person_id: UUID):
        """Write to somebody who was found, too; or, the second time, not."""
        async with self:
            known = [person for person in self.found if person.id == str(person_id)]
            if not self._drop(str(person_id)):
                self._add(known)
        await self._find("")

    @handler
    async def choose_address(self):
        """Write to whoever has the address that was typed, too."""
        async with self:
            self._add(_by_address(self.address))
        await self._find("")

    @handler(background=False)
    def drop(self, person_id: Field):
        """Don't write to somebody after all."""
        self._drop(person_id)

    @handler
    async def start(self):
        """Go to the room of those who are chosen."""
        async with self:
            self.busy, self.error, chosen = True, "", [person.id for person in self.chosen]
        people = [UUID(each) for each in chosen if "@" not in each]
        try:
            room_id = await actions.open_direct(actor(), people, [each for each in chosen if "@" in each])
        except ChatError as refusal:
            async with self:
                self.busy, self.error = False, refusal.message
            return None
        async with self:
            self.shown, self.busy = False, False
        return rx.redirect(f"/chat/{room_id}")

    def _add(self, people: list[PersonSnapshot]) -> None:
        chosen = {person.id for person in self.chosen}
        new = [person for person in people if person.id not in chosen]
        if len(chosen) + len(new) > actions.PEOPLE_MOST:
            self.error = f"You can write to {actions.PEOPLE_MOST} people at once."
            return
        self.chosen, self.search, self.address, self.error = [*self.chosen, *new], "", "", ""

    def _drop(self, person_id: str) -> bool:
        before = len(self.chosen)
        self.chosen = [person for person in self.chosen if person.id != person_id]
        return len(self.chosen) < before

    async def _find(self, search: str) -> None:
        found = await queries.people(actor(), "" if "@" in search else search)
        async with self:
            if self.search == search:  # a slower answer to an older question does not overwrite a newer one
                self.found = list(found)


def _by_address(address: str) -> list[PersonSnapshot]:
    """Somebody of whom only the address is known. Whose it is is not to be learned before it is written to."""
    return [PersonSnapshot(address, address, "", "@", 0)] if address else []


def _address(text: str) -> str:
    try:
        return email_address(text)
    except ChatError:
        return ""
