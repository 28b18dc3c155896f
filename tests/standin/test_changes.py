"""`postgres_changes`, through the unmodified client: rows written from psql reach whom they should, and nobody else."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import threading
import time

import psycopg
import pytest
from websockets.asyncio.client import connect

from chatapp.standin.postgres import SUPERUSER
from chatapp.standin.realtime.filters import Filter, FilterError, parse
from chatapp.standin.record import load_record
from tests.standin.helpers import until


@pytest.fixture
def table(database: psycopg.Connection):
    """A published table of many types, its own for each test; guarded by a policy only where a test adds it."""
    name = f"notes_{secrets.token_hex(4)}"
    database.execute(
        f"""create table public.{name} (
              id int primary key, owner uuid, title text, amount numeric, done boolean, tags text[], extra jsonb,
              at timestamptz, body text);
            alter publication supabase_realtime add table public.{name}"""
    )
    yield name
    database.execute(f"drop table public.{name}")


@pytest.fixture
def superuser(project, shared_data):
    """Who can do what no project's owner can: see every connection, and set up the server."""
    record = load_record(shared_data)
    assert record
    url = f"postgresql://{SUPERUSER}:{record.superuser_password}@127.0.0.1:{record.db_port}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


class Watcher:
    """A channel that asked for changes, and what it was told."""

    def __init__(self, client, table: str, event: str = "*", **options) -> None:
        self.told, self.systems, self.states = [], [], []
        self.channel = client.channel(f"watch-{secrets.token_hex(4)}")
        self.channel.on_postgres_changes(event, schema="public", table=table, callback=self._hear, **options)
        self.channel.on_system(self.systems.append)

    def _hear(self, payload: dict) -> None:
        assert all(payload["ids"])
        self.told.append(payload["data"])

    async def watch(self) -> Watcher:
        await self.channel.subscribe(lambda state, error: self.states.append((state.value, str(error or ""))))
        await until(lambda: self.systems or len(self.states) > 1 or self._errored)
        return self

    @property
    def _errored(self) -> bool:
        return any(state == "CHANNEL_ERROR" for state, _ in self.states)

    @property
    def ids(self) -> list[int]:
        return [(each.get("record") or each["old_record"])["id"] for each in self.told]


async def test_an_insert_is_told_with_json_types(sign_up, database, table) -> None:
    ada = await Watcher((await sign_up("ada")).client, table).watch()
    assert ada.systems[0].message == "Subscribed to PostgreSQL"
    database.execute(
        f"insert into {table} values (1, null, 'é \"quoted\"', 1.50, true, '{{a,\"b c\"}}', '{{\"n\": [1, null]}}', "
        "'2026-01-02 03:04:05.678+00')"
    )
    await until(lambda: ada.told)
    told = ada.told[0]
    assert told["record"] == {
        "id": 1,
        "owner": None,
        "title": 'é "quoted"',
        "amount": 1.50,
        "done": True,
        "tags": ["a", "b c"],
        "extra": {"n": [1, None]},
        "at": "2026-01-02T03:04:05.678+00:00",
        "body": None,
    }
    assert (told["schema"], told["table"], told["type"], told["errors"]) == ("public", table, "INSERT", None)
    assert told["columns"][0] == {"name": "id", "type": "int4"}
    assert told["columns"][5] == {"name": "tags", "type": "_text"}
    assert time.strftime("%Y-%m-%dT%H", time.gmtime()) == told["commit_timestamp"][:13]
    assert told["commit_timestamp"].endswith("Z")
    assert "old_record" not in told


