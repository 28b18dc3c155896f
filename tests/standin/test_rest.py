"""Tables and functions over HTTP, through the unmodified client, and what no client would send."""

from __future__ import annotations

import secrets
import time
from urllib.parse import quote

import httpx
import psycopg
import pytest
from postgrest import APIError, CountMethod
from supabase import create_client

from chatapp.standin.lifecycle import Project


@pytest.fixture
def notes(database: psycopg.Connection):
    """A table whose rows are their owner's, and anybody's where they are public."""
    name = f"notes_{secrets.token_hex(4)}"
    database.execute(
        f"""create table public.{name} (
              id int primary key, owner uuid default auth.uid(), title text not null default 'untitled', amount numeric,
              tags text[], extra jsonb, at timestamptz, open boolean not null default false);
            alter table public.{name} enable row level security;
            create policy reads on public.{name} for select using (open or owner = (select auth.uid()));
            create policy writes on public.{name} for all to authenticated
              using (owner = (select auth.uid())) with check (owner = (select auth.uid()))"""
    )
    yield name
    database.execute(f"drop table public.{name} cascade")


@pytest.fixture
def function(database: psycopg.Connection):
    """Make a function; return its name."""
    made = []

    def make(rest: str) -> str:
        made.append(f"fn_{secrets.token_hex(4)}")
        database.execute(f"create function public.{made[-1]}{rest}")
        return made[-1]

    yield make
    for name in made:
        database.execute(f"drop function public.{name}")


async def refused(call) -> dict:
    with pytest.raises(APIError) as refusal:
        await call.execute()
    return refusal.value.json()


def sender(project: Project, key: str | None = None, token: str | None = None):
    """Send requests that no client would."""
    key = key or project.secret_key
    headers = {"apikey": key, "authorization": f"Bearer {token or key}"}

    def send(method: str, path: str, **more) -> httpx.Response:
        given = more.pop("headers", {})
        return httpx.request(method, f"{project.url}/rest/v1/{path}", headers=headers | given, **more)

    return send


async def test_rows_are_written_read_changed_and_deleted(sign_up, notes) -> None:
    ada = await sign_up("ada")
    table = ada.client.table(notes)
    row = {"id": 1, "title": 'é "quoted"', "amount": 1.50, "tags": ["a", "b c"], "extra": {"n": [1, None]}}
    written = (await table.insert({**row, "at": "2026-01-02T03:04:05.678+00:00"}).execute()).data
    assert written == [{**row, "owner": ada.id, "at": "2026-01-02T03:04:05.678+00:00", "open": False}]
    assert (await table.select("*").execute()).data == written
    assert (await table.update({"title": "new", "tags": []}).eq("id", 1).execute()).data[0]["title"] == "new"
    assert (await table.delete().eq("id", 1).execute()).data[0]["tags"] == []
    assert (await table.select("*").execute()).data == []


async def test_minimal_needs_no_right_to_read(clients, database, project, notes) -> None:
    database.execute(f"create policy drop_box on public.{notes} for insert to anon with check (true)")
    nobody = (await clients()).table(notes)
    assert (await nobody.insert({"id": 1, "owner": None}, returning="minimal").execute()).data == []
    assert (await refused(nobody.insert({"id": 2, "owner": None})))["code"] == "42501"
    assert database.execute(f"select id, owner from {notes}").fetchall() == [(1, None)]


async def test_policies_see_who_calls(sign_up, clients, project, notes) -> None:
    ada, grace, nobody = await sign_up("ada"), await sign_up("grace"), await clients()
    await ada.client.table(notes).insert([{"id": 1, "open": True}, {"id": 2, "open": False}]).execute()

    async def seen(client) -> list[int]:
        return [row["id"] for row in (await client.table(notes).select("id").order("id").execute()).data]

    assert await seen(ada.client) == [1, 2]
    assert await seen(grace.client) == await seen(nobody) == [1]
    assert await seen(await clients(project.secret_key)) == [1, 2]
    for verb in (grace.client.table(notes).update({"title": "hers"}), grace.client.table(notes).delete()):
        assert (await verb.gte("id", 0).execute()).data == []
    theft = await refused(grace.client.table(notes).insert({"id": 3, "owner": ada.id}))
    assert (theft["code"], theft["message"]) == (
        "42501",
        f'new row violates row-level security policy for table "{notes}"',
    )
    assert await seen(ada.client) == [1, 2]


