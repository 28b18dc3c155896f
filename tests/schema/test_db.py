"""transaction(actor): the one way in. It takes on a role, gives it back, and speaks in sentences."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel import col, select

from chatapp import db, settings
from chatapp.accounts import queries as people
from chatapp.accounts.model import Profile
from chatapp.actor import SYSTEM
from chatapp.db import Question, at_once, transaction
from chatapp.errors import Forbidden, Internal, Invalid, NotMigrated, Unavailable
from chatapp.messages import actions as messages
from chatapp.messages.model import Message
from chatapp.rooms.model import Room
from chatapp.settings import Settings
from tests.cast import Cast, room, say
from tests.conftest import Sql, connect

WHO = text("select current_user::text, auth.uid(), current_setting('statement_timeout')")


async def test_a_person_is_authenticated_by_their_id(cast: Cast) -> None:
    async with transaction(cast.ada.actor) as session:
        row = (await (await session.connection()).execute(WHO)).one()
    assert tuple(row) == ("authenticated", cast.ada.id, "8s")


async def test_the_process_is_the_service_role_and_nobody(project: Settings) -> None:
    async with transaction(SYSTEM) as session:
        row = (await (await session.connection()).execute(WHO)).one()
    assert tuple(row)[:2] == ("service_role", None)


async def test_a_connection_is_nobody_again_afterwards(cast: Cast) -> None:
    async with transaction(cast.ada.actor):
        pass
    async with db._engine().connect() as connection:
        claims = "nullif(current_setting('request.jwt.claims', true), '')"
        row = (await connection.execute(text(f"select current_user::text, {claims}"))).one()
    assert tuple(row) == ("chat_app", None)


async def test_a_second_transaction_of_a_session_has_the_actor_too(cast: Cast) -> None:
    async with transaction(cast.ada.actor) as session:
        await session.commit()
        row = (await (await session.connection()).execute(WHO)).one()
    assert row[0] == "authenticated"


ONE = Question(
    text("select current_user::text as role, auth.uid() as me, current_setting('statement_timeout') as most")
)


async def test_a_round_trip_has_an_actor_too(cast: Cast) -> None:
    [[person]] = await at_once(cast.ada.actor, ONE())
    [[process]] = await at_once(SYSTEM, ONE())
    assert tuple(person) == ("authenticated", cast.ada.id, "8s")
    assert (process.role, process.me) == ("service_role", None)
    async with db._engine().connect() as connection:
        who = "select current_user::text, nullif(current_setting('request.jwt.claims', true), '')"
        assert tuple((await connection.execute(text(who))).one()) == ("chat_app", None)


async def test_a_round_trip_is_one_transaction(cast: Cast, psql: Sql) -> None:
    """What comes before a statement that fails is undone."""
    rename = Question(text("update profiles set name = :name where id = auth.uid() returning id"))
    with pytest.raises(Invalid):
        await at_once(cast.ada.actor, rename(name="Somebody else"), rename(name=""))
    assert (await people.profile(cast.ada.actor)).name == cast.ada.name


async def test_a_snapshot_is_of_one_moment_and_only_read(cast: Cast) -> None:
    isolation = Question(text("select current_setting('transaction_isolation') as level"))
    for snapshot, level in ((True, "repeatable read"), (False, "read committed")):
        [first, second] = await at_once(cast.ada.actor, isolation(), isolation(), snapshot=snapshot)
        assert {first[0].level, second[0].level} == {level}
    rename = Question(text("update profiles set name = 'x' where id = auth.uid() returning id"))
    with pytest.raises(Internal):
        await at_once(cast.ada.actor, rename(), snapshot=True)
    assert await people.profile(cast.ada.actor)  # and the connection is of use again


@pytest.mark.parametrize("value", ["'; drop table chat_rooms; --", "\\'; select 1; --", "%s %(x)s {}", "o'é\n🎉"])
async def test_a_value_stays_a_value(cast: Cast, value: str) -> None:
    """Statements of one text carry their values in it, so these are quoted."""
    [[row]] = await at_once(cast.ada.actor, Question(text("select cast(:value as text) as value"))(value=value))
    assert row.value == value


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("select * from sessions", Forbidden),
        ("select 1 / 0", Invalid),
        ("select * from no_such_table", NotMigrated),
        ("selekt", Internal),
        ("select pg_sleep(3)", Unavailable),
    ],
)
async def test_errors_of_a_round_trip_are_sentences(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, statement: str, error: type[Exception]
) -> None:
    monkeypatch.setattr(db, "STATEMENT_TIMEOUT", "50ms")
    with pytest.raises(error) as raised:
        await at_once(cast.ada.actor, Question(text(statement))())
    assert "select" not in str(raised.value)


async def test_people_at_once_do_not_mix(cast: Cast) -> None:
    async def who(number: int) -> bool:
        someone = (cast.ada, cast.grace, cast.linus)[number % 3]
        return (await people.profile(someone.actor)).id == str(someone.id)

    assert all(await asyncio.gather(*(who(number) for number in range(60))))


async def test_an_exception_rolls_back(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with transaction(cast.ada.actor) as session:
            profile = await session.get(Profile, cast.ada.id)
            assert profile
            profile.name = "Somebody else"
            await session.flush()
            raise ZeroDivisionError
    assert (await people.profile(cast.ada.actor)).name == cast.ada.name


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("select * from sessions", Forbidden),
        ("select 1 / 0", Invalid),
        ("insert into chat_rooms (name, created_by) values ('', auth.uid())", Invalid),
        ("select * from no_such_table", NotMigrated),
        ("selekt", Internal),
        ("set local statement_timeout = 10; select pg_sleep(3)", Unavailable),
    ],
)
async def test_errors_are_sentences(cast: Cast, statement: str, error: type[Exception]) -> None:
    async def run() -> None:
        async with transaction(cast.ada.actor) as session:
            await (await session.connection()).exec_driver_sql(statement)

    with pytest.raises(error) as raised:
        await run()
    assert "select" not in str(raised.value)


async def test_dead_connections_are_replaced(cast: Cast, project: Settings) -> None:
    """As after a restart of Postgres: every pooled connection is dead, and nobody notices."""
    await asyncio.gather(*(people.profile(cast.ada.actor) for _ in range(5)))
    async with await connect(project.app_url) as sql:  # the same login may end its own connections
        ended = await sql.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'chat_app' and pid <> pg_backend_pid()"
        )
    assert ended.rowcount >= 1
    found = await asyncio.gather(*(people.profile(cast.ada.actor) for _ in range(5)))
    assert {profile.id for profile in found} == {str(cast.ada.id)}


async def test_a_database_that_is_away_is_unavailable(cast: Cast, project: Settings) -> None:
    away = project.model_copy(update={"app_database_url": SecretStr("postgresql://a:b@127.0.0.1:1/postgres")})
    await db.dispose()
    settings.use(away)
    try:
        with pytest.raises(Unavailable):
            await people.profile(cast.ada.actor)
    finally:
        settings.use(project)
        await db.dispose()


async def test_a_locked_room_is_busy_not_stuck(cast: Cast, psql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await room(cast.ada)
    monkeypatch.setattr(db, "LOCK_TIMEOUT", "50ms")
    async with psql.transaction():
        await psql.execute("select 1 from chat_rooms where id = %s for update", [place])
        with pytest.raises(Unavailable):
            await messages.post(cast.ada.actor, place, "c", "hello")
    assert await say(cast.ada, place, "hello")


async def test_a_full_pool_is_busy(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("POOL_SIZE", 1), ("POOL_OVERFLOW", 0), ("POOL_SECONDS", 0.05)):
        monkeypatch.setattr(db, name, value)
    await db.dispose()
    try:
        async with transaction(cast.ada.actor):
            with pytest.raises(Unavailable, match="busy"):
                await people.profile(cast.ada.actor)
    finally:
        await db.dispose()


async def test_plain_models_can_be_added_by_the_process(cast: Cast) -> None:
    """What triggers and defaults keep is left to them."""
    async with transaction(SYSTEM) as session:
        place = Room(name="By model", created_by=cast.ada.id)
        session.add(place)
        await session.flush()
        message = Message(room_id=place.id, user_id=cast.ada.id, client_id="m", content="hello")
        session.add(message)
        await session.flush()
        assert (message.seq, message.rev) == (1, 2)
        found = (await session.exec(select(Room).where(col(Room.id) == place.id))).one()
        assert found.created_at.tzinfo