async def test_updates_and_deletes_tell_the_key_and_all_only_where_asked(sign_up, database, table) -> None:
    ada = await Watcher((await sign_up("ada")).client, table).watch()
    database.execute(f"insert into {table} (id, title) values (1, 'one')")
    database.execute(f"update {table} set title = 'two'")
    database.execute(f"update {table} set id = 2")
    database.execute(f"alter table {table} replica identity full")
    database.execute(f"update {table} set title = 'three'")
    database.execute(f"delete from {table}")
    await until(lambda: len(ada.told) == 5)
    _, update, rekeyed, full, delete = ada.told
    assert (update["record"]["title"], update["old_record"]) == ("two", {"id": 1})
    assert (rekeyed["record"]["id"], rekeyed["old_record"]) == (2, {"id": 1})
    assert (full["record"]["title"], full["old_record"]["title"]) == ("three", "two")
    assert (delete["type"], delete["old_record"]["title"]) == ("DELETE", "three")
    assert "record" not in delete


async def test_one_kind_only(sign_up, database, table) -> None:
    client = (await sign_up("ada")).client
    watchers = [await Watcher(client, table, event).watch() for event in ("INSERT", "UPDATE", "DELETE")]
    database.execute(f"insert into {table} (id) values (1)")
    database.execute(f"update {table} set title = 'x'")
    database.execute(f"delete from {table}")
    await until(lambda: all(watcher.told for watcher in watchers))
    assert [[told["type"] for told in watcher.told] for watcher in watchers] == [["INSERT"], ["UPDATE"], ["DELETE"]]


ROWS = [
    (1, "apple", 5, True),
    (2, "Banana", 10, False),
    (3, None, 15, None),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id=eq.2", [2]),
        ("id=neq.2", [1, 3]),
        ("amount=lt.10", [1]),
        ("amount=lte.10.0", [1, 2]),
        ("amount=gt.10", [3]),
        ("amount=gte.10", [2, 3]),
        ("id=in.(1,3)", [1, 3]),
        ('title=in.("apple","x,y")', [1]),
        ("title=like.app%", [1]),
        ("title=ilike.ban%", [2]),
        ("title=match.^[a-z]+$", [1]),
        ("title=imatch.^b", [2]),
        ("title=is.null", [3]),
        ("done=is.true", [1]),
        ("title=isdistinct.apple", [2, 3]),
        ("id=not.eq.2", [1, 3]),
        ("title=not.like.app%", [2]),
        ("title=not.is.null", [1, 2]),
        ("id=not.in.(1,2)", [3]),
        ("id=gt.1,id=lt.3", [2]),
    ],
)
async def test_filters(clients, database, table, text: str, expected: list[int]) -> None:
    client = await clients()
    watcher, everything = await Watcher(client, table, filter=text).watch(), await Watcher(client, table).watch()
    with database.cursor() as cursor:
        cursor.executemany(f"insert into {table} (id, title, amount, done) values (%s, %s, %s, %s)", ROWS)
    await until(lambda: everything.ids == [1, 2, 3])  # all three have been judged
    assert watcher.ids == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id=foo.1", "Error parsing"),
        ("undefined", "Error parsing"),
        ("nothing=eq.1", "invalid column for filter nothing"),
        ("id=eq.apple", "invalid input syntax"),
        ("id=in.5", "Error parsing"),
        (f"id=in.({','.join('1' * 101)})", "Maximum 100"),
        ("title=is.maybe", "invalid value for is filter"),
        ("title=match.(", "regular expression"),
        ("id=like.1%", "operator"),
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(clients, table, text: str, reason: str) -> None:
    watcher = await Watcher(await clients(), table, filter=text).watch()
    assert any(reason in error for state, error in watcher.states if state == "CHANNEL_ERROR"), watcher.states


async def test_a_table_that_is_not_published_is_refused(clients, database) -> None:
    watcher = await Watcher(await clients(), "nothing").watch()
    assert any("check Realtime is enabled" in error for _, error in watcher.states)


