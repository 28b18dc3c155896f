"""What a tab holds of messages: a window on the open room's messages, and what became of those it sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, cast
from uuid import UUID
from weakref import WeakValueDictionary

import reflex as rx
from pydantic import AfterValidator, StringConstraints
from typing_extensions import TypedDict

from chatapp import shared
from chatapp.errors import ChatError, Forbidden, Invalid, NotAMember, Unauthorized
from chatapp.gate import actor, handler
from chatapp.messages import actions, markdown
from chatapp.messages.emoji import is_large
from chatapp.messages.model import CLIENT_ID_LIMIT
from chatapp.messages.snapshots import MessageSnapshot, QuoteSnapshot, ReactionSnapshot
from chatapp.realtime.room import SLOTS, Applied, LiveRoom

ID_SHOWN = 13
"""Characters of a user's id that a reaction carries: 48 random bits tell a room's members apart, the rest is bytes."""

PIN_SHOWN = 200
"""Characters that the list of pinned messages shows of each."""

FRAME_MOST = 48 * 1024
"""Bytes of messages in one frame, where they are sent for one tab alone: some seconds' worth of a very slow link."""

PAGE_MOST = 128 * 1024
"""Bytes of messages in a page of history, or of a thread: where they are long, it has fewer."""

ROW_BYTES = 350
"""What a message takes on the wire beside its text, about."""

OUTCOMES = 20
"""Outcomes a tab remembers: more than anybody sends while one is on its way."""

FAILED = "Failed to send message"
FINAL = Invalid | NotAMember | Forbidden | Unauthorized
"""Refusals that trying again cannot change."""
Text = Annotated[Any, AfterValidator(str)]
"""Not `str`: pydantic refuses lone surrogates in its own words, the action says it in ours."""
ClientId = Annotated[str, StringConstraints(min_length=1, max_length=CLIENT_ID_LIMIT)]


class ReactionRow(TypedDict):
    """An emoji at a message. `users` are the beginnings of the ids of those who gave it, the first first."""

    emoji: str
    count: int
    users: list[str]


class QuoteRow(TypedDict):
    """What a message quotes, in plain words; `deleted` is there only where it was."""

    id: str
    seq: int
    user_id: str
    author: str
    content: str
    deleted: NotRequired[bool]


class Row(TypedDict):
    """A message as the browser gets it. What differs per viewer is decided there.

    What most messages don't have is left out: each of these goes to every tab in the room.
    """

    id: str
    seq: int
    rev: int
    room: str
    user_id: str
    client_id: str
    author: str
    content: str
    created_at: str
    html: NotRequired[str]
    """What it says, where that is more than its text."""
    large: NotRequired[bool]
    """It is a few emoji and nothing else."""
    edited: NotRequired[bool]
    deleted: NotRequired[bool]
    pinned: NotRequired[bool]
    reactions: NotRequired[list[ReactionRow]]
    quote: NotRequired[QuoteRow]
    replies: NotRequired[int]
    last_reply: NotRequired[str]
    parent: NotRequired[str]
    """Of a reply, which is shown in its thread alone: the thread's first message, and its number there."""
    reply_seq: NotRequired[int]


class Pin(TypedDict):
    """A pinned message as the list of them shows it: its words cut short, for the list is sent whole."""

    id: str
    seq: int
    user_id: str
    author: str
    content: str
    created_at: str


@dataclass(frozen=True)
class Window:
    """Which part of a room a tab shows: seqs from `first` to `last`, 0 meaning the live end.

    It is opened `at` a seq, 0 meaning the newest: at what is unread or, if `marked`, at a message that was asked for.
    That may be a reply: then at the beginning of its `thread`, which opens beside it at its `reply`-th reply.
    """

    room: str
    first: int
    last: int
    at: int = 0
    marked: bool = False
    thread: str = ""
    reply: int = 0


class Timeline(rx.State):
    """The messages of the open room, in as many slots as can be followed live; see `chatapp.shared`."""

    messages: list[Row] = []
    changed: dict[str, Row] = {}
    """For a tab far back in the history: rows that changed, by seq, to be laid over those it was sent. No two share a
    place: a change at one end must not take back what changed at the other.
    """
    pins: list[Pin] = []
    window: Window = Window("", 1, 0)
    newest: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt to send a message: `stored`, else why not, and whether trying again may help."""

    attempt: int
    stored: bool
    retry: bool = False
    message: str = ""


_turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
"""One for each person who is sending: handlers in the background overtake each other, a person's messages must not."""


