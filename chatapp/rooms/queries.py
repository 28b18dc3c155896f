"""Reads about rooms and members.

A room is looked up through the actor's memberships: not theirs and not there are one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, any_, bindparam, true
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased, undefer
from sqlmodel import case, col, func, or_, select
from sqlmodel.sql.expression import Select

from chatapp.accounts.model import Profile
from chatapp.accounts.snapshots import Status, colour, initials, iso
from chatapp.actor import SYSTEM, Actor
from chatapp.db import Question, at_once, transaction
from chatapp.errors import NotFound
from chatapp.rooms.model import Membership, Room
from chatapp.rooms.snapshots import DIRECT, Head, Mark, MemberSnapshot, PersonSnapshot, RoomSnapshot
from chatapp.together import Together

BROWSE_LIMIT = 50
MEMBERS_LIMIT = 1000
ROOMS_LIMIT = 1000
LISTS_AT_ONCE = 50
"""People whose lists one query reads at most."""
NOBODY_ELSE = "Deleted account"
"""The name of a direct message whose other people have no account any more."""


async def my_rooms(actor: Actor) -> tuple[RoomSnapshot, ...]:
    """Return the rooms the actor is in, the last active first; not what others began to write to them, and did not."""
    return await _lists.ask(actor.user_id) or ()


async def heads(room_ids: Iterable[UUID]) -> dict[UUID, Head]:
    """Return how far each room is. Read by the process itself, for lists of people who are in it."""
    [rows] = await at_once(SYSTEM, _HEADS(rooms=list(room_ids)))
    return {room_id: Head(last_seq, iso(moment)) for room_id, last_seq, moment in rows}


async def listings(user_ids: Sequence[UUID]) -> dict[UUID, tuple[RoomSnapshot, ...]]:
    """Return what `my_rooms` does for each of these people. Read by the process itself, to compare."""
    return {**dict.fromkeys(user_ids, ()), **await _lists_of(user_ids)}


async def marks(room_ids: Iterable[UUID], user_ids: Iterable[UUID]) -> tuple[Mark, ...]:
    """Return these people's read markers in these rooms. Read by the process itself, for each person's own tabs."""
    [rows] = await at_once(SYSTEM, _MARKS(rooms=list(room_ids), people=list(user_ids)))
    return tuple(Mark(*row) for row in rows)


async def mentions_of(user_id: UUID) -> dict[UUID, tuple[int, ...]]:
    """Return where others have mentioned somebody lately: by room, the seqs of the newest messages that do.

    Read by the process itself, for that person's own tabs.
    """
    return await _mentions.ask(user_id) or {}


async def room(actor: Actor, room_id: UUID) -> RoomSnapshot:
    """Return a room the actor is in. Raises NotFound for any other, there or not."""
    async with transaction(actor) as session:
        found = (await session.exec(_MY_ROOM, params={"room": room_id})).all()
    named = await _with_names(actor.user_id, tuple(map(_mine, found)))
    if not named:
        raise NotFound
    return named[0]


async def members(actor: Actor, room_id: UUID) -> tuple[MemberSnapshot, ...]:
    """Return who is in a room of the actor's, the owner first. Raises NotFound for any other room."""
    async with transaction(actor) as session:
        if await session.get(Membership, (room_id, actor.user_id)) is None:
            raise NotFound
    async with transaction(SYSTEM) as session:  # people may not read when somebody was last here; a room shows it
        rows = (await session.exec(members_of(room_id))).all()
    return tuple(member_snapshot(member, person) for member, person in rows)


async def browse(actor: Actor, search: str = "", limit: int = BROWSE_LIMIT) -> tuple[RoomSnapshot, ...]:
    """Return public rooms the actor isn't in, those with most members first; `search` is a part of name or
    description.
    """
    mine = select(col(Membership.room_id)).where(col(Membership.user_id) == actor.user_id)
    wanted = select(Room).where(
        ~col(Room.is_private), col(Room.archived_at).is_(None), col(Room.id).not_in(mine), _looks_like(search)
    )
    async with transaction(actor) as session:
        rows = await session.exec(wanted.order_by(col(Room.member_count).desc(), col(Room.id)).limit(limit))
        return tuple(room_snapshot(found) for found in rows)