async def test_a_right_that_is_missing_is_401_to_nobody_and_403_to_somebody(sign_up, project, database, notes) -> None:
    database.execute(f"revoke all on public.{notes} from anon, authenticated")
    token = await (await sign_up("ada")).token()
    answers = [sender(project, project.publishable_key, each)("GET", notes) for each in (None, token)]
    assert [answer.status_code for answer in answers] == [401, 403]
    assert {answer.json()["message"] for answer in answers} == {f"permission denied for table {notes}"}
    assert answers[0].json().keys() == {"code", "message", "details", "hint"}


@pytest.fixture
async def hundred(clients, project, notes):
    """A hundred rows, and the table as the secret key sees it."""
    admin = await clients(project.secret_key)
    rows = [{"id": n, "title": f"t{n % 10}", "amount": None if n % 2 else n / 4, "tags": [str(n)]} for n in range(100)]
    await admin.table(notes).insert(rows).execute()
    return lambda: admin.table(notes)


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        ("id=eq.7", [7]),
        ("id=gte.97&id=neq.98", [97, 99]),
        ("id=gt.1&id=lt.4", [2, 3]),
        ("id=lte.1", [0, 1]),
        ("title=like.*9&id=lt.20", [9, 19]),
        ("title=ilike.T9&id=lt.20", [9, 19]),
        ("amount=is.null&id=lt.4", [1, 3]),
        ("amount=not.is.null&id=lt.4", [0, 2]),
        ("open=is.true", []),
        ('title=in.(t1,"t2",t\\3)&id=lt.4', [1, 2]),
        ("id=not.in.(0,1,2)&id=lt.5", [3, 4]),
        ("id=not.gt.1", [0, 1]),
        ("tags=cs.{42}", [42]),
        ("tags=ov.{42,43}", [42, 43]),
        ("id=eq(any).{4,5}", [4, 5]),
        ("or=(id.eq.1,id.eq.2)", [1, 2]),
        ('or=(id.in.(1,2),and(id.gt.5,id.lt.8),title.eq."a,b",tags.cs.{42,"42"})', [1, 2, 6, 7, 42]),
        ("id=lt.3&not.or=(id.eq.1,not.and(id.gte.0,id.lt.9))", [0, 2]),
        ('"id"=eq.7', [7]),
    ],
)
async def test_conditions(project, hundred, notes, conditions: str, ids: list[int]) -> None:
    answer = sender(project)("GET", f"{notes}?select=id&order=id&{conditions}")
    assert answer.status_code == 200, answer.text
    assert [row["id"] for row in answer.json()] == ids


async def test_columns_have_other_names_and_types_where_asked(hundred) -> None:
    select = hundred().select('number:id::text, "title", amount::int').eq("id", 10)
    assert (await select.execute()).data == [{"number": "10", "title": "t0", "amount": 3}]


async def test_order_and_page(hundred) -> None:
    by_amount = hundred().select("id").order("amount", desc=True, nullsfirst=False).order("id").limit(2)
    assert (await by_amount.execute()).data == [{"id": 98}, {"id": 96}]
    nulls = hundred().select("id").order("amount", nullsfirst=True).order("id", desc=True).range(1, 2)
    assert (await nulls.execute()).data == [{"id": 97}, {"id": 95}]


