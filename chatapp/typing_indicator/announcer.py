"""Tells rooms and the other backends who is typing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from chatapp import shared
from chatapp.realtime import topic
from chatapp.realtime.peers import Peers
from chatapp.realtime.pulse import pulse
from chatapp.realtime.room import LiveRoom
from chatapp.typing_indicator import state
from chatapp.typing_indicator.typists import Typists

REST = 0.1
"""Seconds in which typists become one delta a room and one message to the other backends."""

TYPING = "typing"


class Announcer:
    """Keeps rooms and backends told of the typists. `room` answers a room that tabs of this process show."""

    def __init__(self, typists: Typists, peers: Peers, room: Callable[[UUID], LiveRoom | None]) -> None:
        self._typists, self._peers, self._room = typists, peers, room
        peers.on(TYPING, self._heard)

    async def keep(self) -> None:
        """Until cancelled: tell who has begun and who has stopped."""
        await pulse(self._typists.woken, self._typists.due, self._act, REST)

    async def _act(self) -> None:
        self._typists.expire()
        if news := [[str(each.room_id), each.user_id, each.typing] for each in self._typists.take_news()]:
            self._peers.say(TYPING, {"news": news})
        for room_id in self._typists.take_changed():
            if room := self._room(room_id):
                for to in (topic.room(room_id), topic.room_head(room_id)):
                    await shared.wire().emit(to, shared.update(*state.opened(room)))

    def _heard(self, _: str, content: Mapping[str, Any]) -> None:
        for room_id, user_id, typing in content["news"]:
            room = self._room(UUID(room_id))
            if room and not typing:
                self._typists.stopped(room.id, user_id, own=False)
            elif room and room.has_member(user_id):
                self._typists.pressed(room.id, user_id, room.newest)
