"""What every page with a sidebar begins with: who it is, which rooms they are in, and that the tab is here again."""

from __future__ import annotations

import asyncio

import reflex as rx

from chatapp.accounts import queries as people
from chatapp.accounts.state import Viewer
from chatapp.gate import actor, handler
from chatapp.patience import patiently
from chatapp.presence.state import Presence
from chatapp.rooms import state as room_state


class Arrival(rx.State):
    """One handler rather than one for each slice: when a herd of tabs returns, a handler costs more than its work."""

    @handler(page=True)
    async def arrive(self):
        """A page opens, or the tab is connected again."""
        sid = self.router.session.session_id
        me, _ = await asyncio.gather(patiently(lambda: people.profile(actor())), room_state.follow_list(sid))
        async with self:
            (await self.get_state(Viewer)).me = me
            (await self.get_state(Presence)).socket = sid
