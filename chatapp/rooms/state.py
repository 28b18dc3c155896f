"""What a tab holds of rooms: the list of mine, the open one with its members, and the dialogs around them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID
from weakref import WeakValueDictionary

import reflex as rx
from pydantic import StringConstraints
from typing_extensions import TypedDict

from chatapp import shared
from chatapp.accounts import sessions
from chatapp.actor import Actor
from chatapp.asking import Asking
from chatapp.gate import actor, handler
from chatapp.patience import patiently
from chatapp.realtime import heads, topic
from chatapp.realtime.room import Applied, LiveRoom
from chatapp.rooms import actions, queries
from chatapp.rooms.snapshots import Head, Mark, MemberSnapshot, RoomSnapshot

Field = Annotated[str, StringConstraints(max_length=1000)]
Role = Literal["owner", "admin", "member"]


class NewRoom(TypedDict, total=False):
    """The form of the dialog `New room`; a switch that is off sends nothing."""

    name: Field
    description: Field
    private: Field


class RoomTexts(TypedDict, total=False):
    """The form of the dialog `Room settings`."""

    name: Field
    description: Field


class RoomList(rx.State):
    """The rooms I am in, by last activity. All tabs of a person share one list."""

    rooms: list[RoomSnapshot] = []
    heads: dict[str, Head] = {}
    """How far each room is by now, by its id: what is said changes no list."""
    marks: dict[str, list[int]] = {}
    """My read marker in each room by now, as [seq, turn], by its id."""
    mentions: dict[str, list[int]] = {}
    """The messages that mentioned me lately, by the room's id: those beyond my marker are unread mentions."""
    people: dict[str, str] = {}
    """Whether those I write to directly are `online`, `away` or, with "", neither, by their id."""


class OpenRoom(rx.State):
    """The room this tab shows. Everybody in it shares these."""

    room: RoomSnapshot | None = None
    members: list[MemberSnapshot] = []

    @handler
    async def join(self, room_id: UUID):
        """Become a member of a public room and go there."""
        await actions.join(actor(), room_id)
        return rx.redirect(f"/chat/{room_id}")

    @handler
    async def leave(self, room_id: UUID):
        """Stop being a member. Every tab of mine that shows the room closes it."""
        await actions.leave(actor(), room_id)
        return rx.redirect("/chat")


class CreateRoom(Asking, rx.State):
    """The dialog `New room`."""

    @handler
    async def create(self, form: NewRoom):
        """Make the room with me as its owner, and go there."""
        texts = (form.get("name", ""), form.get("description", ""))
        room = await self._ask(actions.create_room(actor(), *texts, bool(form.get("private"))))
        return rx.redirect(f"/chat/{room.id}") if room else None


class RunRoom(Asking, rx.State):
    """The dialog `Room settings`, and what else whoever runs a room may do. Its tabs hear of it as of any change."""

    @handler
    async def describe(self, room_id: UUID, form: RoomTexts):
        """Give the room another name and description."""
        await self._ask(actions.describe(actor(), room_id, form.get("name", ""), form.get("description", "")))

    @handler
    async def archive(self, room_id: UUID, archived: bool):
        """Make the room stand still, or move again."""
        await actions.archive(actor(), room_id, archived)
        async with self:
            self.shown = False

    @handler
    async def delete(self, room_id: UUID):
        """Delete the room; everybody's tabs close it."""
        await actions.delete_room(actor(), room_id)
        async with self:
            self.shown = False
        return rx.redirect("/chat", replace=True)

    @handler
    async def change_role(self, room_id: UUID, user_id: UUID, role: Role):
        """Make a member admin or member; as `owner`, hand the room over."""
        await actions.change_role(actor(), room_id, user_id, role)

    @handler
    async def remove(self, room_id: UUID, user_id: UUID):
        """Take somebody out of the room; their tabs close it."""
        await actions.remove_member(actor(), room_id, user_id)


