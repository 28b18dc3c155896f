"""Vars that many tabs share: built and encoded once, emitted once to all of them.

Reflex keeps each tab's vars in that tab's state and sends them tab by tab. What a whole room sees is the same for
everybody, so it goes out as one delta to a socket.io room instead: the browser applies it like any other delta. The
state class declares the var, typed; its values live in the browsers only, under the declared var's name and a slot
number. The server's copy stays empty, so neither hydrating nor any other handler can resend or wipe them.

This module is the only one that leans on Reflex's inner parts: the namespace and name of the event that carries a
delta, the handlers of a closed socket and of an event, what it queues events with, the delta's shape, a var's name in
the delta and in the browser, and that the browser applies keys the server's state does not have. `check()` fails at the
start when names are made otherwise; tests/live and tests/browser fail when the rest is.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import reflex as rx
from reflex.event import Event
from reflex.vars import VarData
from reflex_base.registry import RegistrationContext
from reflex_base.utils.imports import ImportVar
from reflex_base.vars.base import Var
from socketio import AsyncServer

log = logging.getLogger(__name__)

NAMESPACE = "/_event"
EVENT = "event"
SUFFIX = "_rx_state_"
PAGE_LOAD = ".hydrate_and_load"
"""How the name of the event ends with which a browser loads a page, and loads it again when its connection is back."""

Update = dict[str, Any]
"""What a browser is sent: {"delta": {state: {var: value}}}, perhaps with "events"."""


class Shared:
    """A declared var of a state whose values are emitted to rooms of tabs, in `slots` parts.

    With one slot it is a plain var. With more, a value goes to the slot `number % slots`, so that everybody at the
    live end of a room needs the very same delta for the same change.
    """

    def __init__(self, declared: Any, slots: int = 1) -> None:
        self._declared: Var = declared
        self.slots = slots
        self._state_js, self._key = str(declared).rsplit(".", 1)
        self._state = declared._get_all_var_data().state

    @property
    def prefix(self) -> str:
        """What the names of its slots begin with, in the browser's copy of the state."""
        return self._key

    @property
    def value(self) -> Var:
        """The one slot's value in the browser, of the declared type; undefined before the first delta."""
        return self.read(f"{self._state_js}.{self._key}0")

    @property
    def known(self) -> Var:
        """Whether this tab was sent a value yet."""
        return Var(f"({self._state_js}.{self._key}0 !== undefined)", _var_type=bool, _var_data=self._data).guess_type()

    @property
    def held(self) -> Var:
        """The browser's copy of the state as a whole, for a function that is given keys of more than one."""
        return Var(self._state_js, _var_data=self._data)

    def or_default(self, default: str) -> Var:
        """The one slot's value, or a JavaScript literal until there is one."""
        return self.read(f"({self._state_js}.{self._key}0 ?? {default})")

    def call(self, module: str, function: str, *arguments: Any) -> Var:
        """The result, of the declared type, of a browser function that is given this var's state and key prefix."""
        values = [Var(self._state_js), *(Var.create(value) for value in (self._key, *arguments))]
        data = VarData.merge(
            self._data,
            *(value._get_all_var_data() for value in values),
            VarData(imports={module: [ImportVar(tag=function)]}),
        )
        return Var(
            f"{function}({', '.join(str(value) for value in values)})",
            _var_type=self._declared._var_type,
            _var_data=data,
        ).guess_type()

    def read(self, expression: str) -> Var:
        return Var(expression, _var_type=self._declared._var_type, _var_data=self._data).guess_type()

    def at(self, number: int, value: Any) -> tuple[str, str, Any]:
        """Put `value` into the slot of `number`; to be given to `update`."""
        return self._state, f"{self._key}{number % self.slots}", value

    def keyed(self, name: str, value: Any) -> tuple[str, str, Any]:
        """Put `value` under a name of its own, for what has no number; to be given to `update`."""
        return self._state, f"{self._key}{name}", value

    @property
    def _data(self) -> VarData | None:
        return self._declared._get_all_var_data()


def update(*values: tuple[str, str, Any], events: Iterable[Any] = ()) -> Update:
    """One update of the given slots, and frontend events to run with it."""
    delta: dict[str, dict[str, Any]] = {}
    for state, key, value in values:
        delta.setdefault(state, {})[key] = value
    frontend = Event.from_event_type(list(events))
    return {"delta": delta, **({"events": frontend} if frontend else {})}