async def test_only_who_may_select_the_row_is_told(sign_up, clients, database, table, project) -> None:
    ada, grace = await sign_up("ada"), await sign_up("grace")
    database.execute(
        f"alter table {table} enable row level security; "
        f"create policy own on {table} for select to authenticated using (owner = auth.uid())"
    )
    at_ada, at_grace = await Watcher(ada.client, table).watch(), await Watcher(grace.client, table).watch()
    at_nobody = await Watcher(await clients(), table).watch()
    at_service = await Watcher(await clients(project.secret_key), table).watch()
    for number, owner in enumerate([ada.id, grace.id, None, ada.id]):
        database.execute(f"insert into {table} (id, owner, title) values (%s, %s, 'secret')", [number, owner])
    await until(lambda: at_service.ids == [0, 1, 2, 3])  # a row is judged while it is there
    database.execute(f"alter table {table} replica identity full")
    database.execute(f"delete from {table} where id = 0")
    everybody = (at_ada, at_grace, at_nobody, at_service)
    await until(lambda: all(each.told and each.told[-1]["type"] == "DELETE" for each in everybody))
    assert [each.ids for each in everybody] == [[0, 3, 0], [1, 0], [0], [0, 1, 2, 3, 0]]
    assert [each.told[-1]["old_record"] for each in everybody] == [{"id": 0}] * 4, "a deletion tells the key alone"


async def test_a_policy_that_fails_is_a_no(sign_up, database, table) -> None:
    database.execute(
        f"alter table {table} enable row level security; "
        f"create policy broken on {table} for select to authenticated using (id <> 1 or 1 / (id - id) = 0)"
    )
    ada = await Watcher((await sign_up("ada")).client, table).watch()
    for number in (1, 2):
        database.execute(f"insert into {table} (id) values ({number})")
    await until(lambda: ada.told)
    assert ada.ids == [2]


async def test_columns_that_must_not_be_read_are_left_out(sign_up, database, table) -> None:
    database.execute(
        f"revoke select on {table} from authenticated; grant select (id, title) on {table} to authenticated"
    )
    ada = await Watcher((await sign_up("ada")).client, table).watch()
    database.execute(f"insert into {table} (id, title, body) values (1, 'seen', 'hidden')")
    await until(lambda: ada.told)
    assert ada.told[0]["record"] == {"id": 1, "title": "seen"}
    database.execute(f"revoke select (id) on {table} from authenticated")
    database.execute(f"insert into {table} (id, title) values (2, 'seen')")
    await until(lambda: len(ada.told) == 2)
    assert (ada.told[1]["errors"], ada.told[1]["record"]) == (["Error 401: Unauthorized"], {})


async def test_what_is_known_of_a_table_is_never_older_than_the_change(
    sign_up, clients, project, database, table
) -> None:
    """The catalogue is read once: Postgres must tell of whatever alters a table, its rights and its policies."""
    reader = f"reader_{secrets.token_hex(4)}"
    ada = await Watcher((await sign_up("ada")).client, table).watch()
    service = await Watcher(await clients(project.secret_key), table).watch()
    steps = [
        ("select 1", {"title", "body"}),
        (f"revoke select on {table} from authenticated", None),
        (f"grant select (id, title) on {table} to authenticated", {"title"}),
        (f"grant select on {table} to authenticated", {"title", "body"}),
        (f"alter table {table} rename column body to long", {"title", "long"}),
        (f"alter table {table} add column more int default 7", {"title", "long", "more"}),
        (f"alter table {table} enable row level security", ()),
        (f"create policy p on {table} for select to authenticated using (id > 0)", {"title", "long", "more"}),
        (f"alter policy p on {table} using (false)", ()),
        (f"alter table {table} disable row level security", {"title", "long", "more"}),
        (f"revoke select on {table} from authenticated", None),
        (f"create role {reader}; grant select on {table} to {reader}", None),
        (f"grant {reader} to authenticated with inherit true", {"title", "long", "more"}),
        (f"revoke {reader} from authenticated", None),
        (
            f"revoke all on {table} from {reader}; drop role {reader}; grant select on {table} to authenticated",
            {"title", "long", "more"},
        ),
    ]
    for number, (statement, _) in enumerate(steps, 1):
        database.execute(statement)
        database.execute(f"insert into {table} (id, title) values ({number}, 'one')")
        await until(lambda: number in service.ids)  # noqa: B023 - told last, and of all
    heard = {number: told for number, (_, told) in enumerate(steps, 1) if told != ()}
    await until(lambda: len(ada.told) == len(heard))
    for told, (number, columns) in zip(ada.told, heard.items(), strict=True):
        if columns is None:
            assert (told["errors"], told["record"]) == (["Error 401: Unauthorized"], {}), steps[number - 1]
        else:
            assert told["record"]["id"] == number
            assert {"title", "body", "long", "more"} & set(told["record"]) == columns, steps[number - 1]


