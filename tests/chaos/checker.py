"""What must hold of everything that was sent, seen and stored. Pure: it is given facts and answers faults.

It knows nothing of how the product delivers, so that no mistake of the product can be repeated here. It is checked
itself: `test_checker.py` breaks delivery in every listed way and expects it to notice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

LEAST_SHOWN = 50
"""Newest messages that a tab shows at the least: the page that opening a room brings."""

TAG = 8
"""Characters of a room's id by which a row on the wire names its room: the shortest trace of a room in a frame."""


@dataclass(frozen=True)
class Message:
    """A message as the database has it, or as a tab shows it. `reactions` is None where nobody tells."""

    seq: int
    rev: int
    user_id: str
    client_id: str
    content: str
    edited: bool
    deleted: bool
    reactions: str | None = None


@dataclass(frozen=True)
class Fault:
    """One thing that must not be: what `kind` of wrong, `where` it was seen, and `what` exactly."""

    kind: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.where}: {self.what}"


@dataclass(frozen=True)
class Sent:
    """What a person sent: where to, under which id, and whether they were told that it is stored."""

    room: str
    user_id: str
    client_id: str
    content: str
    confirmed: bool


def check_sends(sends: Iterable[Sent], stored: Mapping[str, Sequence[Message]]) -> list[Fault]:
    """Every message that was sent is stored, once, with its text, and its sender knows. `stored` is by room."""
    rows = {room: Counter((row.user_id, row.client_id) for row in messages) for room, messages in stored.items()}
    contents = {(room, row.user_id, row.client_id): row for room, messages in stored.items() for row in messages}
    faults = []
    for sent in sends:
        times = rows.get(sent.room, Counter())[sent.user_id, sent.client_id]
        row = contents.get((sent.room, sent.user_id, sent.client_id))
        if times != 1:
            faults.append(Fault("lost" if times == 0 else "doubled", sent.room, f"{sent.content!r} has {times} rows"))
        elif row and row.content != sent.content and not (row.edited or row.deleted):
            faults.append(Fault("wrong", sent.room, f"{sent.content!r} is stored as {row.content!r}"))
        if not sent.confirmed:
            faults.append(Fault("unconfirmed", sent.room, f"{sent.content!r}: its sender was never told"))
    return faults


def check_numbers(room: str, stored: Sequence[Message]) -> list[Fault]:
    """The room's messages are numbered from 1 without a hole, and no two changes share a rev."""
    seqs, revs = sorted(row.seq for row in stored), Counter(row.rev for row in stored)
    faults = [Fault("doubled", room, f"rev {rev} is {times} messages'") for rev, times in revs.items() if times > 1]
    if seqs != list(range(1, len(seqs) + 1)):
        faults.append(Fault("hole", room, f"{len(seqs)} messages are numbered {seqs[:1]} to {seqs[-1:]}"))
    return faults


def check_view(where: str, view: Sequence[Message], stored: Sequence[Message]) -> list[Fault]:
    """What a tab at the live end shows, from top to bottom, is the end of what is stored, in its order.

    `view` is in the order of the screen, `stored` in any.
    """
    expected = sorted(stored, key=lambda row: row.seq)
    tail = expected[-len(view) :] if view else []
    if len(view) < min(LEAST_SHOWN, len(expected)):
        return [Fault("missing", where, f"shows {len(view)} of {len(expected)} messages")]
    if [_plain(row) for row in view] == [_plain(row) for row in tail]:
        return _reactions(where, view, tail)
    return _differences(where, view, tail) or [Fault("order", where, "the right messages stand in another order")]


class Watch:
    """Looks at one tab's rows as they arrive, and keeps what may not happen even for a moment."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._newest: dict[tuple[str, int], tuple[int, str]] = {}
        self.faults: list[Fault] = []

    def row(self, row: Mapping[str, Any]) -> None:
        """A row came: a message never goes back to an older rev, and nobody else takes its place."""
        place = (row["room"], row["seq"])
        rev, client_id = self._newest.get(place, (0, row["client_id"]))
        if row["rev"] < rev:
            self.faults.append(Fault("back", self._where, f"seq {row['seq']} went from rev {rev} to {row['rev']}"))
        if row["client_id"] != client_id:
            self.faults.append(Fault("place", self._where, f"seq {row['seq']} became another message"))
        self._newest[place] = (row["rev"], row["client_id"])

    def forget(self) -> None:
        """Of what was seen, keep the faults only."""
        self._newest.clear()


def check_silence(where: str, frames: Iterable[str], room: str, secrets: Iterable[str], closed: int) -> list[Fault]:
    """A removed member's socket: `frames` from the removal's commit on, `closed` is the index of the closing one.

    Not one of `secrets`, said after the removal, may be in any frame; after the closing one no trace of the room.
    """
    frames = list(frames)
    said = [Fault("leak", where, f"was told {text!r}") for text in secrets if any(text in frame for frame in frames)]
    traces = [
        Fault("leak", where, f"heard of the room: {frame[:200]}")
        for frame in frames[closed + 1 :]
        if room[:TAG] in frame
    ]
    return [*said, *traces]


def _plain(row: Message) -> Message:
    return replace(row, reactions=None)


def _differences(where: str, view: Sequence[Message], tail: Sequence[Message]) -> list[Fault]:
    shown, wanted = Counter(row.seq for row in view), {row.seq: row for row in tail}
    faults = [Fault("doubled", where, f"seq {seq} is shown {times} times") for seq, times in shown.items() if times > 1]
    faults += [Fault("missing", where, f"seq {seq} is not shown") for seq in wanted if seq not in shown]
    for row in view:
        if row.seq not in wanted:
            faults.append(Fault("foreign", where, f"seq {row.seq} is shown and not there"))
        elif _plain(row) != _plain(wanted[row.seq]):
            faults.append(Fault("stale", where, f"shows {_plain(row)} instead of {_plain(wanted[row.seq])}"))
    return faults


def _reactions(where: str, view: Sequence[Message], tail: Sequence[Message]) -> list[Fault]:
    return [
        Fault("stale", where, f"seq {row.seq} shows reactions {row.reactions} instead of {wanted.reactions}")
        for row, wanted in zip(view, tail, strict=True)
        if row.reactions is not None and wanted.reactions is not None and row.reactions != wanted.reactions
    ]
