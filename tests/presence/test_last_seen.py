"""When somebody was last here: written by the process alone, and no news to any room."""

from __future__ import annotations

from uuid import uuid4

from chatapp.actor import Actor
from chatapp.presence import actions
from chatapp.rooms import queries as rooms
from tests.cast import Cast, room
from tests.conftest import Sql


async def test_it_is_written_and_changes_nothing_else(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    before = await state(psql, place, cast.grace.actor)
    await actions.note_seen([cast.grace.id, uuid4()])  # an account may be gone by the time
    after = await state(psql, place, cast.grace.actor)
    assert before.pop("last_seen_at") != after.pop("last_seen_at")
    assert before == after
    members = {member.name: member.last_seen_at for member in await rooms.members(cast.ada.actor, place)}
    assert members["Grace Hopper"].endswith("Z")


async def test_a_new_name_still_stamps_the_profile(cast: Cast, psql: Sql) -> None:
    await psql.execute("update profiles set updated_at = 'epoch' where id = %s", [cast.grace.id])
    await psql.execute("update profiles set name = name || ' ' where id = %s", [cast.grace.id])
    await psql.execute("update profiles set name = rtrim(name) where id = %s", [cast.grace.id])
    row = await (
        await psql.execute("select updated_at > 'epoch' as now from profiles where id = %s", [cast.grace.id])
    ).fetchone()
    assert row
    assert row["now"]


async def state(psql: Sql, place: object, who: Actor) -> dict[str, object]:
    """Whatever may tell that something has happened."""
    rows = await psql.execute(
        "select last_seen_at, updated_at, rev, members_rev, (select count(*) from realtime.messages) as hints"
        " from profiles, chat_rooms where profiles.id = %s and chat_rooms.id = %s",
        [who.user_id, place],
    )
    found = await rows.fetchone()
    assert found
    return dict(found)
