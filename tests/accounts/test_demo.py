"""The stand-in's seeds: there after one start, the same after two, never on a real project."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatapp import demo, settings
from chatapp.accounts import actions, queries
from chatapp.accounts.sessions import hashed
from chatapp.actor import Actor
from chatapp.errors import NotFound
from chatapp.messages import queries as messages
from chatapp.rooms import queries as rooms
from chatapp.settings import Settings
from tests.conftest import Sql


async def as_demo(name: str) -> Actor:
    actor = await queries.actor_of(hashed(await actions.redeem(await actions.continue_as(name))))
    assert actor
    return actor


@pytest.fixture
async def seeded(project: Settings) -> None:
    await demo.seed()


@pytest.mark.usefixtures("seeded")
async def test_everybody_can_be_continued_as() -> None:
    for name, full_name in actions.DEMO_PEOPLE.items():
        assert (await queries.profile(await as_demo(name))).name == full_name


@pytest.mark.usefixtures("seeded")
async def test_seeding_again_changes_nothing(psql: Sql) -> None:
    counts = (
        "select (select count(*) from chat_rooms) as rooms, (select sum(rev) from chat_rooms) as changes,"
        " (select count(*) from auth.users) as people"
    )
    before = await (await psql.execute(counts)).fetchone()
    await demo.seed()
    assert await (await psql.execute(counts)).fetchone() == before


@pytest.mark.usefixtures("seeded")
async def test_general_is_long_enough_to_scroll() -> None:
    ada = await as_demo("Ada")
    said = await messages.newest(ada, demo.demo_id("General"), 1000)
    assert len(said) > 220
    assert [message.seq for message in said] == list(range(1, len(said) + 1))
    times = [message.created_at for message in said]
    assert times == sorted(times)
    assert len({time[:10] for time in times}) > 8
    assert times[-1] < datetime.now(UTC).isoformat()


@pytest.mark.usefixtures("seeded")
async def test_linus_is_in_no_private_room_of_the_others() -> None:
    ada, linus = await as_demo("Ada"), await as_demo("Linus")
    private = {room.name for room in await rooms.my_rooms(ada) if room.is_private}
    assert private == {"Launch"}
    assert not [room for room in await rooms.my_rooms(linus) if room.is_private]
    with pytest.raises(NotFound):
        await rooms.room(linus, demo.demo_id("Launch"))


@pytest.mark.usefixtures("seeded")
async def test_there_is_something_to_browse() -> None:
    assert "Random" in {room.name for room in await rooms.browse(await as_demo("Ada"))}
    assert "Design" in {room.name for room in await rooms.browse(await as_demo("Grace"))}


async def test_a_real_project_is_never_seeded(project: Settings) -> None:
    settings.use(project.model_copy(update={"is_standin": False}))
    try:
        with pytest.raises(NotFound):
            await demo.seed()
    finally:
        settings.use(project)