def members_of(room_id: UUID) -> Select[Membership, Profile]:
    """Return the statement that reads a room's members with their profiles, the owner first: for the process itself."""
    rank = case({"owner": 0, "admin": 1}, value=col(Membership.role), else_=2)
    joined = select(Membership, Profile).join(Profile, col(Profile.id) == col(Membership.user_id))
    in_room = joined.where(col(Membership.room_id) == room_id)
    ranked = in_room.order_by(rank, func.lower(col(Profile.name)), col(Profile.id)).limit(MEMBERS_LIMIT)
    return ranked.options(undefer(Profile.last_seen_at))  # type: ignore[arg-type]  # SQLModel shows columns as their values


def room_snapshot(room: Any, role: str = "", read_seq: int = 0, read_turn: int = 0) -> RoomSnapshot:
    """Return a room, or a row of its columns, as a member sees it, or as anybody does."""
    return RoomSnapshot(
        id=str(room.id),
        name=room.name,
        description=room.description,
        is_private=room.is_private,
        role=role,
        last_seq=room.last_seq,
        read_seq=read_seq,
        last_message_at=iso(room.last_message_at),
        members=room.member_count,
        read_turn=read_turn,
        created_at=iso(room.created_at),
        archived=room.archived_at is not None,
        kind=room.kind,
    )


def member_snapshot(member: Membership, person: Profile) -> MemberSnapshot:
    """Return a member with what their profile shows."""
    says = Status.of(person.status_emoji, person.status_text, person.status_until)
    return MemberSnapshot(
        id=str(person.id),
        name=person.name,
        avatar_url=person.avatar_url or "",
        initials=initials(person.name),
        colour=colour(person.id),
        role=member.role,
        joined_at=iso(member.joined_at),
        last_seen_at=iso(person.last_seen_at),
        status=says if says.emoji or says.text else None,
    )


def _shown() -> Any:
    """What a snapshot shows of a room. Rows: entities cost twice the time, and so does what nobody reads."""
    room: Any = Room.__table__  # type: ignore[attr-defined]  # every model has it
    return select_columns(*(each for each in room.c if each.name not in _UNSEEN))


_UNSEEN = {"rev", "members_rev", "past_turn", "direct_key"}


def _of_mine() -> Any:
    """The statement that reads my rooms with role and marker, and its parts."""
    # The tables show markers to nobody; the function shows me mine, and what is unread is a subtraction away.
    mine = func.private.my_memberships().table_valued("room_id", "role", "read_seq", "read_turn")
    # Each looked up by its key: left to itself, the planner reads all rooms there are once there are a few of mine.
    found = _shown().where(col(Room.id) == mine.c.room_id).limit(1).lateral("room")
    wanted = select_columns(*found.c, mine.c.role, mine.c.read_seq, mine.c.read_turn)
    return wanted.select_from(mine).join(found, true()), found, mine


async def _with_names(person: UUID, rooms: Sequence[RoomSnapshot]) -> tuple[RoomSnapshot, ...]:
    """Give direct messages the names of the others. Asked only where there are any."""
    if all(each.kind != DIRECT for each in rooms):
        return tuple(rooms)
    [rows] = await at_once(SYSTEM, _OTHERS(people=[person]))
    return _named(rooms, _by_room(rows))


Others = dict[str, list[PersonSnapshot]]


def _by_room(rows: Iterable[Any]) -> Others:
    others: Others = defaultdict(list)
    for row in rows:
        others[str(row.room_id)].append(PersonSnapshot.of(row.id, row.name, row.avatar_url))
    return others


def _named(rooms: Iterable[RoomSnapshot], others: Others) -> tuple[RoomSnapshot, ...]:
    return tuple(_named_one(room, tuple(others.get(room.id, ()))) if room.kind == DIRECT else room for room in rooms)


def _named_one(room: RoomSnapshot, others: tuple[PersonSnapshot, ...]) -> RoomSnapshot:
    return replace(room, others=others, name=", ".join(person.name for person in others) or NOBODY_ELSE)


def _mine(row: Any) -> RoomSnapshot:
    return room_snapshot(row, row.role, row.read_seq, row.read_turn)


_ROWS, _FOUND, _MEMBERSHIP = _of_mine()
_MY_ROOM = _ROWS.where(_MEMBERSHIP.c.room_id == bindparam("room"))


