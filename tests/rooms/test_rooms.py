"""Rooms as people make, find, enter and leave them. A room that isn't one's own looks like one that isn't there."""

from __future__ import annotations

import asyncio
import secrets
from uuid import UUID, uuid4

import pytest

from chatapp.errors import Forbidden, Invalid, NotAMember, NotFound
from chatapp.rooms import actions, queries
from tests.cast import Cast, room, say, someone
from tests.conftest import Sql


async def test_whoever_makes_a_room_owns_it(cast: Cast) -> None:
    made = await actions.create_room(cast.ada.actor, "  Analytical engine ", " notes ", True)
    assert (made.name, made.description, made.is_private) == ("Analytical engine", "notes", True)
    assert (made.role, made.members, made.last_seq, made.last_message_at) == ("owner", 1, 0, "")
    assert await queries.room(cast.ada.actor, UUID(made.id)) == made


@pytest.mark.parametrize(
    ("name", "description", "sentence"),
    [
        ("", "", "Room name is empty."),
        (" \n\t ", "", "Room name is empty."),
        ("x" * 81, "", "Room name is too long: 81 of 80 characters."),
        ("ok", "x" * 301, "Description is too long: 301 of 300 characters."),
        ("a\0b", "", "Room name contains characters that cannot be stored."),
        ("ok", "\udfff", "Description contains characters that cannot be stored."),
    ],
)
async def test_rooms_that_cannot_be(cast: Cast, psql: Sql, name: str, description: str, sentence: str) -> None:
    count = "select count(*) as n from chat_rooms"
    before = await (await psql.execute(count)).fetchone()
    with pytest.raises(Invalid) as refused:
        await actions.create_room(cast.ada.actor, name, description, False)
    assert refused.value.message == sentence
    assert await (await psql.execute(count)).fetchone() == before


@pytest.mark.parametrize("name", ["x" * 80, "👨‍👩‍👧‍👦" * 11, "שלום עולם", "'; drop table chat_rooms; --", "<b>&amp;"])
async def test_names_are_kept_as_they_are(cast: Cast, name: str) -> None:
    assert (await actions.create_room(cast.ada.actor, name, "", False)).name == name


async def test_my_rooms_are_mine_and_the_last_active_is_first(project: object, cast: Cast) -> None:
    person = await someone("Person")
    older, newer, _ = await room(person), await room(person), await room(cast.ada)
    assert [found.id for found in await queries.my_rooms(person.actor)] == [str(newer), str(older)]
    await actions.join(cast.ada.actor, older)
    await say(person, older, "hello")
    await say(cast.ada, older, "hello yourself")
    found = await queries.my_rooms(person.actor)
    assert [each.id for each in found] == [str(older), str(newer)]
    assert (found[0].last_seq, found[0].read_seq) == (2, 1)
    assert found[0].last_message_at.endswith("Z")


async def test_lists_asked_for_together_are_each_persons_own(cast: Cast) -> None:
    """One query reads many people's lists past the policies: none may get a line of another's."""
    people = [await someone(f"Person {number}") for number in range(3)]
    own = [await room(person, private=True, name=person.name) for person in people]
    shared = await room(*people, private=True, name="Shared")
    lists = await asyncio.gather(*(queries.my_rooms(person.actor) for person in (*people, *people, cast.linus)))
    for number, found in enumerate(lists[:6]):
        assert {each.id for each in found} == {str(own[number % 3]), str(shared)}
        assert {each.name: each.role for each in found}["Shared"] == ("member" if number % 3 else "owner")
    assert not {each.id for each in lists[6]} & {str(shared), *map(str, own)}


@pytest.mark.parametrize("private", [True, False])
async def test_a_foreign_room_and_no_room_are_one(cast: Cast, private: bool) -> None:
    foreign = await room(cast.ada, cast.grace, private=private)
    assert (await queries.room(cast.grace.actor, foreign)).members == 2
    for where in (foreign, uuid4()):
        for query in (queries.room, queries.members):
            with pytest.raises(NotFound) as refused:
                await query(cast.linus.actor, where)
            assert refused.value.message == "Not found"


async def test_members_the_owner_first(cast: Cast) -> None:
    place = await room(cast.grace, cast.linus, cast.ada)
    await actions.change_role(cast.grace.actor, place, cast.linus.id, "admin")
    found = await queries.members(cast.ada.actor, place)
    assert [(member.name, member.role) for member in found] == [
        ("Grace Hopper", "owner"),
        ("Linus Torvalds", "admin"),
        ("Ada Lovelace", "member"),
    ]
    assert found[2].initials == "AL"
    assert found[2].joined_at.endswith("Z")


async def test_joining_a_public_room(cast: Cast) -> None:
    place = await room(cast.ada)
    for _ in range(2):
        await actions.join(cast.grace.actor, place)
    assert (await queries.room(cast.grace.actor, place)).role == "member"


async def test_joining_at_once_is_joining_once(cast: Cast) -> None:
    place = await room(cast.ada)
    await asyncio.gather(*(actions.join(cast.grace.actor, place) for _ in range(5)))
    assert (await queries.room(cast.grace.actor, place)).members == 2


