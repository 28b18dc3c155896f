"""What a tab does about reactions. What it shows of them comes with the messages: `chatapp.messages.state.Row`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import reflex as rx
from pydantic import StringConstraints

from chatapp.gate import actor, handler
from chatapp.reactions import actions

Emoji = Annotated[str, StringConstraints(min_length=1, max_length=32)]


class Reactions(rx.State):
    """One handler and no vars."""

    @handler
    async def give(self, message_id: UUID, emoji: Emoji, on: bool | None = None):
        """Add my reaction or take it back; None, where the browser cannot know which, turns what is there around."""
        verb = actions.flip if on is None else (actions.add if on else actions.remove)
        await verb(actor(), message_id, emoji)
