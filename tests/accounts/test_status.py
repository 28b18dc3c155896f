"""What somebody says of themselves: stored, ended by the clock alone, and news in each of their rooms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatapp.accounts import actions, queries
from chatapp.accounts.snapshots import Status
from chatapp.errors import Invalid
from chatapp.rooms.queries import members
from tests.cast import Cast, Someone, room, someone
from tests.conftest import Sql


async def status_of(who: Someone) -> Status:
    return (await queries.profile(who.actor)).status


async def end_now(psql: Sql, who: Someone) -> None:
    await psql.execute("update profiles set status_until = now() - interval '1 s' where id = %s", [who.id])


async def test_a_status_is_shown_to_oneself_and_to_room_mates(cast: Cast) -> None:
    together = await room(cast.ada, cast.grace)
    await actions.set_status(cast.ada.actor, " 🌴 ", "  On holiday ")
    assert await status_of(cast.ada) == Status("🌴", "On holiday")
    shown = {member.id: member.status for member in await members(cast.grace.actor, together)}
    assert shown == {str(cast.ada.id): Status("🌴", "On holiday"), str(cast.grace.id): None}


async def test_an_empty_status_says_nothing(cast: Cast) -> None:
    await actions.set_status(cast.ada.actor, "🌴", "On holiday", "1h")
    await actions.set_status(cast.ada.actor, "", "  ")
    assert await status_of(cast.ada) == Status()


@pytest.mark.parametrize(("lasts", "span"), actions.LASTING.items())
async def test_a_status_lasts_as_long_as_was_said(lasts: actions.Lasts, span: timedelta, cast: Cast) -> None:
    before = datetime.now(UTC)
    await actions.set_status(cast.ada.actor, "", "Away", lasts)
    until = datetime.fromisoformat((await status_of(cast.ada)).until)
    assert before + span - timedelta(seconds=1) <= until <= datetime.now(UTC) + span + timedelta(seconds=1)


async def test_what_lasts_until_a_time_goes_on_doing_so(cast: Cast) -> None:
    await actions.set_status(cast.ada.actor, "", "Away", "1h")
    until = (await status_of(cast.ada)).until
    await actions.set_status(cast.ada.actor, "", "Still away", "keep")
    assert await status_of(cast.ada) == Status("", "Still away", until)
    await actions.set_status(cast.ada.actor, "", "For good", "always")
    assert await status_of(cast.ada) == Status("", "For good")


async def test_a_status_that_has_ended_is_none_and_its_end_is_not_kept(psql: Sql) -> None:
    ada = await someone("Ada Lovelace")
    await actions.set_status(ada.actor, "", "Away", "1h")
    await end_now(psql, ada)
    assert await status_of(ada) == Status()
    await actions.set_status(ada.actor, "", "Back at work", "keep")
    assert await status_of(ada) == Status("", "Back at work")


@pytest.mark.parametrize(
    ("emoji", "text"), [("x", "Away"), ("🌴🌴", ""), ("<b>", ""), ("", "x" * 101), ("", "\0"), ("🌴" * 500, "")]
)
async def test_what_is_no_status_is_refused_and_the_old_one_stays(emoji: str, text: str, cast: Cast) -> None:
    await actions.set_status(cast.grace.actor, "🎧", "Focusing")
    with pytest.raises(Invalid):
        await actions.set_status(cast.grace.actor, emoji, text)
    assert await status_of(cast.grace) == Status("🎧", "Focusing")


async def test_a_status_is_news_in_each_room_and_the_same_one_is_none(psql: Sql) -> None:
    ada = await someone("Ada Lovelace")
    one, two = await room(ada), await room(ada)

    async def revs() -> list[int]:
        found = await psql.execute("select members_rev from chat_rooms where id = any(%s) order by id", [[one, two]])
        return [row["members_rev"] for row in await found.fetchall()]

    before = await revs()
    await actions.set_status(ada.actor, "🎧", "Focusing")
    after = await revs()
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 1]
    await actions.set_status(ada.actor, "🎧", "Focusing")
    assert await revs() == after