async def test_no_way_into_a_private_archived_or_missing_room(cast: Cast, psql: Sql) -> None:
    private, archived = await room(cast.ada, private=True), await room(cast.ada)
    await psql.execute("update chat_rooms set archived_at = now() where id = %s", [archived])
    for where in (private, archived, uuid4()):
        with pytest.raises(NotFound):
            await actions.join(cast.linus.actor, where)
    assert (await queries.room(cast.ada.actor, private)).members == 1


async def test_leaving(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    for _ in range(2):
        await actions.leave(cast.grace.actor, place)
    with pytest.raises(NotFound):
        await queries.room(cast.grace.actor, place)
    assert (await queries.room(cast.ada.actor, place)).members == 1


async def test_removing_a_member(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace, cast.linus)
    with pytest.raises(Forbidden):
        await actions.remove_member(cast.grace.actor, place, cast.linus.id)
    with pytest.raises(Forbidden):
        await actions.remove_member(cast.grace.actor, place, cast.ada.id)
    assert (await queries.room(cast.linus.actor, place)).members == 3
    for _ in range(2):
        await actions.remove_member(cast.ada.actor, place, cast.linus.id)
    with pytest.raises(NotFound):
        await queries.room(cast.linus.actor, place)
    with pytest.raises(NotAMember):
        await actions.remove_member(cast.linus.actor, place, cast.grace.id)


# Settings -----------------------------------------------------------------------------------------------------------


async def test_whoever_runs_a_room_describes_it(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    await actions.describe(cast.ada.actor, place, "  New name ", " What for ")
    found = await queries.room(cast.grace.actor, place)
    assert (found.name, found.description) == ("New name", "What for")
    for who, refusal in ((cast.grace, Forbidden), (cast.linus, NotAMember)):
        with pytest.raises(refusal):
            await actions.describe(who.actor, place, "Mine", "")
    for name in ("", " ", "x" * 81, "a\0"):
        with pytest.raises(Invalid, match="Room name"):
            await actions.describe(cast.ada.actor, place, name, "")


async def test_archiving_and_back(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, cast.grace)
    for who, refusal in ((cast.grace, Forbidden), (cast.linus, NotAMember)):
        with pytest.raises(refusal):
            await actions.archive(who.actor, place)
    await actions.archive(cast.ada.actor, place)
    first = await (await psql.execute("select archived_at, rev from chat_rooms where id = %s", [place])).fetchone()
    await actions.archive(cast.ada.actor, place)
    again = await (await psql.execute("select archived_at, rev from chat_rooms where id = %s", [place])).fetchone()
    assert first == again
    assert (await queries.room(cast.grace.actor, place)).archived
    with pytest.raises(Invalid, match="This room is archived"):
        await say(cast.grace, place, "too late")
    await actions.archive(cast.ada.actor, place, archived=False)
    await say(cast.grace, place, "in time")


async def test_only_the_owner_deletes_a_room(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    await actions.change_role(cast.ada.actor, place, cast.grace.id, "admin")
    for who, refusal in ((cast.grace, Forbidden), (cast.linus, NotAMember)):
        with pytest.raises(refusal):
            await actions.delete_room(who.actor, place)
    await actions.delete_room(cast.ada.actor, place)
    with pytest.raises(NotFound):
        await queries.room(cast.ada.actor, place)
    with pytest.raises(NotAMember):
        await actions.delete_room(cast.ada.actor, place)


async def test_handing_a_room_over(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    with pytest.raises(Forbidden):
        await actions.transfer(cast.grace.actor, place, cast.grace.id)
    await actions.transfer(cast.ada.actor, place, cast.grace.id)
    roles = {member.name: member.role for member in await queries.members(cast.ada.actor, place)}
    assert roles == {"Grace Hopper": "owner", "Ada Lovelace": "admin"}
    with pytest.raises(Forbidden):
        await actions.delete_room(cast.ada.actor, place)


# Browsing -----------------------------------------------------------------------------------------------------------


async def test_browsing_shows_public_rooms_that_i_am_not_in(cast: Cast, psql: Sql) -> None:
    word = secrets.token_hex(6)
    mine = await room(cast.linus, name=f"{word} mine")
    archived = await room(cast.ada, name=f"{word} archived")
    await psql.execute("update chat_rooms set archived_at = now() where id = %s", [archived])
    await room(cast.ada, private=True, name=f"{word} private")
    small = await room(cast.ada, name=f"{word} small")
    large = await room(cast.ada, cast.grace, name=f"{word} large")
    found = await queries.browse(cast.linus.actor, word.upper())
    assert [(each.id, each.members, each.role) for each in found] == [(str(large), 2, ""), (str(small), 1, "")]
    assert str(mine) not in {each.id for each in found}


async def test_browsing_takes_a_search_literally(cast: Cast) -> None:
    word = secrets.token_hex(6)
    percent = await room(cast.ada, name=f"{word} 100% sure")
    await room(cast.ada, name=f"{word} 100 sure")
    assert [each.id for each in await queries.browse(cast.linus.actor, f"{word} 100%")] == [str(percent)]
    for hostile in ("\0", "\ud800", "%", "_", "\\", "' or 1=1 --", "x" * 100_000):
        assert isinstance(await queries.browse(cast.linus.actor, hostile), tuple)


async def test_browsing_is_bounded(cast: Cast) -> None:
    for _ in range(3):
        await room(cast.ada)
    assert len(await queries.browse(cast.linus.actor, limit=2)) == 2
