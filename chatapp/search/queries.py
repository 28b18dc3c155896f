"""Searching, as the person who asks: what cannot be read is not found."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chatapp.accounts.snapshots import colour, initials, iso
from chatapp.actor import Actor
from chatapp.db import Asked, Question, at_once
from chatapp.errors import Invalid, TooSlow, Unavailable
from chatapp.search.snapshots import FoundSnapshot, Last, Results, Wanted, parts

PAGE = 20
SECONDS = "2s"
AT_ONCE = 4
"""Searches that this process has the database do at the same time: they must not take its connections from the chat."""
MINE_AT_ONCE = 2
"""Of those, and of those that wait, one person's."""

SLOW = "That takes too long to find. Try a rarer word, or say where: in:room, from:name or after:2026-01-31."
GONE_ACCOUNT = "Deleted account"

WHOLE = 280
"""Characters of a message that are shown of it at the most."""

_turns = asyncio.Semaphore(AT_ONCE)
_running: Counter[UUID] = Counter()

# The message is read by its id under the policies, whatever the function has found.
_SHOWN = """
  select m.id, m.room_id, m.user_id, m.created_at, r.name as room, p.name as author, p.avatar_url, shown.said,
    right(left(whole.said, strpos(whole.said, plain.said) - 1), 40) as before,
    left(right(whole.said, strpos(reverse(whole.said), reverse(plain.said)) - 1), 40) as after
  from asked, {source} found
    join public.chat_messages m on m.id = found.id
    cross join lateral (select {said} as said offset 0) shown
    cross join lateral (select translate(shown.said, '\x02\x03', '') as said offset 0) plain
    cross join lateral (select private.parted(m.content) as said offset 0) whole
    join public.chat_rooms r on r.id = m.room_id
    left join public.profiles p on p.id = m.user_id
  where numnode(asked.wanted) > 0 or not :worded
  order by found.place
"""
_ASKED = "with asked as materialized (select private.wanted_words(:whole, :begun, :link) as wanted) "
# A short message is shown whole, of a long one the part around the words.
_HEADLINE = (
    "ts_headline('private.plain', private.parted(m.content), asked.wanted, 'StartSel=\"\x02\", StopSel=\"\x03\", ' ||"
    f" case when char_length(m.content) <= {WHOLE} then 'HighlightAll=true'"
    " else 'MaxFragments=1, MinWords=12, MaxWords=36' end)"
)
_FIND = Question(
    text(
        _ASKED
        + _SHOWN.format(
            said=_HEADLINE,
            source="private.find_messages(asked.wanted, cast(:rooms as uuid[]), cast(:authors as uuid[]),"
            " cast(:since as timestamptz), cast(:until as timestamptz), cast(:best as boolean),"
            " cast(:last_at as timestamptz), cast(:last_id as uuid), :most)",
        )
    )
)
_ALIKE = Question(
    text(
        _ASKED
        + _SHOWN.format(
            said=f"private.parted(left(m.content, {WHOLE}))",
            source="private.find_alike(:terms, cast(:rooms as uuid[]), cast(:authors as uuid[]),"
            " cast(:since as timestamptz), cast(:until as timestamptz), :most)",
        )
    )
)
_ROOMS = Question(
    text(
        "select id from public.chat_rooms where id in (select private.my_room_ids())"
        " and position(lower(:name) in lower(name)) > 0"
        " order by lower(name) <> lower(:name), name"
    )
)
_PEOPLE = Question(text("select person as id from private.people_named(:name) person"))


async def search(actor: Actor, wanted: Wanted, *, best: bool = False, last: Last | None = None) -> Results:
    """Return a page of the messages in the actor's rooms that have all of what is wanted.

    The newest first, those before `last`; with `best`, those of the newest 200 that fit best, and no more. Where no
    message has the words, those that have similar ones. Raises Invalid for a room or a person that isn't there, and
    Unavailable where it takes longer than 2 s.
    """
    async with _turn(actor):
        try:
            return await _search(actor, wanted, best, last)
        except TooSlow:
            raise Unavailable(SLOW) from None


async def _search(actor: Actor, wanted: Wanted, best: bool, last: Last | None) -> Results:
    asked = {
        "worded": bool(wanted.terms),
        "whole": list(wanted.whole),
        "begun": list(wanted.begun),
        "link": wanted.link,
        "since": wanted.since,
        "until": wanted.until,
        "rooms": await _rooms(actor, wanted.rooms),
        "authors": await _people(actor, wanted.author),
    }
    place = {"best": best, "last_at": last and last.at, "last_id": last and last.id, "most": PAGE + 1}
    rows = await _ask(actor, _FIND(**asked, **place))
    if rows or last or not wanted.terms or wanted.link:
        more = len(rows) > PAGE and not best
        found = tuple(map(_found, rows[:PAGE]))
        return Results(found, Last(rows[PAGE - 1].created_at, rows[PAGE - 1].id) if more else None)
    alike = await _ask(actor, _ALIKE(**asked, terms=list(wanted.terms), most=PAGE))
    return Results(tuple(map(_found, alike)), alike=bool(alike))


@asynccontextmanager
async def _turn(actor: Actor) -> AsyncIterator[None]:
    """Wait for one of the few places. Raises Unavailable for who has several searches going already."""
    if _running[actor.user_id] >= MINE_AT_ONCE:
        raise Unavailable("Your last search is still going on. Please wait a moment.")
    _running[actor.user_id] += 1
    try:
        async with _turns:
            yield
    finally:
        _running[actor.user_id] -= 1
        if not _running[actor.user_id]:
            del _running[actor.user_id]


async def _rooms(actor: Actor, name: str) -> list[UUID] | None:
    """My rooms whose name has this in it, None for any room."""
    return await _named(actor, _ROOMS, name, f"You are in no room called {name}.")


async def _people(actor: Actor, name: str) -> list[UUID] | None:
    """People of my rooms by a part of their name, and me; None for anybody."""
    if name.lower() == "me":
        return [actor.user_id]
    return await _named(actor, _PEOPLE, name, f"Nobody in your rooms is called {name}.")


async def _named(actor: Actor, question: Question, name: str, nobody: str) -> list[UUID] | None:
    if not name:
        return None
    found = [row.id for row in await _ask(actor, question(name=name))]
    if not found:
        raise Invalid(nobody)
    return found


async def _ask(actor: Actor, asked: Asked) -> Sequence[Any]:
    [rows] = await at_once(actor, asked, statement=SECONDS)
    return rows


def _found(row: Any) -> FoundSnapshot:
    author = row.author or GONE_ACCOUNT
    return FoundSnapshot(
        id=str(row.id),
        room_id=str(row.room_id),
        room=row.room,
        author_id=str(row.user_id or ""),
        author=author,
        initials=initials(author),
        colour=colour(row.user_id) if row.user_id else 0,
        avatar_url=row.avatar_url or "",
        created_at=iso(row.created_at),
        path=f"/chat/{row.room_id}?m={row.id}",
        parts=parts(row.said, row.before, row.after),
    )
