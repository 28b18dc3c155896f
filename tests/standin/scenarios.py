"""What every client can do, whatever its language: one list of scenarios and the outcome each has.

`EXPECTED` is the list; here it is played by Supabase's Python client, in `js/scenarios.mjs` by the one from npm.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from postgrest import APIError, CountMethod
from realtime.types import RealtimeChannelOptions, RealtimePostgresChangesListenEvent
from storage3.exceptions import StorageApiError
from supabase import AsyncClient, acreate_client, create_client
from supabase_auth.errors import AuthApiError

from chatapp.standin.lifecycle import Project
from tests.standin.helpers import PASSWORD, until

EXPECTED: dict[str, dict[str, Any]] = {
    "sign_up_and_in": {"same": True, "role": "authenticated"},
    "wrong_password": {"code": "invalid_credentials", "status": 400},
    "refresh_and_reuse": {"rotated": True, "forgiven": True},
    "verified_claims": {"alg": "ES256", "same": True, "role": "authenticated"},
    "sign_out_ends_it": {"code": "session_not_found"},
    "one_time_code": {"same": True},
    "recovery_by_hash": {"same": True},
    "anonymous": {"anonymous": True},
    "administration": {"listed": True, "gone": "user_not_found"},
    "broadcast": {"heard": [{"text": "héllo 👋"}]},
    "presence": {"seen": ["ada"]},
    "private_channel": {"own": "SUBSCRIBED", "other": "CHANNEL_ERROR"},
    "changes_with_filter_and_policies": {"all": [1, 2, 3], "some": [2, 3], "foreign": [1], "kind": "INSERT"},
    "table_and_function": {
        "inserted": [{"number": 1, "text": "one"}, {"number": 2, "text": "two"}],
        "page": [{"n": 3}],
        "count": 3,
        "updated": [{"text": "due"}],
        "merged": [{"text": "ten"}],
        "foreign": [],
        "refused": "42501",
        "single": "PGRST116",
        "taken": "23505",
        "sum": 13,
        "deleted": 3,
    },
    "changes_written_by_the_client": {"heard": [["INSERT", "one"], ["UPDATE", "two"], ["DELETE", 1]]},
    "files": {
        "taken": "409",
        "content": "three",
        "signed": "three",
        "listed": [["folder", True], ["copied.txt", False], ["moved.txt", False]],
        "foreign": True,
        "removed": 1,
        "there": False,
        "size": 4,
    },
}

NEED_REALTIME = {
    *("broadcast", "presence", "private_channel"),
    *("changes_with_filter_and_policies", "changes_written_by_the_client"),
}

# A trigger lets a client without SQL write rows: as many as its user's metadata says.
SCHEMA = """
create table public.scenario_rows (id bigint generated always as identity primary key, owner uuid, number int);
alter table public.scenario_rows enable row level security;
create policy own on public.scenario_rows for select to authenticated using (owner = (select auth.uid()));
alter publication supabase_realtime add table public.scenario_rows;
create function public.write_scenario_rows() returns trigger language plpgsql security definer
set search_path = '' as $$
begin
  insert into public.scenario_rows (owner, number)
  select new.id, n from generate_series(1, (new.raw_user_meta_data ->> 'rows')::int) n;
  return null;
end $$;
create trigger write_scenario_rows after update on auth.users for each row
  when (new.raw_user_meta_data ->> 'rows' is distinct from old.raw_user_meta_data ->> 'rows')
  execute function public.write_scenario_rows();
create policy scenario_reads on realtime.messages for select to authenticated
  using (realtime.topic() = 'scenario:' || (select auth.uid())::text);
create table public.scenario_notes (
  owner uuid not null default auth.uid(), number int, text text, primary key (owner, number));
alter table public.scenario_notes enable row level security;
create policy own on public.scenario_notes to authenticated using (owner = (select auth.uid()));
alter publication supabase_realtime add table public.scenario_notes;
create function public.scenario_sum(above int) returns bigint language sql stable as $$
  select sum(number) from public.scenario_notes where number > above $$;
insert into storage.buckets (id, name) values ('scenario-files', 'scenario-files');
create policy scenario_files on storage.objects for all to authenticated
  using (bucket_id = 'scenario-files' and (storage.foldername(name))[1] = (select auth.uid())::text);