async def test_a_count_tells_the_whole(project, hundred, notes) -> None:
    counted = await hundred().select("id", count=CountMethod.exact).lt("id", 50).limit(10).execute()
    assert (counted.count, len(counted.data)) == (50, 10)
    headed = await hundred().select("*", count=CountMethod.exact, head=True).execute()
    assert (headed.count, headed.data) == (100, [])
    send, exact = sender(project), {"prefer": "count=exact"}
    answer = send("GET", f"{notes}?select=id", headers={"range": "90-199", "range-unit": "items", **exact})
    assert (answer.status_code, answer.headers["content-range"]) == (206, "90-99/100")
    answer = send("GET", f"{notes}?select=id&offset=1000", headers=exact)
    assert (answer.status_code, answer.json()["code"]) == (416, "PGRST103")
    assert send("GET", f"{notes}?id=eq.-1").headers["content-range"] == "*/*"
    assert send("GET", f"{notes}?limit=-1").status_code == 416


async def test_no_answer_has_more_than_a_thousand_rows(project, database, notes) -> None:
    database.execute(f"insert into {notes} (id) select generate_series(1, 1100)")
    answer = sender(project)("GET", f"{notes}?select=id&limit=5000", headers={"prefer": "count=exact"})
    assert (len(answer.json()), answer.headers["content-range"]) == (1000, "0-999/1100")


async def test_one_object_is_one_object(hundred, project, notes) -> None:
    assert (await hundred().select("id").eq("id", 5).single().execute()).data == {"id": 5}
    assert await hundred().select("id").eq("id", -5).maybe_single().execute() is None
    several = await refused(hundred().select("id").lt("id", 3).single())
    assert several["code"] == "PGRST116"
    assert several["details"] == "The result contains 3 rows"
    one = {"accept": "application/vnd.pgrst.object+json", "prefer": "return=representation"}
    answer = sender(project)("DELETE", f"{notes}?id=lt.3", headers=one)
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST116")
    assert (await hundred().select("id", count=CountMethod.exact).execute()).count == 100  # and nothing was deleted


async def test_upsert_merges_ignores_and_says_what_is_taken(hundred, clients) -> None:
    await hundred().upsert({"id": 1, "title": "merged"}).execute()
    await hundred().upsert({"id": 2, "title": "ignored"}, ignore_duplicates=True, on_conflict="id").execute()
    rows = (await hundred().select("title").in_("id", [1, 2]).order("id").execute()).data
    assert rows == [{"title": "merged"}, {"title": "t2"}]
    for column in ("id", "title"):
        assert (await hundred().select("title").in_(column, []).execute()).data == []
    taken = await refused(hundred().insert({"id": 1}))
    assert (taken["code"], taken["details"]) == ("23505", "Key (id)=(1) already exists.")


async def test_objects_of_different_keys(project, database, notes) -> None:
    send = sender(project)
    answer = send("POST", notes, json=[{"id": 1}, {"id": 2, "title": "two"}])
    assert (answer.status_code, answer.json()["code"]) == (400, "PGRST102")
    assert send("POST", f"{notes}?columns=id,amount", json=[{"id": 1, "title": "x"}, {"id": 2, "amount": 2}]).is_success
    assert database.execute(f"select title, amount from {notes} order by id").fetchall() == [
        ("untitled", None),
        ("untitled", 2),
    ]
    assert send("POST", notes, json=[]).status_code == 201
    assert send("POST", notes, json={}).json()["code"] == "23502"


async def test_more_than_was_meant_is_not_changed(hundred, project, notes, database) -> None:
    for verb in (hundred().update({"title": "all"}), hundred().delete()):
        assert (await refused(verb))["code"] == "21000"
    assert (await refused(hundred().delete().lt("id", 50).max_affected(10)))["code"] == "PGRST124"
    assert database.execute(f"select count(*) from {notes} where title <> 'all'").fetchone() == (100,)


