"""Every change that others should see leaves a hint, without content, that names room and rev."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from chatapp.accounts import actions as accounts
from chatapp.accounts import queries as people
from chatapp.accounts.sessions import hashed
from chatapp.rooms import actions as rooms
from tests.cast import Cast, room, say, someone
from tests.conftest import Sql

Change = Callable[[Cast, Sql, UUID], Awaitable[object]]


async def hints(psql: Sql, field: str, value: object) -> list[dict[str, object]]:
    rows = await psql.execute(
        "select payload from realtime.messages where topic = 'changes' and event = 'hint' and private"
        " and payload ->> %s = %s order by (payload ->> 'rev')::bigint, inserted_at",
        [field, str(value)],
    )
    return [{key: item for key, item in row["payload"].items() if key != "id"} for row in await rows.fetchall()]


CHANGES: dict[str, tuple[Change, dict[str, object]]] = {
    "a message": (
        lambda cast, _, place: say(cast.ada, place, "secret"),
        {"what": "message", "seq": 2, "author": "ada"},
    ),
    "an edit": (
        lambda _, psql, place: psql.execute("update chat_messages set content = 'y' where room_id = %s", [place]),
        {"what": "message"},
    ),
    "a deletion": (
        lambda _, psql, place: psql.execute("update chat_messages set deleted_at = now() where room_id = %s", [place]),
        {"what": "message"},
    ),
    "a reaction": (
        lambda _, psql, place: psql.execute(
            "insert into message_reactions (message_id, user_id, emoji)"
            " select id, user_id, '👍' from chat_messages where room_id = %s",
            [place],
        ),
        {"what": "message"},
    ),
    "a pin": (
        lambda _, psql, place: psql.execute("update chat_messages set pinned_at = now() where room_id = %s", [place]),
        {"what": "message"},
    ),
    "somebody coming": (
        lambda cast, _, place: rooms.join(cast.grace.actor, place),
        {"what": "member", "user": "grace"},
    ),
    "somebody going": (
        lambda cast, _, place: rooms.leave(cast.linus.actor, place),
        {"what": "member", "user": "linus"},
    ),
    "a removal": (
        lambda cast, _, place: rooms.remove_member(cast.ada.actor, place, cast.linus.id),
        {"what": "member", "user": "linus"},
    ),
    "a role": (
        lambda cast, _, place: rooms.change_role(cast.ada.actor, place, cast.linus.id, "admin"),
        {"what": "member", "user": "linus"},
    ),
    "a new name": (
        lambda _, psql, place: psql.execute("update chat_rooms set name = 'Other' where id = %s", [place]),
        {"what": "room"},
    ),
    "archiving": (
        lambda _, psql, place: psql.execute("update chat_rooms set archived_at = now() where id = %s", [place]),
        {"what": "room"},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_announced_once_with_the_rooms_rev(cast: Cast, psql: Sql, name: str) -> None:
    change, expected = CHANGES[name]
    place = await room(cast.ada, cast.linus)
    await say(cast.ada, place, "first")
    before = await hints(psql, "room", place)
    await change(cast, psql, place)
    [fresh] = [hint for hint in await hints(psql, "room", place) if hint not in before]
    row = await (await psql.execute("select rev from chat_rooms where id = %s", [place])).fetchone()
    assert row
    user: dict[str, object] = {"user": str(getattr(cast, str(expected["user"])).id)} if "user" in expected else {}
    if author := expected.get("author"):  # a message takes its author's marker along
        user = {"readers": {str(getattr(cast, str(author)).id): [0, 2]}}
    told = {key: value for key, value in expected.items() if key != "author"}
    assert fresh == {**told, **user, "room": str(place), "rev": row["rev"]}


async def test_a_deleted_room_says_that_it_is_gone(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await psql.execute("delete from chat_rooms where id = %s", [place])
    assert {"what": "room", "room": str(place), "rev": 2, "gone": True} in await hints(psql, "room", place)


async def test_the_successor_of_an_owner_is_announced(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await rooms.leave(cast.ada.actor, place)
    about = [hint.get("user") for hint in await hints(psql, "room", place)]
    assert set(about[-2:]) == {str(cast.ada.id), str(cast.grace.id)}


async def test_many_rows_are_one_hint(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    await psql.execute(
        "insert into chat_messages (room_id, user_id, client_id, content)"
        " select %s, %s, n::text, 'x' from generate_series(1, 200) n",
        [place, cast.ada.id],
    )
    assert [hint["rev"] for hint in await hints(psql, "room", place) if hint["what"] == "message"] == [201]


async def test_a_persons_new_name_is_news_in_their_rooms_alone(cast: Cast, psql: Sql) -> None:
    person = await someone("Before")
    here, there = await room(person), await room(cast.ada)
    await accounts.rename(person.actor, "After")
    assert (await hints(psql, "room", here))[-1] == {
        "what": "member",
        "room": str(here),
        "rev": 2,
        "user": str(person.id),
    }
    assert [hint for hint in await hints(psql, "room", there) if hint.get("user") == str(person.id)] == []


async def test_the_end_of_a_session_is_announced(cast: Cast, psql: Sql) -> None:
    value = await accounts.redeem(await accounts.sign_in(cast.ada.email, cast.ada.password))
    actor = await people.actor_of(hashed(value))
    assert actor
    await accounts.sign_out(actor)
    assert await hints(psql, "session", actor.session_id) == [{"what": "session", "session": actor.session_id}]


async def test_reading_is_announced_without_being_a_change_of_the_room(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace, cast.linus)
    await say(cast.ada, place, "hello")
    before = await hints(psql, "room", place)
    statement = "update room_members set read_seq = 1, level = 'none' where room_id = %s"
    rev = await (await psql.execute("select rev from chat_rooms where id = %s", [place])).fetchone()
    await psql.execute(statement, [place])
    fresh = [hint for hint in await hints(psql, "room", place) if hint not in before]
    readers = {str(cast.grace.id): [0, 1], str(cast.linus.id): [0, 1]}  # Ada has read what she wrote
    assert fresh == [{"what": "read", "room": str(place), "readers": readers}]
    await psql.execute(statement, [place])  # nothing moves any more
    assert len(await hints(psql, "room", place)) == len(before) + 1
    assert await (await psql.execute("select rev from chat_rooms where id = %s", [place])).fetchone() == rev


async def test_a_crowd_of_readers_is_not_named(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    crowd = [uuid4() for _ in range(101)]
    await psql.execute("insert into auth.users (id, email) select n, n || '@x' from unnest(%s::uuid[]) n", [crowd])
    await psql.execute(
        "insert into room_members (room_id, user_id) select %s, n from unnest(%s::uuid[]) n", [place, crowd]
    )
    await say(cast.ada, place, "hello")
    await psql.execute("update room_members set read_seq = 1 where room_id = %s", [place])
    assert [hint["readers"] for hint in await hints(psql, "room", place) if hint["what"] == "read"] == [{}]


async def test_a_message_takes_its_authors_marker_along_and_says_so_itself(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    await say(cast.grace, place, "one", "two")
    rows = await psql.execute("select user_id, read_seq from room_members where room_id = %s", [place])
    assert {row["user_id"]: row["read_seq"] for row in await rows.fetchall()} == {cast.ada.id: 0, cast.grace.id: 2}
    said = [hint for hint in await hints(psql, "room", place) if hint["what"] in ("message", "read")]
    steps = [{str(cast.grace.id): [0, seq]} for seq in (1, 2)]
    assert [(hint["what"], hint["readers"]) for hint in said] == [("message", step) for step in steps]


async def test_switching_receipts_is_announced_where_markers_are_shown(cast: Cast, psql: Sql) -> None:
    person = await someone("Private")
    place = await room(person)
    for on in (False, False, True):
        await psql.execute("update profiles set receipts = %s where id = %s", [on, person.id])
    said = [hint for hint in await hints(psql, "room", place) if hint["what"] == "read"]
    expected = {"what": "read", "room": str(place), "switched": True}
    assert said == [{**expected, "readers": {str(person.id): step}} for step in (None, [0, 0])]