"""
CLEANUP = """
drop policy scenario_files on storage.objects;
drop policy scenario_reads on realtime.messages;
drop trigger write_scenario_rows on auth.users;
drop function public.write_scenario_rows;
drop table public.scenario_rows;
drop function public.scenario_sum;
drop table public.scenario_notes;
"""


class Player:
    """Plays the scenarios with the asynchronous Python client."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._clients: list[Any] = []

    async def play(self, name: str) -> dict[str, Any]:
        scenario: Callable[[], Awaitable[dict[str, Any]]] = getattr(self, name)
        try:
            return await scenario()
        finally:
            for client in self._clients:
                await client.realtime.close()
                await client.auth.close()

    async def sign_up_and_in(self) -> dict[str, Any]:
        _, email, ada = await self._signed_up()
        again = await (await self._client()).auth.sign_in_with_password({"email": email, "password": PASSWORD})
        return {"same": again.user.id == ada, "role": again.user.role}

    async def wrong_password(self) -> dict[str, Any]:
        _, email, _ = await self._signed_up()
        error = await _refusal((await self._client()).auth.sign_in_with_password({"email": email, "password": "wrong"}))
        return {"code": error.code, "status": error.status}

    async def refresh_and_reuse(self) -> dict[str, Any]:
        client, _, _ = await self._signed_up()
        first = (await client.auth.get_session()).refresh_token
        second = (await client.auth.refresh_session(first)).session.refresh_token
        again = (await (await self._client()).auth.refresh_session(first)).session.refresh_token
        return {"rotated": first != second, "forgiven": again == second}

    async def verified_claims(self) -> dict[str, Any]:
        client, _, ada = await self._signed_up()
        answer = await client.auth.get_claims()
        assert answer
        claims = answer["claims"]
        return {"alg": answer["headers"]["alg"], "same": claims["sub"] == ada, "role": claims["role"]}

    async def sign_out_ends_it(self) -> dict[str, Any]:
        client, _, _ = await self._signed_up()
        token = (await client.auth.get_session()).access_token
        await client.auth.sign_out()
        return {"code": (await _refusal((await self._client()).auth.get_user(token))).code}

    async def one_time_code(self) -> dict[str, Any]:
        client, email = await self._client(), _address()
        await client.auth.sign_in_with_otp({"email": email})
        code = (await self._mail_to(email))["code"]
        answer = await client.auth.verify_otp({"email": email, "token": code, "type": "email"})
        return {"same": answer.user.email == email}

    async def recovery_by_hash(self) -> dict[str, Any]:
        _, email, ada = await self._signed_up()
        client = await self._client()
        await client.auth.reset_password_for_email(email)
        token_hash = (await self._mail_to(email))["token_hash"]
        return {"same": (await client.auth.verify_otp({"token_hash": token_hash, "type": "recovery"})).user.id == ada}

    async def anonymous(self) -> dict[str, Any]:
        return {"anonymous": (await (await self._client()).auth.sign_in_anonymously()).user.is_anonymous}

    async def administration(self) -> dict[str, Any]:
        admin = (await self._client(self._project.secret_key)).auth.admin
        made = (await admin.create_user({"email": _address(), "password": PASSWORD, "email_confirm": True})).user
        listed = any(user.id == made.id for user in await admin.list_users(page=1, per_page=1000))
        await admin.delete_user(made.id)
        return {"listed": listed, "gone": (await _refusal(admin.get_user_by_id(made.id))).code}

    async def broadcast(self) -> dict[str, Any]:
        ada, *_ = await self._signed_up()
        grace, *_ = await self._signed_up()
        topic, heard = _address(), []
        hers = grace.channel(topic).on_broadcast("said", lambda each: heard.append(each["payload"]))
        mine = ada.channel(topic)
        await _joined(hers)
        await _joined(mine)
        await mine.send_broadcast("said", {"text": "héllo 👋"})
        await until(lambda: heard)
        return {"heard": heard}

    async def presence(self) -> dict[str, Any]:
        ada, *_ = await self._signed_up()
        grace, *_ = await self._signed_up()
        topic, states = _address(), []
        hers = grace.channel(topic, _present("grace"))
        hers.on_presence_sync(lambda: states.append(sorted(hers.presence_state())))
        await _joined(hers)
        mine = ada.channel(topic, _present("ada"))
        await _joined(mine)
        await mine.track({"name": "Ada"})
        await until(lambda: states and "ada" in states[-1])
        return {"seen": states[-1]}

    async def private_channel(self) -> dict[str, Any]:
        client, _, ada = await self._signed_up()
        private: RealtimeChannelOptions = {"config": {"private": True, "broadcast": None, "presence": None}}
        return {
            "own": await _joined(client.channel(f"scenario:{ada}", private)),
            "other": await _joined(client.channel("scenario:somebody", private)),
        }

    async def changes_with_filter_and_policies(self) -> dict[str, Any]:
        ada, *_ = await self._signed_up()
        grace, *_ = await self._signed_up()
        heard = [await _changes(ada), await _changes(ada, "number=gt.1"), await _changes(grace)]
        await ada.auth.update_user({"data": {"rows": 3}})
        await until(lambda: [len(heard[0]), len(heard[1])] == [3, 2])
        await grace.auth.update_user({"data": {"rows": 1}})
        await until(lambda: heard[2])
        everything, some, foreign = ([each["record"]["number"] for each in told] for told in heard)
        return {"all": everything, "some": some, "foreign": foreign, "kind": heard[0][0]["type"]}

    async def files(self) -> dict[str, Any]:
        ada, _, home = await self._signed_up()
        linus, *_ = await self._signed_up()
        own, path = ada.storage.from_("scenario-files"), f"{home}/folder/héllo.txt"
        await own.upload(path, b"one", {"content-type": "text/plain", "metadata": {"colour": "red"}})
        taken = await _storage_refusal(own.upload(path, b"two"))
        await own.upload(path, b"three", {"upsert": "true", "content-type": "text/plain"})
        content = (await own.download(path)).decode()
        async with httpx.AsyncClient() as http:
            signed = (await http.get(str((await own.create_signed_url(path, 60))["signedURL"]))).text
        upload = await own.create_signed_upload_url(f"{home}/signed.txt")
        nobody = (await self._client()).storage.from_("scenario-files")
        await nobody.upload_to_signed_url(upload["path"], upload["token"], b"four")
        await own.move(f"{home}/signed.txt", f"{home}/moved.txt")
        await own.copy(f"{home}/moved.txt", f"{home}/copied.txt")
        listed = [[each["name"], each["id"] is None] for each in await own.list(home)]
        foreign = await _storage_refusal(linus.storage.from_("scenario-files").download(path))
        removed = len(await own.remove([path]))
        there, size = await own.exists(path), (await own.info(f"{home}/moved.txt"))["size"]
        told = {"taken": str(taken.status), "content": content, "signed": signed, "listed": listed}
        return {**told, "foreign": foreign is not None, "removed": removed, "there": there, "size": size}

    async def table_and_function(self) -> dict[str, Any]:
        ada, _, owner = await self._signed_up()
        grace, *_ = await self._signed_up()
        notes, hers = ada.table("scenario_notes"), grace.table("scenario_notes")
        rows: Any = [{"number": 1, "text": "one"}, {"number": 2, "text": "two"}]
        inserted = await notes.insert(rows).select("number", "text").execute()
        await notes.insert({"number": 3}).execute()
        page = await notes.select("n:number", count=CountMethod.exact).order("number", desc=True).limit(1).execute()
        updated = await notes.update({"text": "due"}).eq("number", 2).neq("text", "x").select("text").execute()
        upsert = notes.upsert({"number": 10, "text": "ten"}, on_conflict="owner,number")
        merged = await upsert.select("text").execute()
        foreign = await hers.update({"text": "mine"}).in_("number", [1, 2]).execute()
        told: Any = {"inserted": inserted.data, "page": page.data, "count": page.count, "updated": updated.data}
        told |= {"merged": merged.data, "foreign": foreign.data}
        told["refused"] = await _code(hers.insert({"number": 1, "owner": owner}))
        told["single"] = await _code(notes.select("number").single())
        told["taken"] = await _code(notes.insert({"number": 1}))
        told["sum"] = (await ada.rpc("scenario_sum", {"above": 2}).execute()).data
        deleted = await notes.delete().or_("number.gt.2,and(number.eq.1,text.eq.one)").execute()
        return {**told, "deleted": len(deleted.data)}

    async def changes_written_by_the_client(self) -> dict[str, Any]:
        ada, _, owner = await self._signed_up()
        told, notes = await _changes(ada, f"owner=eq.{owner}", table="scenario_notes"), ada.table("scenario_notes")
        await notes.insert({"number": 1, "text": "one"}).execute()
        await notes.update({"text": "two"}).eq("number", 1).execute()
        await notes.delete().eq("number", 1).execute()
        await until(lambda: len(told) == 3)
        new = [each.get("record", {}).get("text") or each["old_record"]["number"] for each in told]
        return {"heard": [[each["type"], what] for each, what in zip(told, new, strict=True)]}

    async def _client(self, key: str | None = None) -> AsyncClient:
        self._clients.append(await acreate_client(self._project.url, key or self._project.publishable_key))
        return self._clients[-1]

    async def _signed_up(self) -> tuple[AsyncClient, str, str]:
        client, email = await self._client(), _address()
        answer = await client.auth.sign_up({"email": email, "password": PASSWORD})
        assert answer.user
        assert answer.session
        await client.realtime.set_auth(answer.session.access_token)
        return client, email, answer.user.id

    async def _mail_to(self, email: str) -> dict[str, Any]:
        async with httpx.AsyncClient() as http:
            return (await http.get(f"{self._project.url}/outbox.json", params={"to": email})).json()[0]


