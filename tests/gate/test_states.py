"""What the state classes declare holds for what their handlers put into them."""

from __future__ import annotations

from typing import Any

import pytest
from reflex_base.utils.types import _isinstance

from chatapp.accounts.snapshots import ProfileSnapshot
from chatapp.accounts.state import SignIn, Viewer
from chatapp.invites.state import Invitation
from chatapp.messages.state import Composer, Outcome, Timeline, Window
from chatapp.rooms.snapshots import RoomSnapshot
from chatapp.rooms.state import BrowseRooms
from chatapp.threads.state import Shown, Threads

ROOM = RoomSnapshot("1", "Room", "", False, "", 0, 0, "", 1)


@pytest.mark.parametrize(
    ("state", "name", "value"),
    [
        (Composer, "outcomes", {"id": Outcome(0, True)}),
        (Timeline, "window", Window("1", 1, 0)),
        (Viewer, "me", ProfileSnapshot.nobody()),
        (SignIn, "people", ["Ada"]),
        (BrowseRooms, "found", [ROOM]),
        (Invitation, "room", ROOM),
        (Invitation, "room", None),
        (Threads, "shown", Shown("1", 1)),
    ],
)
def test_a_value_is_of_its_vars_type(state: Any, name: str, value: object) -> None:
    # Reflex looks into containers while developing, and fails there with types that know no isinstance (TypedDict).
    assert _isinstance(value, state.__fields__[name].outer_type_, nested=1, treat_var_as_type=False)
