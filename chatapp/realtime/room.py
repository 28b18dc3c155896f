"""What this process knows of one open room: its newest rows, its members, and the rev it has applied."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

SLOTS = 512
"""Rows of a room that can be followed live at most; older ones are read on request and are not kept."""


class Row(Protocol):
    """A message as the hub needs it: `seq` is its fixed place, `rev` the room's rev at its last change."""

    @property
    def seq(self) -> int: ...
    @property
    def rev(self) -> int: ...
    @property
    def pinned(self) -> bool: ...


class Member(Protocol):
    """A person in the room, as the hub needs them."""

    @property
    def id(self) -> str: ...


class Changes(Protocol):
    """What is above a cursor, as one catch-up query answers it.

    `rev` is the cursor reached, `more` whether the query stopped short of the room's rev; `members` is None when
    nobody came, went or changed, and may be cut short for display; `member_ids` are all of them. `room` holds only
    what is the same for every viewer. `pinned` are the pinned messages where everything was read.
    """

    @property
    def rev(self) -> int: ...
    @property
    def more(self) -> bool: ...
    @property
    def last_seq(self) -> int: ...
    @property
    def room(self) -> Any: ...
    @property
    def members(self) -> Sequence[Any] | None: ...
    @property
    def member_ids(self) -> frozenset[str] | None: ...
    @property
    def messages(self) -> Sequence[Any]: ...
    @property
    def pinned(self) -> Sequence[Any]: ...
    @property
    def gone(self) -> bool: ...


@dataclass(frozen=True)
class Applied:
    """What a catch-up changed here, for the tabs to be told."""

    rows: tuple[Any, ...] = ()
    changed: tuple[Any, ...] = ()
    """Those of `rows` that are no news by themselves: they had been said before."""
    members: tuple[Any, ...] | None = None
    room: Any | None = None
    pins: bool = False
    removed: frozenset[str] = frozenset()
    gone: bool = False

    def __bool__(self) -> bool:
        return bool(self.rows or self.members is not None or self.room is not None or self.removed or self.gone)


@dataclass
class LiveRoom:
    """Cache of one room. Applying is idempotent: rows are placed by `seq` and an older `rev` never wins.

    `announced` is the highest rev that a hint spoke of, while it is above the cursor.
    """

    id: UUID
    cursor: int = -1
    announced: int = 0
    newest: int = 0
    info: Any = None
    members: tuple[Any, ...] = ()
    member_ids: frozenset[str] = frozenset()
    rows: dict[int, Any] = field(default_factory=dict)
    pins: dict[int, Any] = field(default_factory=dict)
    gone: bool = False
    touched: float = field(default_factory=time.monotonic)

    @property
    def loaded(self) -> bool:
        return self.cursor >= 0

    @property
    def floor(self) -> int:
        """Lowest seq that can still be followed live."""
        return max(1, self.newest - SLOTS + 1)

    def has_member(self, user_id: UUID | str) -> bool:
        """Whether somebody is in the room, as of the cursor."""
        return not self.gone and str(user_id) in self.member_ids

    def apply(self, changes: Changes) -> Applied:
        """Take over a catch-up; answers what the room's tabs have to be told."""
        if changes.gone:
            self.gone = True
            return Applied(gone=True, removed=self.member_ids)
        known = self.newest
        self.cursor = max(self.cursor, changes.rev)
        self.newest = max(self.newest, changes.last_seq)
        # All of them are told, also those that a page has brought here before: only its reader was given that.
        rows = self.merge(changes.messages)
        pins = self._take_pins((*changes.pinned, *rows))
        old = tuple(row for row in rows if row.seq <= known)
        return Applied(rows, old, room=self._take_info(changes), pins=pins, **self._take_members(changes))

    def merge(self, rows: Iterable[Any]) -> tuple[Any, ...]:
        """Cache rows that can be followed live; answers the newest known form of each, in order of seq.

        A page read from the database may be older than a change that overtook it, so what is known wins by rev.
        """
        merged = sorted((self._newer(row) for row in rows), key=lambda row: row.seq)
        self.rows.update((row.seq, row) for row in merged if row.seq >= self.floor)
        self._trim()
        return tuple(merged)

    def holds(self, first: int) -> bool:
        """Whether every row from `first` to the newest is cached."""
        return all(seq in self.rows for seq in range(max(first, 1), self.newest + 1))

    def window(self, first: int) -> tuple[Any, ...]:
        """The cached rows from `first` on, in order of seq."""
        return tuple(self.rows[seq] for seq in range(max(first, 1), self.newest + 1) if seq in self.rows)

    def _newer(self, row: Any) -> Any:
        known = self.rows.get(row.seq)
        return known if known is not None and known.rev >= row.rev else row

    def _take_info(self, changes: Changes) -> Any | None:
        if changes.room is None or changes.room == self.info:
            return None
        self.info = changes.room
        return self.info

    def _take_pins(self, rows: Iterable[Any]) -> bool:
        """Keep the pinned rows, wherever in the history they are; answers whether what is pinned has changed."""
        before = dict(self.pins)
        for row in rows:
            known = self.pins.pop(row.seq, None)
            newest = row if known is None or row.rev >= known.rev else known
            if newest.pinned:
                self.pins[row.seq] = newest
        return self.pins != before

    def _take_members(self, changes: Changes) -> dict[str, Any]:
        if changes.members is None or changes.member_ids is None:
            return {}
        removed = self.member_ids - changes.member_ids
        self.members, self.member_ids = tuple(changes.members), changes.member_ids
        return {"members": self.members, "removed": removed}

    def _trim(self) -> None:
        if len(self.rows) > SLOTS:
            self.rows = {seq: row for seq, row in self.rows.items() if seq >= self.floor}
