"""One process without its surroundings: the real hub, rooms and deltas, a database in memory, tabs that apply deltas.

Small and quick enough to break delivery in it on purpose, in every way there is, and see whether the checker notices.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from reflex.utils import format as reflex_format

from chatapp import audience, gate, live, shared
from chatapp.actor import Actor
from chatapp.messages.snapshots import CatchUp, MessageSnapshot
from chatapp.messages.state import Window
from chatapp.realtime import topic
from chatapp.realtime.hint import Hint
from chatapp.realtime.hub import Hub
from chatapp.rooms.snapshots import MemberSnapshot, RoomSnapshot
from tests.chaos.checker import Fault, Message, Sent, Watch, check_numbers, check_sends, check_view
from tests.chaos.client import shown
from tests.tab import SUFFIX, TIMELINE, Tab

ADA, GRACE = str(uuid4()), str(uuid4())


class Ledger:
    """One room's table, with what its triggers keep: numbers, revs, and one row for each client_id."""

    def __init__(self) -> None:
        self.room = uuid4()
        self.rows: list[MessageSnapshot] = []
        self.rev = self.members_rev = 1
        self.members = [ADA, GRACE]

    def post(self, client_id: str, content: str) -> None:
        if self.has(client_id):
            return
        self.rev += 1
        seq = len(self.rows) + 1
        row = MessageSnapshot(str(uuid4()), seq, self.rev, ADA, client_id, "Ada", content, "2026-01-01", "", False)
        self.rows.append(row)

    def has(self, client_id: str) -> bool:
        return any(row.client_id == client_id for row in self.rows)

    def edit(self, seq: int, content: str) -> None:
        self.rev += 1
        self.rows[seq - 1] = replace(self.rows[seq - 1], rev=self.rev, content=content, edited_at="2026-01-02")

    def remove(self, person: str) -> None:
        self.rev = self.members_rev = self.rev + 1
        self.members.remove(person)

    async def load(self, room_id: UUID) -> CatchUp:
        return self._answer(self.rows[-100:], with_members=True)

    async def catch_up(self, room_id: UUID, cursor: int) -> CatchUp:
        changed = [row for row in self.rows if row.rev > cursor]
        return self._answer(changed, with_members=self.members_rev > cursor)

    async def revs(self, room_ids: Iterable[UUID]) -> dict[UUID, int]:
        return dict.fromkeys(room_ids, self.rev)

    def _answer(self, rows: Iterable[MessageSnapshot], with_members: bool) -> CatchUp:
        info = RoomSnapshot(str(self.room), "Room", "", False, "", 0, 0, "", len(self.members))
        answer = CatchUp(self.room, self.rev, len(self.rows), info, messages=tuple(rows))
        people = tuple(MemberSnapshot(who, "", "", "", 0, "member", "") for who in self.members)
        return replace(answer, members=people, member_ids=frozenset(self.members)) if with_members else answer


class Onlooker:
    """A person's tab at the live end of the room."""

    def __init__(self, person: str) -> None:
        self.person, self.tab, self.watch = person, Tab("http://nowhere"), Watch(person)
        self.frames: list[str] = []

    async def take(self, message: shared.Update) -> None:
        """What a socket does: to text and back."""
        self.frames.append(reflex_format.json_dumps(message))
        update = json.loads(self.frames[-1])
        for key, row in update["delta"].get(TIMELINE, {}).items():
            if key.startswith(f"messages{SUFFIX}"):
                self.watch.row(row)
        await self.tab._received(update)

    def view(self) -> list[Message]:
        return [shown(row) for row in self.tab.rows]


class Scene:
    """Everybody who looks on, and the process between them and the ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.hub = Hub(self.ledger, audience.Tabs())
        self.tabs: dict[str, Onlooker] = {}
        self.in_rooms: dict[str, set[str]] = {}
        self.sends: dict[str, str] = {}

    # What `shared.Wire` is asked for.
    async def emit(self, to: str, message: shared.Update) -> None:
        for sid in [to] if to in self.tabs else sorted(self.in_rooms.get(to, ())):
            await self.tabs[sid].take(message)

    async def enter(self, sid: str, room: str) -> bool:
        self.in_rooms.setdefault(room, set()).add(sid)
        return True

    async def leave(self, sid: str, room: str) -> None:
        self.in_rooms.get(room, set()).discard(sid)

    def tabs_in(self, room: str) -> list[str]:
        return sorted(self.in_rooms.get(room, ()))

    def rooms_of(self, sid: str) -> list[str]:
        return [room for room, sids in self.in_rooms.items() if sid in sids]

    def rooms(self, prefix: str) -> list[str]:
        return [room for room, sids in self.in_rooms.items() if sids and room.startswith(prefix)]

    # What happens.
    async def open(self, person: str, page: Iterable[MessageSnapshot] = ()) -> Onlooker:
        """A tab opens the room; `page` was read from the database some time ago and comes only now."""
        made, sid = Onlooker(person), f"sid {len(self.tabs)}"
        self.tabs[sid] = made
        room = await self.hub.open(self.ledger.room)
        room.merge(page)
        for name in (topic.room(room.id), topic.room_member(room.id, person)):
            await self.enter(sid, name)
        caller = gate._actor.set(Actor(UUID(person), ""))
        first = max(1, room.newest - live.PAGE + 1)
        await self.emit(sid, live._opened(room, Window(str(room.id), first, 0), room.window(first)))
        gate._actor.reset(caller)
        return made

    def send(self, content: str, times: int = 1) -> None:
        """Ada sends a message, perhaps more than once."""
        client_id = self.sends.setdefault(content, str(uuid4()))
        for _ in range(times):
            self.ledger.post(client_id, content)

    async def hint(self, rev: int | None = None, times: int = 1) -> None:
        """A hint arrives, perhaps doubled or late."""
        for _ in range(times):
            self.hub.hint(Hint("message", self.ledger.room, rev or self.ledger.rev))
        await self.settle()

    async def gap(self) -> None:
        """The feed has connected again."""
        self.hub.gap()
        await self.settle()

    async def settle(self) -> None:
        while self.hub._pumps:
            await asyncio.gather(*self.hub._pumps.values())

    def faults(self) -> list[Fault]:
        """All that the checker has to say."""
        stored = [_stored(row) for row in self.ledger.rows]
        room = str(self.ledger.room)
        sends = [Sent(room, ADA, client_id, content, True) for content, client_id in self.sends.items()]
        found = [*check_sends(sends, {room: stored}), *check_numbers(room, stored)]
        for each in self.tabs.values():
            found += each.watch.faults
            if each.person in self.ledger.members:
                found += check_view(each.person, each.view(), stored)
        return found


class SceneWire:
    """A scene in the place of the process's wire."""

    def __init__(self, scene: Scene) -> None:
        self.emit, self.enter, self.leave = scene.emit, scene.enter, scene.leave
        self.tabs, self.rooms, self.rooms_of = scene.tabs_in, scene.rooms, scene.rooms_of


def _stored(row: Any) -> Message:
    return Message(row.seq, row.rev, row.user_id, row.client_id, row.content, bool(row.edited_at), row.deleted)