async def test_a_row_is_judged_only_once_others_can_see_it(sign_up, database, table, superuser) -> None:
    """The log tells of a commit before it is visible: here the commit waits in between, for a replica there is not."""
    database.execute(
        f"alter table {table} enable row level security; "
        f"create policy all_of_it on {table} for select to authenticated using (true)"
    )
    ada = await Watcher((await sign_up("ada")).client, table).watch()
    blocked = threading.Event()

    def insert() -> int:
        """Settings reach the server's processes one by one: write until one has waited."""
        for number in itertools.count(1):
            database.execute(f"insert into {table} (id) values ({number})")
            if blocked.is_set():
                return number
        return 0

    try:
        superuser.execute("alter system set synchronous_standby_names = 'nobody'")
        superuser.execute("select pg_reload_conf()")
        writing = asyncio.create_task(asyncio.to_thread(insert))
        await until(lambda: superuser.execute(JUDGED).fetchone())
    finally:
        blocked.set()
        superuser.execute("alter system reset synchronous_standby_names")
        superuser.execute("select pg_reload_conf()")
    last = await writing
    await until(lambda: len(ada.told) == last)
    assert ada.ids == list(range(1, last + 1))


JUDGED = "select 1 from pg_stat_activity where application_name = 'standin-changes' and wait_event = 'PgSleep'"


async def test_changes_go_on_after_their_connection_was_lost(sign_up, database, table, superuser) -> None:
    database.execute(
        f"alter table {table} enable row level security; "
        f"create policy all_of_it on {table} for select to authenticated using (true)"
    )
    ada = await Watcher((await sign_up("ada")).client, table).watch()
    for number in range(1, 4):
        database.execute(f"insert into {table} (id) values ({number})")
        await until(lambda: len(ada.told) == number)  # noqa: B023 - told last
        ended = (
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'standin-changes'"
        )
        assert superuser.execute(ended).fetchall() == [(True,)]
    assert ada.ids == [1, 2, 3]


async def test_only_whose_filter_is_met_is_asked_for_under_policies(sign_up, database, table) -> None:
    """Asking costs most, and a policy may be seen to run."""
    asked = f"asked_{table}"
    database.execute(
        f"create sequence {asked}; grant usage on {asked} to authenticated; "
        f"alter table {table} enable row level security; create policy counted on {table} for select to authenticated "
        f"using (nextval('{asked}') > 0)"
    )
    ada = await Watcher((await sign_up("ada")).client, table, filter="id=eq.1").watch()
    grace = await Watcher((await sign_up("grace")).client, table, filter="id=eq.2").watch()
    for number in (1, 2, 3):
        database.execute(f"insert into {table} (id) values ({number})")
    everything = await Watcher((await sign_up("linus")).client, table).watch()
    database.execute(f"insert into {table} (id) values (4)")
    await until(lambda: everything.told)
    assert (ada.ids, grace.ids, everything.ids) == ([1], [2], [4])
    assert database.execute(f"select last_value from {asked}").fetchone() == (3,)
    database.execute(f"drop policy counted on {table}; drop sequence {asked}")