class Composer(rx.State):
    """What became of the messages this tab has sent, by client_id."""

    outcomes: dict[str, Outcome] = {}

    _outcomes: tuple[tuple[str, Outcome], ...] = ()

    @handler
    async def send(  # noqa: PLR0917  # the browser gives them by name
        self,
        room_id: UUID,
        client_id: ClientId,
        content: Text,
        attempt: int = 0,
        author: UUID | None = None,
        parent: UUID | None = None,
        quote: UUID | None = None,
    ):
        """Post a message; the sender's id makes a repetition harmless, `attempt` tells the outcomes of two apart.

        `author` is who wrote it: another tab may have signed somebody else in before it was sent. It may be a reply to
        `parent`, or `quote` a message.
        """
        try:
            if author not in (None, actor().user_id):
                raise Unauthorized
            await _post_once(room_id, client_id, content, actions.Answer(parent, quote))
            outcome = Outcome(attempt, stored=True)
        except ChatError as refusal:
            outcome = Outcome(attempt, False, not isinstance(refusal, FINAL), refusal.message)
        async with self:
            self._remember(client_id, outcome)
        return None if outcome.stored else rx.toast.error(FAILED if outcome.retry else outcome.message)

    def _remember(self, client_id: str, outcome: Outcome) -> None:
        # Not read back from `outcomes`: Reflex hands out what is in a dict wrapped, to see it change, and storing that
        # would wrap it again with every message. It leaves tuples alone.
        others = (each for each in self._outcomes if each[0] != client_id)
        self._outcomes = (*others, (client_id, outcome))[-OUTCOMES:]
        self.outcomes = dict(self._outcomes)


_posting: dict[tuple[UUID, UUID, str], asyncio.Task[None]] = {}
"""Messages on their way to the database, by room, author and client_id."""


async def _post_once(room_id: UUID, client_id: str, content: Any, answer: actions.Answer = actions.NOTHING) -> None:
    """Post, or join the attempt that is on its way: outboxes that lose patience must not make a busy server busier."""
    key = (room_id, actor().user_id, client_id)
    if key not in _posting:
        _posting[key] = asyncio.create_task(_post_in_turn(room_id, client_id, content, answer), name="post")
        _posting[key].add_done_callback(lambda _: _posting.pop(key))
    await asyncio.shield(_posting[key])


async def _post_in_turn(room_id: UUID, client_id: str, content: Any, answer: actions.Answer) -> None:
    async with _turns.setdefault(actor().user_id, asyncio.Lock()):
        await actions.post(actor(), room_id, client_id, content, answer)


class MessageTools(rx.State):
    """What can be done to a message that is there. The room's tabs hear of it as of any other change."""

    @handler
    async def edit(self, message_id: UUID, content: Text):
        """Change what a message of mine says. Its tabs hear of a change; of none, only the one that waits for it."""
        return None if await actions.edit(actor(), message_id, content) else _unchanged(message_id)

    @handler
    async def delete(self, message_id: UUID):
        """Leave a tombstone of it."""
        await actions.delete(actor(), message_id)

    @handler
    async def pin(self, message_id: UUID, pinned: bool):
        """Put it on the room's list of pinned messages, or take it off."""
        await actions.pin(actor(), message_id, pinned)


def _unchanged(message_id: UUID) -> Any:
    """For the browser that edited a message into what it says already; see assets/changes.js."""
    return rx.call_script(f"window.dispatchEvent(new CustomEvent('chatapp:unchanged', {{detail: '{message_id}'}}))")


MESSAGES = shared.Shared(Timeline.messages, SLOTS)
CHANGED = shared.Shared(Timeline.changed)
PINS = shared.Shared(Timeline.pins)
WINDOW = shared.Shared(Timeline.window)
NEWEST = shared.Shared(Timeline.newest)


def opened(room: LiveRoom, window: Window, rows: Sequence[MessageSnapshot]) -> list[Any]:
    """What a tab that opens a room is sent."""
    return [*page(room, window, rows), *head(room), PINS.at(0, pins(room))]


def page(room: LiveRoom, window: Window, rows: Sequence[MessageSnapshot]) -> list[Any]:
    """What a tab that reads on is sent: another page, and the window that it now shows."""
    return [*_slots(room, rows), WINDOW.at(0, window)]


def newest_within(rows: Sequence[MessageSnapshot], most: int) -> Sequence[MessageSnapshot]:
    """As many of the last rows as `most` bytes hold, one at least; `rows` are in order of seq."""
    left = most
    for index in range(len(rows) - 1, -1, -1):
        left -= _bytes(rows[index])
        if left < 0:
            return rows[min(index + 1, len(rows) - 1) :]
    return rows


def oldest_within(rows: Sequence[MessageSnapshot], most: int) -> Sequence[MessageSnapshot]:
    """The same of the first rows."""
    return newest_within(rows[::-1], most)[::-1]


