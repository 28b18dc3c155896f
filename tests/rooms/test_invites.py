"""Invites: good for whom they should be, as long and as often as they should be."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from chatapp.errors import Forbidden, Invalid, NotAMember, NotFound
from chatapp.rooms import actions, queries
from tests.cast import Cast, room, someone
from tests.conftest import Sql

NOT_GOOD = "This invite link is not valid any more."


async def refused(cast: Cast, token: str) -> bool:
    """Tell whether Linus gets neither a look nor in, in the same words."""
    for verb in (queries.invite, actions.accept_invite):
        with pytest.raises(NotFound) as no:
            await verb(cast.linus.actor, token)
        assert no.value.message == NOT_GOOD
    return True


async def test_an_invite_shows_the_room_and_lets_in(cast: Cast) -> None:
    place = await room(cast.ada, private=True, name="Secret")
    token = await actions.create_invite(cast.ada.actor, place)
    preview = await queries.invite(cast.linus.actor, token)
    assert (preview.id, preview.name, preview.role, preview.members) == (str(place), "Secret", "", 1)
    assert await actions.accept_invite(cast.linus.actor, token) == place
    assert (await queries.room(cast.linus.actor, place)).role == "member"
    assert (await queries.invite(cast.linus.actor, token)).role == "member"


async def test_the_token_is_not_stored(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada)
    token = await actions.create_invite(cast.ada.actor, place)
    row = await (await psql.execute("select * from room_invites where room_id = %s", [place])).fetchone()
    assert row
    assert len(token) >= 32
    assert token not in str(row)
    assert row["token_hash"] == queries.token_hash(token)


async def test_accepting_twice_uses_one(cast: Cast, psql: Sql) -> None:
    place = await room(cast.ada, private=True)
    token = await actions.create_invite(cast.ada.actor, place, max_uses=1)
    for _ in range(2):
        assert await actions.accept_invite(cast.grace.actor, token) == place
    row = await (await psql.execute("select uses from room_invites where room_id = %s", [place])).fetchone()
    assert row == {"uses": 1}
    assert await refused(cast, token)


async def test_the_last_use_goes_to_one_of_many(cast: Cast) -> None:
    place = await room(cast.ada, private=True)
    token = await actions.create_invite(cast.ada.actor, place, max_uses=1)
    crowd = [await someone(f"Person {number}") for number in range(4)]
    outcomes = await asyncio.gather(
        *(actions.accept_invite(person.actor, token) for person in crowd), return_exceptions=True
    )
    assert outcomes.count(place) == 1
    assert (await queries.room(cast.ada.actor, place)).members == 2


@pytest.mark.parametrize(
    "change",
    [
        "update room_invites set expires_at = now() where room_id = %s",
        "update room_invites set revoked_at = now() where room_id = %s",
        "update chat_rooms set archived_at = now() where id = %s",
        "delete from chat_rooms where id = %s",
    ],
)
async def test_invites_end(cast: Cast, psql: Sql, change: str) -> None:
    place = await room(cast.ada, private=True)
    token = await actions.create_invite(cast.ada.actor, place)
    assert (await queries.invite(cast.linus.actor, token)).id == str(place)
    await psql.execute(change, [place])
    assert await refused(cast, token)


async def test_an_invite_ends_with_its_makers_right_to_invite(cast: Cast) -> None:
    """Somebody who was removed must not get back in by a link of their own."""
    place = await room(cast.ada, cast.linus, private=True)
    await actions.change_role(cast.ada.actor, place, cast.linus.id, "admin")
    token = await actions.create_invite(cast.linus.actor, place)
    await actions.remove_member(cast.ada.actor, place, cast.linus.id)
    assert await refused(cast, token)


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "x" * 100_000, "' or 1=1 --"])
async def test_no_such_invite(cast: Cast, token: str) -> None:
    assert await refused(cast, token)


async def test_who_may_invite(cast: Cast) -> None:
    public, private = await room(cast.ada, cast.grace), await room(cast.ada, cast.grace, private=True)
    assert await actions.create_invite(cast.grace.actor, public)
    with pytest.raises(Forbidden):
        await actions.create_invite(cast.grace.actor, private)
    for where in (public, private, uuid4()):
        with pytest.raises(NotAMember):
            await actions.create_invite(cast.linus.actor, where)


@pytest.mark.parametrize(("days", "max_uses"), [(0, None), (-1, None), (366, None), (7, 0), (7, -1)])
async def test_limits_that_cannot_be(cast: Cast, days: int, max_uses: int | None) -> None:
    place = await room(cast.ada)
    with pytest.raises(Invalid):
        await actions.create_invite(cast.ada.actor, place, days, max_uses)


async def test_revoking(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    token = await actions.create_invite(cast.grace.actor, place)
    with pytest.raises(NotFound):
        await actions.revoke_invite(cast.linus.actor, token)
    assert (await queries.invite(cast.linus.actor, token)).id == str(place)
    await actions.revoke_invite(cast.ada.actor, token)  # not hers, but her room
    assert await refused(cast, token)
