"""The tabs of this process, as the hub's audience: what has changed in a room goes to them, once for all."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import reflex as rx

from chatapp import shared
from chatapp.messages import state as message_state
from chatapp.presence import state as presence_state
from chatapp.realtime import topic
from chatapp.realtime.room import Applied, LiveRoom
from chatapp.rooms import state as room_state
from chatapp.threads import state as thread_state
from chatapp.typing_indicator import state as typing_state


class Tabs:
    """Who is told, and who may no longer be."""

    def rooms(self) -> set[UUID]:
        """Rooms that some tab here shows."""
        return {UUID(name.split(":")[1]) for name in shared.wire().rooms("room:")}

    async def publish(self, room: LiveRoom, applied: Applied) -> None:
        """One delta for everybody at the live end; for those who read far back what changed, and a number."""
        everybody = [
            *room_state.changed(applied),
            *presence_state.changed(room, applied),
            *typing_state.changed(room, applied),
        ]
        here = [*message_state.changed(room, applied), *thread_state.counted(applied, room.floor), *everybody]
        behind = [*(message_state.changed_behind(room, applied) if applied.rows else ()), *everybody]
        behind += thread_state.counted(applied, room.newest)
        for to, values in ((topic.room(room.id), here), (topic.room_head(room.id), behind)):
            if values:
                await shared.wire().emit(to, shared.update(*values))
        for to, values in thread_state.changed(room, applied):
            await shared.wire().emit(to, shared.update(*values))

    async def evict(self, room_id: UUID, user_ids: Iterable[str]) -> None:
        """Take people out of a room: when this returns, not one more byte of it can reach them."""
        for user_id in user_ids:
            for sid in shared.wire().tabs(topic.room_member(room_id, user_id)):
                await _expel(sid, room_id, user_id)
            for sid in shared.wire().tabs(topic.user(user_id)):  # those that only list it
                await shared.wire().leave(sid, topic.listed(room_id))


async def _expel(sid: str, room_id: UUID, user_id: str) -> None:
    for name in shared.wire().rooms_of(sid):
        if name == topic.listed(room_id) or name == topic.room(room_id) or name.startswith(f"{topic.room(room_id)}:"):
            await shared.wire().leave(sid, name)
    goodbye = [rx.toast.info("You are no longer in this room."), rx.redirect("/chat", replace=True)]
    await shared.wire().emit(sid, shared.update(events=goodbye))