async def test_functions(sign_up, notes, function) -> None:
    ada = await sign_up("ada")
    add = function("(a int, b int default 10) returns int language sql immutable as 'select a + b'")
    assert (await ada.client.rpc(add, {"a": 1, "b": 2}).execute()).data == 3
    assert (await ada.client.rpc(add, {"a": 1}, get=True).execute()).data == 11
    whole = function("(texts text[], more jsonb) returns jsonb language sql as 'select to_jsonb(texts) || more'")
    given = {"texts": ["a", 'b"c'], "more": {"d": 1}}
    assert (await ada.client.rpc(whole, given).execute()).data == ["a", 'b"c', {"d": 1}]
    assert (await ada.client.rpc(whole, given, get=True).execute()).data == ["a", 'b"c', {"d": 1}]
    rows = function(f"() returns setof public.{notes} language sql stable as 'select * from public.{notes}'")
    await ada.client.table(notes).insert([{"id": n} for n in range(5)]).execute()
    paged = ada.client.rpc(rows, {}, count=CountMethod.exact).select("id").gt("id", 1).order("id").limit(2)
    answer = await paged.execute()
    assert (answer.data, answer.count) == ([{"id": 2}, {"id": 3}], 3)
    pairs = function("() returns table (x int, y text) language sql as $$ values (1, 'one') $$")
    assert (await ada.client.rpc(pairs, {}).execute()).data == [{"x": 1, "y": "one"}]
    many = function("() returns setof int language sql as 'values (1), (2)'")
    assert (await ada.client.rpc(many, {}).execute()).data == [1, 2]


async def test_functions_that_change_things(project, database, notes, function) -> None:
    write = function(f"(n int) returns void language sql as 'insert into public.{notes} (id) values (n)'")
    send = sender(project)
    assert send("POST", f"rpc/{write}", json={"n": 1}).status_code == 204
    assert send("GET", f"rpc/{write}?n=2").json()["code"] == "25006"
    assert send("GET", f"rpc/{write}?n=2").status_code == 405
    assert database.execute(f"select id from {notes}").fetchall() == [(1,)]


async def test_functions_that_are_not_there(project, database, function) -> None:
    send = sender(project)
    one = function("(a int) returns int language sql as 'select a'")
    answer = send("POST", f"rpc/{one}", json={"b": 1})
    assert (answer.status_code, answer.json()["code"]) == (404, "PGRST202")
    assert answer.json()["message"] == f"Could not find the function public.{one}(b) in the schema cache"
    database.execute(f"create function public.{one}(a text) returns text language sql as 'select a'")
    answer = send("POST", f"rpc/{one}", json={"a": 1})
    assert (answer.status_code, answer.json()["code"]) == (300, "PGRST203")
    database.execute(f"drop function public.{one}(text)")
    database.execute(f"drop function public.{one}(int)")
    database.execute(f"create function public.{one}() returns int language sql as 'select 1'")


async def test_a_function_cannot_become_somebody_else(project, function) -> None:
    become = function("(who text) returns text language plpgsql as $$ begin execute format('set role %I', who); end $$")
    for role in ("postgres", "supabase_admin", "supabase_auth_admin"):
        answer = sender(project, project.publishable_key)("POST", f"rpc/{become}", json={"who": role})
        assert (answer.status_code, answer.json()["code"]) == (401, "42501")
    reset = function("() returns void language plpgsql as $$ begin reset role; perform from auth.users; end $$")
    assert sender(project, project.publishable_key)("POST", f"rpc/{reset}").json()["code"] == "42501"