class SyncPlayer(Player):
    """Plays those that need no Realtime, which the synchronous client does not have, with that one."""

    async def _client(self, key: str | None = None) -> Any:
        client = await asyncio.to_thread(create_client, self._project.url, key or self._project.publishable_key)
        self._clients.append(_Awaited(client))
        return self._clients[-1]


class _Awaited:
    """A synchronous client, to be used as the asynchronous one is: each call runs in a thread."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        if name == "realtime":
            return _NoRealtime()
        found = getattr(self._wrapped, name)
        if name == "from_":  # opens nothing, and is awaited nowhere
            return lambda bucket: _Awaited(found(bucket))
        if name in ("table", "rpc"):
            return lambda *arguments: _AwaitedQuery(found(*arguments))
        if callable(found):
            return functools.partial(asyncio.to_thread, found)
        return _Awaited(found)


class _AwaitedQuery:
    """A query of a synchronous client: nothing is sent before `execute`."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wrapped, name)
        if name == "execute":
            return functools.partial(asyncio.to_thread, found)
        return lambda *arguments, **more: _AwaitedQuery(found(*arguments, **more))


class _NoRealtime:
    async def set_auth(self, _: str) -> None: ...

    async def close(self) -> None: ...


async def _changes(client: AsyncClient, text: str | None = None, table: str = "scenario_rows") -> list[dict[str, Any]]:
    """Listen to a table of the scenarios; return the list that fills."""
    told: list[dict[str, Any]] = []
    ready = asyncio.Event()
    channel = client.channel(_address())
    told_to: Any = {"schema": "public", "table": table, "filter": text}
    every = RealtimePostgresChangesListenEvent.All
    channel.on_postgres_changes(every, lambda each: told.append(dict(each["data"])), **told_to)
    channel.on_system(lambda _: ready.set())
    await channel.subscribe()
    await asyncio.wait_for(ready.wait(), 10)
    return told


def _present(key: str) -> RealtimeChannelOptions:
    return {"config": {"private": False, "broadcast": None, "presence": {"key": key, "enabled": True}}}


async def _joined(channel: Any) -> str:
    state: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    await channel.subscribe(lambda told, _: None if state.done() else state.set_result(told.value))
    return await asyncio.wait_for(state, 10)


async def _refusal(call: Awaitable[Any]) -> AuthApiError:
    try:
        await call
    except AuthApiError as error:
        return error
    raise AssertionError("it was not refused")


async def _code(query: Any) -> str | None:
    try:
        await query.execute()
    except APIError as error:
        return error.code
    raise AssertionError("it was not refused")


async def _storage_refusal(call: Awaitable[Any]) -> StorageApiError:
    try:
        await call
    except StorageApiError as error:
        return error
    raise AssertionError("it was not refused")


def _address() -> str:
    return f"py-{secrets.token_hex(6)}@example.com"
