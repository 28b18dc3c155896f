"""What holds of memberships: an owner always, a marker that moves forward only, roles that nobody gives themselves."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from chatapp.errors import Forbidden, Invalid
from chatapp.invites import actions as invites
from chatapp.receipts import actions as receipts
from chatapp.rooms import actions as rooms
from chatapp.supabase import client
from tests.cast import Cast, room, say, someone
from tests.conftest import Sql

MARKER = "select read_turn, read_seq from room_members where room_id = %s and user_id = %s"


async def roles(psql: Sql, room_id: UUID) -> dict[UUID, str]:
    rows = await psql.execute("select user_id, role from room_members where room_id = %s", [room_id])
    return {row["user_id"]: row["role"] for row in await rows.fetchall()}


async def room_row(psql: Sql, room_id: UUID) -> dict[str, object]:
    row = await (await psql.execute("select * from chat_rooms where id = %s", [room_id])).fetchone()
    assert row
    return row


async def marker(psql: Sql, room_id: UUID, user_id: UUID, to: int) -> int:
    moved = await psql.execute(
        "update room_members set read_seq = %s where room_id = %s and user_id = %s returning read_seq",
        [to, room_id, user_id],
    )
    row = await moved.fetchone()
    assert row
    return int(row["read_seq"])


async def test_the_read_marker_moves_forward_only_and_not_beyond_the_end(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.ada, place, "one", "two", "three")
    before = await room_row(psql, place)
    assert [await marker(psql, place, cast.grace.id, to) for to in (2, 1, 99)] == [2, 2, 3]
    assert (await room_row(psql, place))["rev"] == before["rev"]


async def test_marking_as_unread_is_the_only_way_back_and_begins_a_new_turn(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.ada, place, "one", "two", "three")

    async def mark(seq: int) -> tuple[int, int]:
        await receipts.mark_unread(cast.ada.actor, place, seq)
        found = await (await psql.execute(MARKER, [place, cast.ada.id])).fetchone()
        assert found
        return found["read_turn"], found["read_seq"]

    assert [await mark(seq) for seq in (4, 3, 3, 2, 1)] == [(1, 3), (2, 2), (3, 2), (4, 1), (5, 0)]
    assert await marker(psql, place, cast.ada.id, 2) == 2
    await receipts.mark_unread(cast.linus.actor, place, 1)  # who isn't in the room moves nobody's
    assert await marker(psql, place, cast.grace.id, 0) == 0


async def test_a_step_from_before_the_marker_was_set_back_counts_for_nothing(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.ada, place, "one", "two", "three")
    steps = receipts.Advances()
    steps.step(cast.grace.actor, place, 99, 0)
    steps.step(cast.linus.actor, place, 3, 0)
    await steps.flush()
    assert await marker(psql, place, cast.grace.id, 0) == 3
    await receipts.mark_unread(cast.grace.actor, place, 2)
    late = receipts.Advances()
    late.step(cast.grace.actor, place, 3, 0)
    await late.flush()
    assert await marker(psql, place, cast.grace.id, 0) == 1
    late.step(cast.grace.actor, place, 3, 1)
    await late.flush()
    assert await marker(psql, place, cast.grace.id, 0) == 3


async def test_who_comes_back_starts_above_every_turn_they_had(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.ada, place, "one", "two", "three")

    async def stay() -> tuple[int, int]:
        """Where Grace's marker begins, and then is set back twice."""
        found = await (await psql.execute(MARKER, [place, cast.grace.id])).fetchone()
        assert found
        for seq in (2, 1):
            await receipts.mark_unread(cast.grace.actor, place, seq)
        await rooms.leave(cast.grace.actor, place)
        await rooms.join(cast.grace.actor, place)
        return found["read_turn"], found["read_seq"]

    assert [await stay() for _ in range(3)] == [(0, 0), (3, 3), (6, 3)]
    await rooms.join(cast.linus.actor, place)
    await psql.execute("delete from chat_rooms where id = %s", [place])  # with everybody's turns