def _of_people() -> Any:
    """The statement that reads many people's lists, each the last active first and ROOMS_LIMIT long at most.

    A direct message that somebody else began, and said nothing in, is in nobody's list.
    """
    person = func.unnest(bindparam("people", type_=_IDS)).table_valued("id").render_derived("person")
    member: Any = Membership.__table__  # type: ignore[attr-defined]  # every model has it
    # As in `_of_mine`; the offset keeps the planner from turning the look-ups into a join with all rooms.
    found = _shown().where(col(Room.id) == member.c.room_id).offset(0).lateral("room")
    said = or_(found.c.kind != DIRECT, found.c.last_seq > 0, found.c.created_by == person.c.id)
    last_active = func.coalesce(found.c.last_message_at, found.c.created_at)
    theirs = (
        select_columns(*found.c, member.c.role, member.c.read_seq, member.c.read_turn)
        .select_from(member.join(found, true()))
        .where(member.c.user_id == person.c.id, said)
        .order_by(last_active.desc(), found.c.id)
        .limit(ROOMS_LIMIT)
        .lateral("list")
    )
    return select_columns(person.c.id.label("person"), *theirs.c).select_from(person).join(theirs, true())


def _others() -> Any:
    """The statement that reads who else is in people's direct messages, in the order of their names."""
    mine, theirs = aliased(Membership), aliased(Membership)
    return (
        select_columns(
            col(mine.user_id).label("person"),
            col(theirs.room_id),
            col(Profile.id),
            col(Profile.name),
            col(Profile.avatar_url),
        )
        .select_from(mine)
        .join(Room, and_(col(Room.id) == col(mine.room_id), col(Room.kind) == DIRECT))
        .join(theirs, and_(col(theirs.room_id) == col(mine.room_id), col(theirs.user_id) != col(mine.user_id)))
        .join(Profile, col(Profile.id) == col(theirs.user_id))
        .where(col(mine.user_id) == any_(bindparam("people", type_=_IDS)))
        .order_by(col(theirs.room_id), func.lower(col(Profile.name)), col(Profile.id))
    )


def _mentioned() -> Any:
    """The statement that reads where people were mentioned lately."""
    person = func.unnest(bindparam("people", type_=_IDS)).table_valued("id").render_derived("person")
    found = func.private.mentions_of(person.c.id).table_valued("room_id", "seqs").lateral("found")
    return (
        select_columns(person.c.id.label("person"), found.c.room_id, found.c.seqs)
        .select_from(person)
        .join(found, true())
    )


_IDS = ARRAY(Uuid)
_MENTIONS = Question(_mentioned())
_LISTS = Question(_of_people())
_OTHERS = Question(_others())
_HEADS = Question(
    select_columns(col(Room.id), col(Room.last_seq), col(Room.last_message_at)).where(
        col(Room.id) == any_(bindparam("rooms", type_=_IDS))
    )
)
_MARKS = Question(
    select_columns(
        col(Membership.room_id), col(Membership.user_id), col(Membership.read_seq), col(Membership.read_turn)
    ).where(
        col(Membership.room_id) == any_(bindparam("rooms", type_=_IDS)),
        col(Membership.user_id) == any_(bindparam("people", type_=_IDS)),
    )
)


async def _lists_of(user_ids: Sequence[UUID]) -> dict[UUID, tuple[RoomSnapshot, ...]]:
    """The process reads them, each for the person it belongs to: many may ask at once, and policies know one."""
    asked = {"people": list(user_ids)}
    listed, written_to = await at_once(SYSTEM, _LISTS(**asked), _OTHERS(**asked))
    lists: dict[UUID, list[RoomSnapshot]] = defaultdict(list)
    for row in listed:
        lists[row.person].append(_mine(row))
    others: dict[UUID, list[Any]] = defaultdict(list)
    for row in written_to:
        others[row.person].append(row)
    return {person: _named(rooms, _by_room(others[person])) for person, rooms in lists.items()}


async def _mentions_of(user_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, tuple[int, ...]]]:
    [rows] = await at_once(SYSTEM, _MENTIONS(people=list(user_ids)))
    found: dict[UUID, dict[UUID, tuple[int, ...]]] = defaultdict(dict)
    for row in rows:
        found[row.person][row.room_id] = tuple(row.seqs)
    return found


_lists: Together[UUID, tuple[RoomSnapshot, ...]] = Together(_lists_of, LISTS_AT_ONCE)
_mentions: Together[UUID, dict[UUID, tuple[int, ...]]] = Together(_mentions_of, LISTS_AT_ONCE)


def _looks_like(search: str) -> ColumnElement[bool]:
    pattern = search.strip().replace("\0", "").encode(errors="ignore").decode()
    return or_(
        col(Room.name).icontains(pattern, autoescape=True),
        col(Room.description).icontains(pattern, autoescape=True),
    )