class BrowseRooms(rx.State):
    """Public rooms that I am not in yet."""

    found: list[RoomSnapshot] = []
    loading: bool = True
    search: str = ""

    @handler(page=True)
    async def load(self):
        """The page opens."""
        async with self:
            self.search, self.loading = "", True
        await self._find("")

    @handler
    async def look_for(self, search: Field):
        """By a part of the name or the description."""
        async with self:
            self.search = search
        await self._find(search)

    async def _find(self, search: str) -> None:
        found = await queries.browse(actor(), search)
        async with self:
            if self.search == search:  # a slower answer to an older question does not overwrite a newer one
                self.found, self.loading = list(found), False


ROOMS = shared.Shared(RoomList.rooms)
HEADS = shared.Shared(RoomList.heads)
MARKS = shared.Shared(RoomList.marks)
MENTIONS = shared.Shared(RoomList.mentions)
PEOPLE = shared.Shared(RoomList.people)
ROOM = shared.Shared(OpenRoom.room)
MEMBERS = shared.Shared(OpenRoom.members)


PEOPLE_MOST = 100
"""People whose presence a list shows: those last written with."""

COMPARED_AT_ONCE = 50
"""People whose lists one query reads for a comparison at most."""

_sent: dict[UUID, int] = {}
"""Of everybody here what their list said when it was last sent, but for what goes out beside it."""

_turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()


async def follow_list(sid: str) -> None:
    """Subscribe, then load: the list is sent again whenever a membership or a room of the caller's changes."""
    if sessions.ended(actor().session_id):  # while this waited: nothing more is for this tab
        return
    if await shared.wire().enter(sid, topic.user(actor().user_id)):
        await patiently(lambda: send_list(actor(), to=sid))


async def send_list(whose: Actor, to: str) -> None:
    """Read a person's rooms once and send them to one tab or to all tabs of theirs."""
    turn = _turns.setdefault(whose.user_id, asyncio.Lock())
    async with turn:  # an older list must not be sent after a newer one
        with heads.heard():
            rooms, mentions = await asyncio.gather(queries.my_rooms(whose), queries.mentions_of(whose.user_id))
            if whose.session_id and sessions.ended(whose.session_id):  # judged last, after all waiting
                return
            listing = _listing(rooms)
            if _sent.get(whose.user_id, listing) != listing:
                to = topic.user(whose.user_id)  # their other tabs have missed something
            _sent[whose.user_id] = listing
            tabs = shared.wire().tabs(to)
            # From here on nothing suspends: being told of these rooms and having them is one step.
            people = _written_with(rooms)
            for sid in tabs:
                await _follow(sid, {room.id for room in rooms}, people)
            # Also where there are none: a tab may have heard of some that were taken back while it heard nothing.
            mentioned = (_mentions(room.id, mentions.get(UUID(room.id), ())) for room in rooms)
            there = (_presence(person) for person in people)
            await shared.wire().emit(to, shared.update(ROOMS.at(0, list(rooms)), *mentioned, *there))


async def tell_mentions(user_id: UUID, rooms: Mapping[UUID, int]) -> set[UUID]:
    """Tell all tabs of a person where they are mentioned in these rooms now.

    Answers those where the newest is not yet as far as the given seq, for what is announced may be read a moment later.
    """
    async with _turns.setdefault(user_id, asyncio.Lock()):  # what was read earlier must not be sent later
        found = await queries.mentions_of(user_id)
        values = [_mentions(str(room_id), found.get(room_id, ())) for room_id in rooms]
        await shared.wire().emit(topic.user(user_id), shared.update(*values))
    return {room_id for room_id, seq in rooms.items() if max(found.get(room_id, (0,))) < seq}


_status: Callable[[str], str] = lambda _: ""  # noqa: E731  # until the process serves


def use(status: Callable[[str], str]) -> None:
    """Say where a person's presence is known; done once, when the process starts to serve."""
    global _status  # noqa: PLW0603  # one per process, set once
    _status = status