class Wire:
    """socket.io rooms of this process's tabs. Nothing here suspends before the packets are queued in order."""

    def __init__(self, app: rx.App) -> None:
        self._app = app

    @property
    def _sio(self) -> AsyncServer:
        if self._app.sio is None:
            raise RuntimeError("The app has no states, and so no sockets.")
        return self._app.sio

    def on_leave(self, callback: Callable[[str], None]) -> None:
        """Have `callback` called with the sid of every tab whose socket closes. It must not block, nor raise."""
        sockets = self._app.event_namespace
        if sockets is None:
            raise RuntimeError("The app has no states, and so no sockets.")
        reflex_disconnects = sockets.on_disconnect

        def on_disconnect(sid: str, *_: Any) -> Any:
            callback(sid)
            return reflex_disconnects(sid)

        sockets.on_disconnect = on_disconnect  # type: ignore[method-assign]  # it has no other place to be told

    def bound(self, most: int) -> None:
        """Take no event from a tab that has `most` unfinished ones; to be called once events are processed.

        Reflex makes a task of each, whatever waits already. What is not taken has no answer: a message is sent again.
        A page is always loaded, as nobody would ask for it again; events that nothing handles would never be finished.
        """
        sockets, processor = self._app.event_namespace, self._app.event_processor
        if sockets is None:
            raise RuntimeError("The app has no states, and so no sockets.")
        handlers = RegistrationContext.get().event_handlers
        unfinished: Counter[str] = Counter()
        reflex_takes, reflex_queues = sockets.on_event, processor.enqueue

        async def on_event(sid: str, data: Any) -> None:
            name, waiting = _name_of(data), unfinished[sockets.sid_to_token.get(sid, "")]
            if name in handlers and (waiting < most or name.endswith(PAGE_LOAD)):
                await reflex_takes(sid, data)
            else:
                log.debug("An event was not taken from a tab with %d unfinished ones: %.100r", waiting, name)

        async def enqueue(token: str, event: Event, *more: Any, **options: Any) -> Any:
            future = await reflex_queues(token, event, *more, **options)
            if event.name in handlers:
                unfinished[token] += 1
                future.add_done_callback(lambda _: _one_less(unfinished, token))
            return future

        sockets.on_event = on_event  # type: ignore[method-assign]  # they have no other place to be bounded
        processor.enqueue = enqueue  # type: ignore[method-assign]

    async def emit(self, to: str, message: Update) -> None:
        """Send to a room of tabs, or to one tab by its sid; encoded once."""
        await self._sio.emit(EVENT, message, to=to, namespace=NAMESPACE)

    async def enter(self, sid: str, room: str) -> bool:
        """Put a tab into a room; False when the tab is gone (its reconnection runs its page's handlers again)."""
        if not self.connected(sid):
            return False
        await self._sio.enter_room(sid, room, namespace=NAMESPACE)
        return True

    async def leave(self, sid: str, room: str) -> None:
        """Take a tab out of a room; nothing happens where it was not in it."""
        await self._sio.leave_room(sid, room, namespace=NAMESPACE)

    async def leave_all(self, sid: str) -> None:
        """Take a tab out of every room but its own."""
        for room in self.rooms_of(sid):
            await self.leave(sid, room)

    def rooms_of(self, sid: str) -> list[str]:
        """The rooms a tab is in, but for its own."""
        return [room for room in self._sio.rooms(sid, namespace=NAMESPACE) if room != sid]

    def connected(self, sid: str) -> bool:
        return bool(self._sio.manager.is_connected(sid, NAMESPACE))

    def tabs(self, room: str) -> list[str]:
        """The sids in a room."""
        return [sid for sid, _ in self._sio.manager.get_participants(NAMESPACE, room)]

    def rooms(self, prefix: str) -> list[str]:
        """Names of the rooms that have tabs in them and start with `prefix`."""
        names = self._sio.manager.rooms.get(NAMESPACE, {})
        return [name for name in names if isinstance(name, str) and name.startswith(prefix)]


def _name_of(data: Any) -> str:
    """What an event from a socket is called; it may be anything."""
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else ""


def _one_less(unfinished: Counter[str], token: str) -> None:
    unfinished[token] -= 1
    if not unfinished[token]:
        del unfinished[token]


def check(declared: Any) -> None:
    """Raise RuntimeError where Reflex does not name vars and states as this module takes it."""
    state_js, _, key = str(declared).rpartition(".")
    if not key.endswith(SUFFIX) or state_js != declared._get_all_var_data().state.replace(".", "__"):
        raise RuntimeError(f"Reflex names vars in a way that shared vars do not know: {declared}")


_wire: Wire | None = None


def use(wire: Wire) -> None:
    """Make `wire` the process's own; done once, by the composition root."""
    global _wire  # noqa: PLW0603  # one per process, set once
    _wire = wire


def wire() -> Wire:
    """The process's wire to its tabs."""
    if _wire is None:
        raise RuntimeError("No app has been set up in this process.")
    return _wire
