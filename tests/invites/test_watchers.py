"""Who has a list of invites open, and when it is read again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from chatapp import shared
from chatapp.errors import Unavailable
from chatapp.invites import watchers as module
from chatapp.invites.snapshots import InviteSnapshot
from chatapp.invites.watchers import Watchers
from chatapp.realtime.hint import Hint


class Wire:
    """Everybody has a tab here."""

    def tabs(self, name: str) -> list[str]:
        return [name]


async def test_a_list_that_could_not_be_read_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "wire", Wire)
    monkeypatch.setattr(module, "WATCHDOG", 3600)  # which would make up for it
    place, me, tries, sent = uuid4(), uuid4(), list[UUID](), asyncio.Event()

    async def read(room_id: UUID, _: UUID) -> Sequence[InviteSnapshot]:
        tries.append(room_id)
        if len(tries) == 1:
            raise Unavailable("Away.")
        return (InviteSnapshot("id", "token", "", "", 0),)

    async def send(*_: object) -> None:
        sent.set()

    watchers = Watchers()
    watchers.add(place, me)
    watchers.hint(Hint("invite", place))
    task = asyncio.create_task(watchers.keep(read, send))
    await asyncio.wait_for(sent.wait(), 5)
    task.cancel()
    assert tries[:2] == [place, place]
