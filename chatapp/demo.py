"""People, rooms and conversations for the stand-in, so that two windows show a chat in ten seconds.

Never run against a real project. What is said is in `demo_talk.txt`; times are counted back from the first
start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

from sqlmodel import col, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from chatapp.accounts.actions import DEMO_PEOPLE, demo_email, demo_password, demo_people
from chatapp.accounts.model import Profile
from chatapp.actor import SYSTEM
from chatapp.db import transaction
from chatapp.errors import NotFound
from chatapp.messages.model import Message
from chatapp.rooms.model import Membership, Room
from chatapp.supabase import auth

TALK = Path(__file__).with_name("demo_talk.txt")
_SPACE = uuid5(NAMESPACE_DNS, "demo.chatapp.example")
_DAY = re.compile(r"-- (\d+) (?:(\d\d):(\d\d)|-(\d+))")
_SAID = re.compile(r"([A-Z]\w*): (.*)")


@dataclass
class Talk:
    """A room as the file tells it; `said` holds who, when and what."""

    name: str
    is_private: bool
    people: list[str]
    description: str
    said: list[tuple[str, datetime, str]] = field(default_factory=list)


async def seed() -> None:
    """Make what is missing of the demo, and leave alone what is there. Raises NotFound on a real project."""
    if not demo_people():
        raise NotFound
    await _seed_people()
    async with transaction(SYSTEM) as session:
        there = set(await session.exec(select(col(Room.id)).where(col(Room.id).in_(_ids_of_rooms()))))
        for talk in read_talks(datetime.now(UTC)):
            if demo_id(talk.name) not in there:
                await _seed_room(session, talk)


def demo_id(name: str) -> UUID:
    """Return the id of a demo person (by first name) or room: the same in every stand-in."""
    return uuid5(_SPACE, name)


def read_talks(now: datetime) -> list[Talk]:
    """Return the rooms of `demo_talk.txt` with their conversations, ending before `now`."""
    talks: list[Talk] = []
    clock, pauses = now, Random(7)  # noqa: S311 - pauses between messages, not secrets
    for line in _lines():
        if line.startswith("== "):
            talks.append(_room_of(line))
        elif day := _DAY.fullmatch(line):
            clock = _begin(now, day)
        elif said := _SAID.fullmatch(line):
            clock += timedelta(seconds=pauses.randint(8, 110))
            talks[-1].said.append((said[1], min(clock, now), said[2]))
        else:
            who, when, text = talks[-1].said.pop()
            talks[-1].said.append((who, when, f"{text}\n{line.strip()}"))
    return talks


async def _seed_people() -> None:
    wanted = {demo_id(name): name for name in DEMO_PEOPLE}
    async with transaction(SYSTEM) as session:
        there = set(await session.exec(select(col(Profile.id)).where(col(Profile.id).in_(wanted))))
    for user_id, name in wanted.items():
        if user_id not in there:
            await auth.create_account(DEMO_PEOPLE[name], demo_email(name), demo_password(), user_id)


async def _seed_room(session: AsyncSession, talk: Talk) -> None:
    """Room, members, messages, read markers: a statement each, whatever their number."""
    room_id, begin = demo_id(talk.name), talk.said[0][1] - timedelta(minutes=5)
    owner, *others = (demo_id(name) for name in talk.people)
    room = {"id": room_id, "name": talk.name, "description": talk.description, "is_private": talk.is_private}
    await session.exec(insert(Room).values(**room, created_by=owner, created_at=begin))
    joined = [{"room_id": room_id, "user_id": user_id, "joined_at": begin} for user_id in others]
    await session.exec(insert(Membership).values(joined))
    mine = col(Membership.room_id) == room_id
    await session.exec(update(Membership).where(mine, col(Membership.user_id) == owner).values(joined_at=begin))
    await session.exec(insert(Message).values(list(_rows(room_id, talk))))
    await session.exec(update(Membership).where(mine).values(read_seq=len(talk.said)))


def _rows(room_id: UUID, talk: Talk) -> Iterator[dict[str, Any]]:
    for number, (who, when, text) in enumerate(talk.said, start=1):
        message = {"room_id": room_id, "user_id": demo_id(who), "client_id": f"demo-{number}"}
        yield {**message, "content": text, "created_at": when}


def _ids_of_rooms() -> list[UUID]:
    return [demo_id(_room_of(line).name) for line in _lines() if line.startswith("== ")]


def _lines() -> list[str]:
    lines = TALK.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _room_of(line: str) -> Talk:
    name, kind, people, description = line.removeprefix("== ").split(" | ")
    return Talk(name, kind == "private", people.split(), description)


def _begin(now: datetime, day: re.Match[str]) -> datetime:
    """Return when a talk begins: so many days ago at a time of day, or so many minutes ago."""
    days, hour, minute, minutes_ago = day.groups()
    if minutes_ago:
        return now - timedelta(minutes=int(minutes_ago))
    return (now - timedelta(days=int(days))).replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
