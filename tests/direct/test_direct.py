"""Direct messages: one room for a set of people, with no name, no roles and no way in or out."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psycopg
import pytest

from chatapp.direct import actions, queries
from chatapp.direct.actions import open_direct
from chatapp.errors import ChatError, Forbidden, Invalid, NotAMember, NotFound
from chatapp.invites import actions as invites
from chatapp.rooms import actions as rooms
from chatapp.rooms import queries as room_queries
from tests.cast import Cast, Someone, room, say, someone
from tests.conftest import Sql


async def three() -> tuple[Someone, Someone, Someone]:
    """Three people who share a room, and no other with anybody."""
    people = (await someone("Ann Alpha"), await someone("Ben Beta"), await someone("Cy Gamma"))
    await room(*people)
    return people


async def names(who: Someone) -> list[str]:
    return [each.name for each in await room_queries.my_rooms(who.actor)]


async def test_the_same_people_come_back_to_the_same_room_whoever_asks(project: object) -> None:
    ann, ben, cy = await three()
    pair = await open_direct(ann.actor, [ben.id])
    assert await open_direct(ben.actor, [ann.id]) == pair
    assert await open_direct(ben.actor, [ann.id, ben.id, ann.id]) == pair
    group = await open_direct(cy.actor, [ann.id, ben.id])
    assert group != pair
    assert await open_direct(ann.actor, [cy.id], [ben.email.upper()]) == group


async def test_everybody_at_once_gets_one_room(project: object) -> None:
    ann, ben, cy = await three()
    asked = [open_direct(who.actor, [each.id for each in (ann, ben, cy)]) for who in (ann, ben, cy) * 3]
    assert len(set(await asyncio.gather(*asked))) == 1


async def test_it_goes_by_the_names_of_the_others(project: object) -> None:
    ann, ben, cy = await three()
    group = await open_direct(ann.actor, [ben.id, cy.id])
    seen = {who.name: (await room_queries.room(who.actor, group)) for who in (ann, ben, cy)}
    assert {name: found.name for name, found in seen.items()} == {
        "Ann Alpha": "Ben Beta, Cy Gamma",
        "Ben Beta": "Ann Alpha, Cy Gamma",
        "Cy Gamma": "Ann Alpha, Ben Beta",
    }
    assert {found.kind for found in seen.values()} == {"direct"}
    assert {found.role for found in seen.values()} == {"member"}
    assert [person.initials for person in seen["Ann Alpha"].others] == ["BB", "CG"]


async def test_the_others_find_it_on_their_list_once_something_is_said(project: object) -> None:
    ann, ben, _ = await three()
    pair = await open_direct(ann.actor, [ben.id])
    assert await names(ann) == ["Ben Beta", "A room"]
    assert await names(ben) == ["A room"]
    await say(ann, pair, "hello")
    assert await names(ben) == ["Ann Alpha", "A room"]


async def test_who_is_left_alone_still_has_what_was_said(psql: Sql, project: object) -> None:
    ann, ben, _ = await three()
    pair = await open_direct(ann.actor, [ben.id])
    await say(ben, pair, "hello")
    await psql.execute("delete from auth.users where id = %s", [ben.id])
    assert (await room_queries.room(ann.actor, pair)).name == "Deleted account"


async def test_nobody_joins_leaves_runs_or_invites(cast: Cast) -> None:
    ann, ben, _ = await three()
    pair = await open_direct(ann.actor, [ben.id])
    for refused in (
        rooms.leave(ann.actor, pair),
        rooms.remove_member(ann.actor, pair, ben.id),
        rooms.describe(ann.actor, pair, "A name", ""),
        rooms.archive(ann.actor, pair),
        rooms.delete_room(ann.actor, pair),
        rooms.change_role(ann.actor, pair, ann.id, "owner"),
        invites.create_invite(ann.actor, pair),
        invites.invite_address(ann.actor, pair, cast.linus.email, "http://localhost"),
    ):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(NotFound):
        await rooms.join(cast.linus.actor, pair)
    with pytest.raises(NotAMember):
        await rooms.describe(cast.linus.actor, pair, "A name", "")
    assert str(pair) not in [found.id for found in await room_queries.browse(cast.linus.actor)]
    assert (await room_queries.room(ben.actor, pair)).members == 2


async def test_strangers_look_like_nobody(cast: Cast) -> None:
    ann, ben, _ = await three()
    for person in (cast.linus.id, uuid4()):
        with pytest.raises(NotFound) as refused:
            await open_direct(ann.actor, [ben.id, person])
        assert refused.value.message == "You share no room with that person."


async def test_a_stranger_is_found_by_the_exact_address_alone(project: object) -> None:
    ann, _, _ = await three()
    met = await someone("Dee Delta")
    for address in (met.email.replace("@", "x@"), met.email[1:], "%", "nobody@example.com"):
        with pytest.raises(ChatError):
            await open_direct(ann.actor, [], [address])
    pair = await open_direct(ann.actor, [], [f" {met.email.upper()} "])
    assert (await room_queries.room(ann.actor, pair)).name == "Dee Delta"


async def test_an_address_that_nobody_has_confirmed_is_nobodys(psql: Sql, project: object) -> None:
    ann, _, _ = await three()
    met = await someone("Dee Delta")
    await psql.execute("update auth.users set email_confirmed_at = null where id = %s", [met.id])
    with pytest.raises(NotFound):
        await open_direct(ann.actor, [], [met.email])


async def test_addresses_cannot_be_tried_one_after_the_other(project: object) -> None:
    ann, _, _ = await three()
    met = await someone("Dee Delta")
    tries = [open_direct(ann.actor, [], [f"guess-{number}@example.com"]) for number in range(40)]
    outcomes = [str(outcome) for outcome in await asyncio.gather(*tries, return_exceptions=True)]
    assert outcomes.count("Nobody here goes by that address.") == 30
    with pytest.raises(Invalid, match="Too many addresses"):
        await open_direct(ann.actor, [], [met.email])


@pytest.mark.parametrize(("people", "sentence"), [(0, "Choose somebody"), (9, "8 people"), (30, "8 people")])
async def test_how_many(project: object, people: int, sentence: str) -> None:
    ann = await someone("Ann Alpha")
    others = [await someone(f"Person {number}") for number in range(min(people, 9))]
    await room(ann, *others)
    chosen = [other.id for other in others] + [uuid4() for _ in range(people - len(others))]
    with pytest.raises(Invalid, match=sentence):
        await open_direct(ann.actor, chosen)
    assert people != 9 or await open_direct(ann.actor, chosen[: actions.PEOPLE_MOST])


async def test_whom_one_may_pick(project: object) -> None:
    ann, ben, cy = await three()
    await room(ann, cy)
    assert [person.name for person in await queries.people(ann.actor)] == ["Cy Gamma", "Ben Beta"]
    assert [person.id for person in await queries.people(ann.actor, " BETA")] == [str(ben.id)]
    assert await queries.people(ann.actor, "%") == ()
    assert await queries.people((await someone("Lonely")).actor) == ()


@pytest.mark.parametrize(
    "values",
    [
        "(name, kind, is_private) values ('', 'direct', true)",
        "(name, kind, is_private, direct_key) values ('n', 'direct', true, sha256('k'))",
        "(name, kind, is_private, direct_key) values ('', 'direct', false, sha256('k'))",
        "(name, direct_key) values ('n', sha256('k'))",
        "(name, kind) values ('n', 'other')",
        "(name) values ('')",
    ],
)
async def test_rooms_that_are_neither_one_nor_the_other(psql: Sql, project: object, values: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await psql.execute(f"insert into chat_rooms {values}")
