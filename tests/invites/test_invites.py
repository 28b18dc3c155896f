"""Invites: good for whom they should be, as long and as often as they should be."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr

from chatapp import settings
from chatapp.errors import Forbidden, Invalid, NotAMember, NotFound, Unavailable
from chatapp.invites import actions, queries
from chatapp.rooms import actions as rooms
from chatapp.rooms.queries import room as room_of
from chatapp.settings import Settings
from tests.cast import Cast, room, someone
from tests.conftest import Sql

SITE = "http://localhost:3000"
NOT_GOOD = "This invite link is not valid any more."


async def refused(cast: Cast, token: str) -> bool:
    """Tell whether Linus gets neither a look nor in, in the same words."""
    for verb in (queries.room, actions.accept_invite):
        with pytest.raises(NotFound) as no:
            await verb(cast.linus.actor, token)
        assert no.value.message == NOT_GOOD
    return True


async def test_an_invite_shows_the_room_and_lets_in(cast: Cast) -> None:
    place = await room(cast.ada, private=True, name="Secret")
    token = await actions.create_invite(cast.ada.actor, place)
    preview = await queries.room(cast.linus.actor, token)
    assert (preview.id, preview.name, preview.role, preview.members) == (str(place), "Secret", "", 1)
    assert await queries.inviter(cast.linus.actor, token) == "Ada Lovelace"
    assert not await queries.inviter(cast.linus.actor, f"{token}x")
    assert await actions.accept_invite(cast.linus.actor, token) == place
    assert (await room_of(cast.linus.actor, place)).role == "member"
    assert (await queries.room(cast.linus.actor, token)).role == "member"


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
    assert (await room_of(cast.ada.actor, place)).members == 2


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
    assert (await queries.room(cast.linus.actor, token)).id == str(place)
    await psql.execute(change, [place])
    assert await refused(cast, token)


async def test_an_invite_ends_with_its_makers_right_to_invite(cast: Cast) -> None:
    """Somebody who was removed must not get back in by a link of their own."""
    place = await room(cast.ada, cast.linus, private=True)
    await rooms.change_role(cast.ada.actor, place, cast.linus.id, "admin")
    token = await actions.create_invite(cast.linus.actor, place)
    await rooms.remove_member(cast.ada.actor, place, cast.linus.id)
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
    (made,) = await queries.invites(cast.grace.actor, place)
    for nobodys in (UUID(made.id), uuid4()):
        with pytest.raises(NotFound):
            await actions.revoke(cast.linus.actor, nobodys)
    assert (await queries.room(cast.linus.actor, token)).id == str(place)
    for _ in range(2):
        await actions.revoke(cast.ada.actor, UUID(made.id))  # not hers, but her room
    assert await refused(cast, token)


async def test_the_list_is_of_ones_own_or_of_a_room_one_runs(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    hers = await actions.create_invite(cast.ada.actor, place)
    his = await actions.create_invite(cast.grace.actor, place, days=1)
    await actions.accept_invite(cast.linus.actor, his)
    seen = await queries.invites(cast.ada.actor, place)
    assert [(each.token, each.by, each.uses) for each in seen] == [(his, "Grace Hopper", 1), (hers, "", 0)]
    assert [each.token for each in await queries.invites(cast.grace.actor, place)] == [his]
    assert await queries.invites(cast.linus.actor, place) == ()
    with pytest.raises(NotAMember):
        await queries.invites((await someone("Nobody")).actor, place)


@pytest.mark.parametrize("how", ["expires_at = now()", "revoked_at = now()", "max_uses = 1, uses = 1"])
async def test_what_works_no_more_is_not_listed(cast: Cast, psql: Sql, how: str) -> None:
    place = await room(cast.ada)
    await actions.create_invite(cast.ada.actor, place)
    await psql.execute(f"update room_invites set {how} where room_id = %s", [place])
    assert await queries.invites(cast.ada.actor, place) == ()


async def test_a_link_can_be_shown_again_by_whoever_has_the_secret_key_alone(
    cast: Cast, project: Settings, psql: Sql
) -> None:
    place = await room(cast.ada, private=True)
    token = await actions.create_invite(cast.ada.actor, place)
    assert queries.token_of(await actions.current_invite(cast.ada.actor, place)) == token
    settings.use(project.model_copy(update={"supabase_secret_key": SecretStr("another")}))
    try:
        assert [each.token for each in await queries.invites(cast.ada.actor, place)] == [""]
        assert await actions.accept_invite(cast.grace.actor, token) == place  # it still works
        assert queries.token_of(await actions.current_invite(cast.ada.actor, place)) != token
    finally:
        settings.use(project)


async def test_the_current_link_is_one_of_mine_that_anybody_can_use(cast: Cast) -> None:
    place = await room(cast.ada, cast.grace)
    await actions.create_invite(cast.ada.actor, place)
    await actions.create_invite(cast.grace.actor, place, max_uses=1)
    current = await actions.current_invite(cast.grace.actor, place)
    assert await actions.current_invite(cast.grace.actor, place) == current
    assert str(current) in [each.id for each in await queries.invites(cast.grace.actor, place) if not each.left]


async def test_two_tabs_at_once_make_one_link(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    place, look = await room(cast.ada), queries.current

    async def slowly(*asked: Any) -> UUID | None:
        found = await look(*asked)
        await asyncio.sleep(0.3)  # in which the other looks, too, if it may
        return found

    monkeypatch.setattr(queries, "current", slowly)
    one, other = await asyncio.gather(*(actions.current_invite(cast.ada.actor, place) for _ in range(2)))
    assert one == other
    assert [each.id for each in await queries.invites(cast.ada.actor, place)] == [str(one)]


async def test_there_is_an_end_to_making_links(cast: Cast) -> None:
    place = await room(cast.ada)
    for _ in range(20):
        await actions.create_invite(cast.ada.actor, place)
    with pytest.raises(Invalid, match="Revoke one"):
        await actions.create_invite(cast.ada.actor, place)
    newest, *_ = await queries.invites(cast.ada.actor, place)
    await actions.revoke(cast.ada.actor, UUID(newest.id))
    assert await actions.create_invite(cast.ada.actor, place)


async def test_an_address_that_is_known_is_a_member_at_once(cast: Cast) -> None:
    place, met = await room(cast.ada, private=True), await someone("Dee Delta")
    assert await actions.invite_address(cast.ada.actor, place, f" {met.email.upper()} ", SITE) == "added"
    assert (await room_of(met.actor, place)).role == "member"
    assert await actions.invite_address(cast.ada.actor, place, met.email, SITE) == "already"
    assert (await room_of(met.actor, place)).members == 2


async def test_an_unknown_address_gets_a_mail_that_leads_here(cast: Cast, project: Settings) -> None:
    place, address = await room(cast.ada, private=True), f"new-{uuid4().hex[:8]}@example.com"
    assert await actions.invite_address(cast.ada.actor, place, address, SITE) == "mailed"
    (invite,) = await queries.invites(cast.ada.actor, place)
    assert invite.left == 1
    async with httpx.AsyncClient() as http:
        (mail,) = (await http.get(f"{project.supabase_url}/outbox.json", params={"to": address})).json()
        opened = await http.get(mail["link"])
    assert mail["kind"] == "invite"
    assert opened.headers["location"].startswith(f"{SITE}/welcome?next=/invite/{invite.token}#access_token=")


async def test_who_may_invite_by_address(cast: Cast) -> None:
    private, address = await room(cast.ada, cast.grace, private=True), cast.linus.email
    with pytest.raises(Forbidden):
        await actions.invite_address(cast.grace.actor, private, address, SITE)
    with pytest.raises(NotAMember):
        await actions.invite_address(cast.linus.actor, private, address, SITE)
    with pytest.raises(Invalid):
        await actions.invite_address(cast.ada.actor, private, "nonsense", SITE)


async def test_addresses_cannot_be_tried_one_after_the_other(cast: Cast, psql: Sql) -> None:
    guesser = await someone("Guesser")
    place = await room(guesser)
    await psql.execute(
        "insert into private.address_lookups (user_id) select %s from generate_series(1, 29)", [guesser.id]
    )
    assert await actions.invite_address(guesser.actor, place, cast.grace.email, SITE) == "added"
    with pytest.raises(Invalid, match="Too many addresses"):
        await actions.invite_address(guesser.actor, place, cast.linus.email, SITE)


async def test_a_mail_that_cannot_be_sent_leaves_no_link(cast: Cast, project: Settings) -> None:
    place = await room(cast.ada)
    settings.use(project.model_copy(update={"supabase_url": "http://127.0.0.1:1"}))
    try:
        with pytest.raises(Unavailable):
            await actions.invite_address(cast.ada.actor, place, f"new-{uuid4().hex[:8]}@example.com", SITE)
    finally:
        settings.use(project)
    assert await queries.invites(cast.ada.actor, place) == ()