async def test_what_takes_too_long_is_ended_by_role(project, function) -> None:
    sleep = function("() returns void language sql as 'select pg_sleep(20)'")
    since = time.monotonic()
    answer = sender(project, project.publishable_key)("POST", f"rpc/{sleep}")
    assert (answer.status_code, answer.json()["code"]) == (500, "57014")
    assert 2.5 < time.monotonic() - since < 6  # anon's three seconds


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing", 404, "PGRST205"),
        ("pg_authid", 404, "PGRST205"),
        ("a/b", 404, "PGRST125"),
        ("{}?nothing=eq.1", 400, "42703"),
        ("{}?select=nothing", 400, "42703"),
        ("{}?id=eq.one", 400, "22P02"),
        ("{}?id=almost.1", 400, "PGRST100"),
        ("{}?id=1", 400, "PGRST100"),
        ("{}?id=is.1", 400, "PGRST100"),
        ("{}?or=id.eq.1", 400, "PGRST100"),
        ("{}?or=()", 400, "PGRST100"),
        ("{}?or=" + "(or" * 50, 400, "PGRST100"),
        ("{}?order=id.sideways", 400, "PGRST100"),
        ("{}?title=eq.%00", 400, "PGRST100"),
        ("{}?select=id,other(*)", 501, "PGRST127"),
        ("{}?select=count()", 501, "PGRST127"),
        ("{}?select=extra->n", 501, "PGRST127"),
        ("{}?select=id::regclass", 501, "PGRST127"),
        ("{}?other.id=eq.1", 501, "PGRST127"),
        ("{}?title=fts.word", 501, "PGRST127"),
        ("", 501, "PGRST127"),
    ],
)
async def test_refusals(project, notes, path: str, status: int, code: str) -> None:
    answer = sender(project)("GET", path.format(notes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json().keys() == {"code", "message", "details", "hint"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"accept": "text/csv"}, 406, "PGRST107"),
        ({"accept": "application/vnd.pgrst.plan+json"}, 406, "PGRST107"),
        ({"accept-profile": "auth"}, 406, "PGRST106"),
        ({"authorization": "Bearer nonsense"}, 401, "PGRST301"),
    ],
)
async def test_refusals_by_header(project, notes, headers: dict, status: int, code: str) -> None:
    answer = sender(project)("GET", notes, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_nothing_is_written_that_was_meant_for_another_schema(hundred, project, notes) -> None:
    answer = sender(project)("DELETE", f"{notes}?id=gte.0", headers={"content-profile": "private"})
    assert (answer.status_code, answer.json()["code"]) == (406, "PGRST106")
    assert (await hundred().select("id", count=CountMethod.exact).execute()).count == 100


async def test_a_function_chooses_its_status(project, function) -> None:
    raises = function(
        "() returns int language plpgsql as "
        "$$ begin raise sqlstate 'PT402' using message = 'pay', detail = 'first', hint = 'then'; end $$"
    )
    answer = sender(project)("POST", f"rpc/{raises}")
    assert answer.status_code == 402
    assert answer.json() == {"code": "PT402", "message": "pay", "details": "first", "hint": "then"}


async def test_bodies_that_are_none(project, notes) -> None:
    send = sender(project)
    for body in (b"", b"{", b"1", b"[1]", b"\xff", b"[" * 100_000, b'"x"'):
        assert send("POST", notes, content=body).status_code == 400
    assert send("POST", notes, content=b"[" + b" " * 4_000_000).status_code == 413
    assert send("POST", notes, json={"nothing": 1}).json()["code"] == "PGRST204"
    assert send("POST", notes, content="a,b", headers={"content-type": "text/csv"}).status_code == 501
    assert send("POST", f"{notes}?id=eq.1", content=b'{"id": 1, "title": "\\u0000"}').status_code == 400
    assert send("PUT", f"{notes}?id=eq.1", json={"id": 1}).status_code == 501


def test_without_a_key_nothing_is_told(project, notes) -> None:
    assert httpx.get(f"{project.url}/rest/v1/{notes}").json()["message"] == "No API key found in request"
    answer = httpx.get(f"{project.url}/rest/v1/{notes}", headers={"apikey": "sb_secret_x"})
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid API key")


HOSTILE = [
    *("x'; drop table x; --", 'x"; drop table x; --', '"', "''", "%s", "%(x)s", "$1", "{0}", "\\", "é👋", " ", "a.b"),
    *("a,b", "(a)", "x" * 63, "null", "select", "/* */", "--", ";", "a:b", "::text", "_source", "_page"),
]


def test_hostile_names_and_values_are_names_and_values(database, project) -> None:
    path, send, shown = "no\"tes %s; --'", sender(project), {"prefer": "return=representation"}
    table, columns = _sql(path), ", ".join(f"{_sql(name)} text" for name in HOSTILE)
    database.execute(f"create table public.{table} (id int primary key, {columns})".encode())
    try:
        path, values = quote(path), dict(zip(HOSTILE, reversed(HOSTILE), strict=True))
        assert send("POST", path, json={"id": 1, **values}, headers=shown).json() == [{"id": 1, **values}]
        for name, value in values.items():
            column, listed = _rest(name), _rest(value)
            for more in ({column: f"eq.{value}"}, {"or": f"({column}.eq.{listed},{column}.in.({listed}))"}):
                answer = send("GET", path, params={"select": f"id,{column}", "order": column, **more})
                assert answer.json() == [{"id": 1, name: value}]
            where = {column: f"in.({listed})", "select": f"{column}:id", "order": column}
            changed = send("PATCH", path, params=where, json={name: f"{value}!"}, headers=shown)
            assert changed.json() == [{name: 1}]
            send("PATCH", path, params={"id": "eq.1"}, json={name: value})
        assert send("DELETE", path, params={"id": "eq.1"}, headers=shown).json() == [{"id": 1, **values}]
    finally:
        database.execute(f"drop table public.{table}".encode())


def _sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rest(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def test_an_alias_can_be_told_apart_from_a_cast(project, hundred, notes) -> None:
    answer = sender(project)("GET", f"{notes}?select=a:id,id::text&id=eq.1")
    assert answer.json() == [{"a": 1, "id": "1"}]


async def test_nulls_are_left_out_where_asked(project, hundred, notes) -> None:
    accept = {"accept": "application/vnd.pgrst.array+json;nulls=stripped"}
    answer = sender(project)("GET", f"{notes}?select=id,amount&id=eq.1", headers=accept)
    assert answer.json() == [{"id": 1}]


async def test_numbers_keep_their_digits(project, hundred, notes) -> None:
    text = '{"amount": 12345678901234567890.123456789012345678901}'
    answer = sender(project)(
        "PATCH", f"{notes}?id=eq.1&select=amount", content=text, headers={"prefer": "return=representation"}
    )
    assert "12345678901234567890.123456789012345678901" in answer.text


async def test_a_view_is_a_table(project, database, hundred, notes) -> None:
    database.execute(f"create view public.{notes}_seen with (security_invoker) as select id, title from public.{notes}")
    send, shown = sender(project), {"prefer": "return=representation"}
    assert send("PATCH", f"{notes}_seen?id=eq.1", json={"title": "seen"}, headers=shown).json() == [
        {"id": 1, "title": "seen"}
    ]


async def test_a_column_of_another_type_is_known_at_once(project, database, hundred, notes) -> None:
    send = sender(project)
    for _ in range(8):  # as many as make a driver prepare a statement
        assert send("GET", f"{notes}?title=eq.t1").status_code == 200
    database.execute(f"alter table public.{notes} alter title drop default, alter title type int using 1")
    assert len(send("GET", f"{notes}?title=eq.1").json()) == 100


def test_the_synchronous_client(project: Project, notes) -> None:
    admin = create_client(project.url, project.secret_key)
    admin.table(notes).insert({"id": 1}).execute()
    assert admin.table(notes).select("id, title").execute().data == [{"id": 1, "title": "untitled"}]


async def test_ways_through_one_connection_leave_nothing_behind(project, sign_up, notes, function) -> None:
    who = function("() returns text language sql as $$ select current_user || coalesce(auth.uid()::text, '-') $$")
    ada = await sign_up("ada")
    token = await ada.token()
    for _ in range(20):
        assert sender(project, project.publishable_key, token)("POST", f"rpc/{who}").json() == f"authenticated{ada.id}"
        assert sender(project, project.publishable_key)("POST", f"rpc/{who}").json() == "anon-"