async def tell_people(people: Iterable[str]) -> None:
    """Tell the lists that show whether these people are there: once a person, whoever looks."""
    for person in people:
        if shared.wire().tabs(topic.person(person)):
            await shared.wire().emit(topic.person(person), shared.update(_presence(person)))


def _presence(person: str) -> Any:
    return PEOPLE.keyed(person, _status(person))


def _written_with(rooms: Iterable[RoomSnapshot]) -> list[str]:
    """The other in each direct message of two, the last active first."""
    return [room.others[0].id for room in rooms if len(room.others) == 1][:PEOPLE_MOST]


def _mentions(room_id: str, seqs: tuple[int, ...]) -> Any:
    return MENTIONS.keyed(room_id, list(seqs))


async def outdated(people: set[UUID]) -> set[UUID]:
    """Those of these people whose list would say something else now; others' are forgotten. Raises Unavailable."""
    for gone in _sent.keys() - people:
        del _sent[gone]
    asked, found = list(_sent), set[UUID]()
    for start in range(0, len(asked), COMPARED_AT_ONCE):
        some = asked[start : start + COMPARED_AT_ONCE]
        now = await queries.listings(some)
        found.update(user_id for user_id in some if _sent.get(user_id) not in (None, _listing(now[user_id])))
    return found


def _listing(rooms: Iterable[RoomSnapshot]) -> int:
    """What a list says that is news only by being sent again: neither how far its rooms are nor how much is read."""
    said = (
        (room.id, room.name, room.description, room.is_private, room.role, room.archived, room.others) for room in rooms
    )
    return hash(frozenset(said))


async def _follow(sid: str, room_ids: set[str], people: Iterable[str]) -> None:
    """Have a tab told how far these rooms are, and of no others; of the one it shows it is told everything.

    And whether these people are there, and no others.
    """
    names = shared.wire().rooms_of(sid)
    shown = {name.split(":")[1] for name in names if name.startswith("room:")}
    wanted = {topic.listed(room_id) for room_id in room_ids - shown} | set(map(topic.person, people))
    for name in names:
        if name.startswith((topic.LISTED, topic.PERSON)) and name not in wanted:
            await shared.wire().leave(sid, name)
    for name in wanted.difference(names):
        await shared.wire().enter(sid, name)


def listed() -> set[UUID]:
    """The rooms on some list here, but for those that every such tab shows."""
    return {UUID(name.removeprefix(topic.LISTED)) for name in shared.wire().rooms(topic.LISTED)}


async def tell_head(room_id: UUID, head: Head) -> None:
    """Tell every list that holds a room how far it is."""
    await shared.wire().emit(topic.listed(room_id), shared.update(told_head(room_id, head)))


async def tell_marks(user_id: UUID, marks: Iterable[Mark], but: str = "") -> None:
    """Tell a person's tabs where their read markers are now: all, or all but the one that has moved them."""
    update = shared.update(*(MARKS.keyed(str(mark.room_id), [mark.seq, mark.turn]) for mark in marks))
    name = topic.user(user_id)
    tabs = shared.wire().tabs(name) if but else []
    for to in [sid for sid in tabs if sid != but] if but in tabs else [name]:
        await shared.wire().emit(to, update)


def told_head(room_id: UUID, head: Head) -> Any:
    """What a list is told of how far a room is."""
    return HEADS.keyed(str(room_id), head)


def head_of(room: LiveRoom) -> Head:
    """How far a room is that is followed here, as of its last catch-up."""
    newest = room.rows.get(room.newest)
    return Head(room.newest, newest.created_at if newest else "")


def opened(room: LiveRoom) -> list[Any]:
    """What a tab that opens a room is sent of it."""
    return [ROOM.at(0, room.info), MEMBERS.at(0, list(room.members))]


def changed(applied: Applied) -> list[Any]:
    """What every tab in a room is sent when the room or its members have changed."""
    room = [ROOM.at(0, applied.room)] if applied.room is not None else []
    members = [MEMBERS.at(0, list(applied.members))] if applied.members is not None else []
    return [*room, *members]