async def test_who_joins_starts_with_nothing_unread(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    await say(cast.ada, place, "one", "two")
    await rooms.join(cast.grace.actor, place)
    assert await marker(psql, place, cast.grace.id, 0) == 2


async def test_joining_and_leaving_count_once(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    counts = []
    for verb in (rooms.join, rooms.join, rooms.leave, rooms.leave):
        await verb(cast.grace.actor, place)
        row = await room_row(psql, place)
        counts.append((row["member_count"], row["rev"], row["members_rev"]))
    assert counts == [(2, 2, 2), (2, 2, 2), (1, 3, 3), (1, 3, 3)]


async def test_when_the_owner_leaves_the_longest_standing_admin_follows(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace, cast.linus)
    await rooms.change_role(cast.ada.actor, place, cast.linus.id, "admin")
    await rooms.leave(cast.ada.actor, place)
    assert await roles(psql, place) == {cast.grace.id: "member", cast.linus.id: "owner"}


async def test_without_an_admin_the_longest_standing_member_follows(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace, cast.linus)
    await rooms.leave(cast.ada.actor, place)
    assert (await roles(psql, place))[cast.grace.id] == "owner"


async def test_who_comes_into_an_empty_public_room_owns_it(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    await rooms.leave(cast.ada.actor, place)
    await rooms.join(cast.grace.actor, place)
    assert await roles(psql, place) == {cast.grace.id: "owner"}


async def test_an_account_that_goes_leaves_rooms_and_words_in_order(cast: Cast, psql: Sql) -> None:
    gone = await someone("Gone")
    place = await room(gone, cast.grace)
    await say(gone, place, "my last words")
    await client.as_project().auth.admin.delete_user(str(gone.id))
    assert await roles(psql, place) == {cast.grace.id: "owner"}
    row = await (
        await psql.execute("select user_id, content from chat_messages where room_id = %s", [place])
    ).fetchone()
    assert row == {"user_id": None, "content": "my last words"}


async def test_deleting_a_room_takes_all_of_it_along(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.ada, place, "hello")
    await invites.create_invite(cast.ada.actor, place)
    await psql.execute("delete from chat_rooms where id = %s", [place])
    for table in ("room_members", "chat_messages", "room_invites"):
        assert (await psql.execute(f"select 1 from {table} where room_id = %s", [place])).rowcount == 0


async def test_an_admin_appoints_but_does_not_hand_over(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace, cast.linus)
    await rooms.change_role(cast.ada.actor, place, cast.grace.id, "admin")
    await rooms.change_role(cast.grace.actor, place, cast.linus.id, "admin")
    for person, role in ((cast.linus, "owner"), (cast.grace, "owner"), (cast.ada, "member")):
        with pytest.raises(Forbidden):
            await rooms.change_role(cast.grace.actor, place, person.id, role)
    assert await roles(psql, place) == {cast.ada.id: "owner", cast.grace.id: "admin", cast.linus.id: "admin"}


async def test_an_admin_may_step_down_and_not_remove_the_owner(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await rooms.change_role(cast.ada.actor, place, cast.grace.id, "admin")
    with pytest.raises(Forbidden):
        await rooms.remove_member(cast.grace.actor, place, cast.ada.id)
    await rooms.change_role(cast.grace.actor, place, cast.grace.id, "member")
    assert await roles(psql, place) == {cast.ada.id: "owner", cast.grace.id: "member"}


async def test_the_owner_hands_over_and_is_an_admin_then(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await rooms.change_role(cast.ada.actor, place, cast.grace.id, "owner")
    assert await roles(psql, place) == {cast.ada.id: "admin", cast.grace.id: "owner"}
    for role in ("owner", "member"):
        with pytest.raises(Forbidden):
            await rooms.change_role(cast.ada.actor, place, cast.ada.id if role == "owner" else cast.grace.id, role)


async def test_members_appoint_nobody(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace, cast.linus)
    with pytest.raises(Forbidden):
        await rooms.change_role(cast.grace.actor, place, cast.linus.id, "admin")
    with pytest.raises(Invalid):
        await rooms.change_role(cast.ada.actor, place, cast.linus.id, "emperor")


async def test_a_membership_keeps_its_room_and_person(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    with pytest.raises(psycopg.errors.RestrictViolation):
        await psql.execute("update room_members set user_id = %s where room_id = %s", [cast.grace.id, place])