def around(rows: Sequence[MessageSnapshot], seq: int, most: int) -> Sequence[MessageSnapshot]:
    """As many rows up to `seq` and after it as `most` bytes hold."""
    upto = sum(row.seq <= seq for row in rows)
    return [*newest_within(rows[:upto], most // 2), *oldest_within(rows[upto:], most // 2)]


def frames(room: LiveRoom, rows: Sequence[MessageSnapshot]) -> tuple[list[list[Any]], Sequence[MessageSnapshot]]:
    """What goes ahead in frames of its own, and the rows that are left: so that no frame is large.

    A browser does not know of half a frame: on a slow link a large one looks like a dead connection.
    """
    *ahead, left = parts(rows)
    return [_slots(room, part) for part in ahead], left


def parts(rows: Sequence[MessageSnapshot]) -> Iterator[Sequence[MessageSnapshot]]:
    """Rows in parts that fit a frame each, the last rows first; one at least, however few there are."""
    while len(last := newest_within(rows, FRAME_MOST)) < len(rows):
        yield last
        rows = rows[: -len(last)]
    yield rows


def _bytes(message: MessageSnapshot) -> int:
    """About what a row takes on the wire."""
    said = message.content + markdown.html(message.content, message.mentions)
    return ROW_BYTES + len(said) * (1 if said.isascii() else 3)


def changed(room: LiveRoom, applied: Applied) -> list[Any]:
    """What every tab at the live end is sent. A row below the floor would take a newer one's slot."""
    rows = tuple(row for row in applied.rows if row.seq >= room.floor)
    pinned = [PINS.at(0, pins(room))] if applied.pins else []
    return [*_slots(room, rows), *(head(room) if rows else ()), *pinned]


def changed_behind(room: LiveRoom, applied: Applied) -> list[Any]:
    """What a tab far back in the history is sent: the slots hold rows of its own, so what changed comes beside them."""
    pinned = [PINS.at(0, pins(room))] if applied.pins else []
    own = (each for each in applied.changed if not each.parent_id)
    return [*head(room), *(CHANGED.keyed(str(each.seq), row(room, each)) for each in own), *pinned]


def head(room: LiveRoom) -> list[Any]:
    """What a tab far back in the history is told."""
    return [NEWEST.at(0, room.newest)]


def row(room: LiveRoom, message: MessageSnapshot) -> Row:
    """A message in the browser's form: short, since it is sent to every tab."""
    usual = {
        "id": message.id,
        "seq": message.seq,
        "rev": message.rev,
        "room": str(room.id)[:8],
        "user_id": message.user_id,
        "client_id": message.client_id,
        "author": message.author,
        "content": message.content,
        "created_at": message.created_at,
    }
    few = {
        "html": markdown.html(message.content, message.mentions),
        "large": is_large(message.content),
        "edited": bool(message.edited_at),
        "deleted": message.deleted,
        "pinned": message.pinned,
        "reactions": [_reaction(reaction) for reaction in message.reactions],
        "quote": message.quote and _quote(message.quote),
        "replies": message.replies,
        "last_reply": message.last_reply_at,
        "parent": message.parent_id,
        "reply_seq": message.reply_seq,
    }
    return cast("Row", {**usual, **{name: value for name, value in few.items() if value}})  # what is empty isn't sent


def pins(room: LiveRoom) -> list[Pin]:
    """The room's pinned messages, the last pinned first."""
    pinned: list[MessageSnapshot] = sorted(room.pins.values(), key=lambda each: each.pinned_at, reverse=True)
    return [_pin(message) for message in pinned]


def _pin(message: MessageSnapshot) -> Pin:
    return {
        "id": message.id,
        "seq": message.seq,
        "user_id": message.user_id,
        "author": message.author,
        "content": markdown.plain(message.content, message.mentions)[:PIN_SHOWN],
        "created_at": message.created_at,
    }


def _reaction(reaction: ReactionSnapshot) -> ReactionRow:
    users = [user_id[:ID_SHOWN] for user_id in reaction.users]
    return {"emoji": reaction.emoji, "count": reaction.count, "users": users}


def _quote(quote: QuoteSnapshot) -> QuoteRow:
    made: QuoteRow = {
        "id": quote.id,
        "seq": quote.seq,
        "user_id": quote.user_id,
        "author": quote.author,
        "content": markdown.plain(quote.content),
    }
    if quote.deleted:
        made["deleted"] = True
    return made


def _slots(room: LiveRoom, rows: Sequence[MessageSnapshot]) -> list[Any]:
    """Replies have a seq and no slot: they go to the tabs that show their thread (chatapp.threads)."""
    return [MESSAGES.at(message.seq, row(room, message)) for message in rows if not message.parent_id]