async def test_only_the_columns_asked_for_and_the_key(clients, database, table) -> None:
    client = await clients()
    watcher = await Watcher(client, table, select=["title"]).watch()
    refused = await Watcher(client, table, select=["nothing"]).watch()
    database.execute(f"insert into {table} (id, title, body) values (1, 'seen', 'long')")
    await until(lambda: watcher.told)
    assert watcher.told[0]["record"] == {"id": 1, "title": "seen"}
    assert "invalid column for select nothing" in refused.states[-1][1]


async def test_a_long_value_that_did_not_change_is_left_out_and_a_row_too_long_is_cut(clients, database, table) -> None:
    watcher = await Watcher(await clients(), table).watch()
    database.execute(f"alter table {table} alter column body set storage external")
    database.execute(f"insert into {table} (id, title, body) values (1, 'one', repeat('x', 10000))")
    database.execute(f"update {table} set title = 'two'")
    database.execute(f"update {table} set body = repeat('x', 1100000)")
    await until(lambda: len(watcher.told) == 3)
    insert, update, large = watcher.told
    assert len(insert["record"]["body"]) == 10000
    assert (update["record"]["title"], "body" in update["record"]) == ("two", False)
    assert large["errors"] == ["Error 413: Payload Too Large"]
    assert (large["record"]["title"], "body" in large["record"]) == ("two", False)


async def test_a_rollback_is_never_told_and_a_transaction_in_order(clients, database, table) -> None:
    watcher = await Watcher(await clients(), table).watch()
    with database.transaction(force_rollback=True):
        database.execute(f"insert into {table} (id) values (0)")
    with database.transaction():
        for number in range(1, 51):
            database.execute(f"insert into {table} (id) values ({number})")
    await until(lambda: len(watcher.told) == 50)
    assert watcher.ids == list(range(1, 51))


async def test_nothing_is_told_after_leaving(clients, database, table) -> None:
    client = await clients()
    gone, there = await Watcher(client, table).watch(), await Watcher(client, table).watch()
    await gone.channel.unsubscribe()
    database.execute(f"insert into {table} (id) values (1)")
    await until(lambda: there.told)
    assert gone.told == []


async def test_every_table_of_a_schema_and_ids_in_order(project, database, table) -> None:
    """What `supabase-js` compares: each answer beside its question, with ids that are not 0."""
    url = f"{project.url.replace('http', 'ws')}/realtime/v1/websocket?apikey={project.publishable_key}&vsn=1.0.0"
    asked = [
        {"event": "*", "schema": "public"},
        {"event": "INSERT", "schema": "public", "table": table, "filter": "id=gt.0"},
        {"event": "DELETE", "schema": "*"},
    ]
    async with connect(url) as socket:
        join = {"config": {"postgres_changes": asked}}
        await socket.send(json.dumps({"topic": "realtime:x", "event": "phx_join", "payload": join, "ref": "1"}))
        answered = json.loads(await socket.recv())["payload"]["response"]["postgres_changes"]
        assert [{name: each[name] for name in each if name != "id"} for each in answered] == asked
        ids = [each["id"] for each in answered]
        assert all(ids)
        assert json.loads(await socket.recv())["payload"]["status"] == "ok"
        database.execute(f"insert into {table} (id) values (1)")
        told = json.loads(await socket.recv())
        assert (told["event"], sorted(told["payload"]["ids"])) == ("postgres_changes", sorted(ids[:2]))


def test_filters_are_split_where_they_should_be() -> None:
    assert parse('a=eq."x,y",b=in.("p,q",r),c=not.is.NULL') == (
        Filter("a", "eq", "x,y"),
        Filter("b", "in", '("p,q",r)'),
        Filter("c", "is", "NULL", negated=True),
    )
    for text in ("a", "a=b", "a=eq", "=eq.1", "a=in.1", ","):
        with pytest.raises(FilterError):
            parse(text)
