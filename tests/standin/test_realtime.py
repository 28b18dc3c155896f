"""Realtime, through the unmodified client."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatapp.standin.keys import Keys, load_keys
from chatapp.standin.lifecycle import Project
from chatapp.standin.record import load_record
from tests.standin.helpers import until


def topic_name() -> str:
    return f"room-{secrets.token_hex(4)}"


class Listener:
    """A channel and all it has heard."""

    def __init__(self, client, topic: str, config: dict | None = None) -> None:
        self.channel = client.channel(topic, {"config": config or {}})
        self.states, self.heard, self.systems = [], [], []
        self.channel.on_broadcast("said", self.heard.append)
        self.channel.on_system(self.systems.append)

    async def join(self) -> Listener:
        await self.channel.subscribe(lambda state, error: self.states.append((state.value, str(error or ""))))
        return self

    @property
    def payloads(self) -> list[dict]:
        return [each["payload"] for each in self.heard if each["event"] == "said"]


async def test_a_broadcast_reaches_the_others_and_not_its_sender(sign_up) -> None:
    topic = topic_name()
    ada = await Listener((await sign_up("ada")).client, topic).join()
    grace = await Listener((await sign_up("grace")).client, topic).join()
    await ada.channel.send_broadcast("said", {"text": "héllo 👋"})
    await until(lambda: grace.payloads)
    assert grace.payloads[0] == {"text": "héllo 👋"}
    assert ada.payloads == []


async def test_a_sender_that_wants_to_hears_itself(sign_up) -> None:
    ada = await Listener((await sign_up("ada")).client, topic_name(), {"broadcast": {"self": True, "ack": True}}).join()
    await ada.channel.send_broadcast("said", {"n": 1})
    await until(lambda: ada.payloads)


async def test_a_row_from_psql_reaches_the_clients(sign_up, database: psycopg.Connection) -> None:
    topic = topic_name()
    ada = await Listener((await sign_up("ada")).client, topic).join()
    database.execute("select realtime.send('{\"n\": 1}', 'said', %s, false)", [topic])
    await until(lambda: ada.payloads)
    assert ada.payloads[0]["n"] == 1
    assert ada.payloads[0]["id"] == ada.heard[0]["meta"]["id"]


async def test_bytes_from_the_database_reach_who_can_take_them(sign_up, database, project: Project) -> None:
    """`realtime.send_binary`: protocol 2.0.0 has frames for it, a client of 1.0.0 is told nothing, as hosted."""
    name = topic_name()
    older = await Listener((await sign_up("ada")).client, name).join()
    async with connect(_socket_url(project, version="2.0.0")) as socket:
        await socket.send(json.dumps(["1", "1", f"realtime:{name}", "phx_join", {"config": {}}]))
        await socket.recv()
        database.execute("select realtime.send_binary(%s, 'said', %s, false)", [b"\x00\xff", name])
        database.execute("select realtime.send('{\"n\": 1}', 'said', %s, false)", [name])
        frame = bytes(await socket.recv())  # type: ignore[arg-type]  # the other kind would not fit what follows
        kind, topic, event, meta, encoding = frame[:5]
        at = 5 + topic + event
        assert (kind, encoding, frame[5 + topic : at]) == (4, 0, b"said")
        assert set(json.loads(frame[at : at + meta])) == {"id"}
        assert frame[at + meta :] == b"\x00\xff"
    await until(lambda: older.heard)
    assert [each["payload"]["n"] for each in older.heard] == [1]


async def test_what_is_rolled_back_is_never_heard(sign_up, database: psycopg.Connection) -> None:
    topic = topic_name()
    ada = await Listener((await sign_up("ada")).client, topic).join()
    with database.transaction(force_rollback=True):
        database.execute("select realtime.send('{\"n\": 1}', 'said', %s, false)", [topic])
    database.execute("select realtime.send('{\"n\": 2}', 'said', %s, false)", [topic])
    await until(lambda: ada.payloads)
    assert [payload["n"] for payload in ada.payloads] == [2]


def test_a_send_that_fails_does_not_undo_the_callers_work(database: psycopg.Connection) -> None:
    with database.transaction():
        database.execute("select realtime.send(null, null, null, null)")
        assert database.execute("select 1").fetchone() == (1,)


@pytest.fixture
def members_only(database: psycopg.Connection):
    """A policy: only the named user reads and writes topics named after their id."""

    @contextmanager
    def policies(reads: str = "true", writes: str = "true"):
        own = "realtime.topic() = 'room:' || auth.uid()::text"
        database.execute(f"create policy r on realtime.messages for select to authenticated using ({own} and {reads})")
        database.execute(
            f"create policy w on realtime.messages for insert to authenticated with check ({own} and {writes})"
        )
        try:
            yield
        finally:
            database.execute("drop policy r on realtime.messages")
            database.execute("drop policy w on realtime.messages")

    return policies


async def test_a_private_channel_opens_to_whom_the_policies_allow(sign_up, database, members_only) -> None:
    ada, linus = await sign_up("ada"), await sign_up("linus")
    with members_only():
        inside = await Listener(ada.client, f"room:{ada.id}", {"private": True}).join()
        outside = await Listener(linus.client, f"room:{ada.id}", {"private": True}).join()
        database.execute("select realtime.send('{\"n\": 1}', 'said', %s, true)", [f"room:{ada.id}"])
        await until(lambda: inside.payloads)
    assert inside.states == [("SUBSCRIBED", "")]
    state, reason = outside.states[0]
    assert state == "CHANNEL_ERROR"
    assert "Unauthorized" in reason
    assert outside.payloads == []


async def test_a_public_channel_of_the_same_name_hears_nothing_private(sign_up, database) -> None:
    topic = topic_name()
    eavesdropper = await Listener((await sign_up("linus")).client, topic).join()
    database.execute("select realtime.send('{\"n\": 1}', 'said', %s, true)", [topic])
    database.execute("select realtime.send('{\"n\": 2}', 'said', %s, false)", [topic])
    await until(lambda: eavesdropper.payloads)
    assert [payload["n"] for payload in eavesdropper.payloads] == [2]


async def test_who_may_only_read_is_not_heard(sign_up, clients, project, members_only) -> None:
    ada = await sign_up("ada")
    topic = f"room:{ada.id}"
    service = await Listener(await clients(project.secret_key), topic, {"private": True}).join()
    with members_only(writes="false"):
        reader = await Listener(ada.client, topic, {"private": True}).join()
        await reader.channel.send_broadcast("said", {"n": "refused"})
        await service.channel.send_broadcast("said", {"n": "allowed"})
        await until(lambda: reader.payloads)
        await reader.channel.send_broadcast("said", {"n": "refused"})
        await _post(project, project.secret_key, topic, {"n": "last"}, private=True)
        await until(lambda: service.payloads)
    assert service.payloads == [{"n": "last"}]


async def _post(project: Project, key: str, topic: str, payload: dict, *, private: bool = False) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.post(
            f"{project.url}/realtime/v1/api/broadcast",
            headers={"apikey": key},
            json={"messages": [{"topic": topic, "event": "said", "payload": payload, "private": private}]},
        )


async def test_broadcast_over_http(sign_up, project: Project) -> None:
    topic = topic_name()
    ada = await sign_up("ada")
    listener = await Listener(ada.client, topic).join()
    assert (await _post(project, project.publishable_key, topic, {"n": 1})).status_code == 202
    await listener.channel.http_send("said", {"n": 2})
    await until(lambda: len(listener.payloads) == 2)
    assert (await _post(project, "sb_secret_guess", topic, {"n": 3})).status_code == 401


async def test_presence_tells_who_is_there_who_comes_and_who_goes(sign_up) -> None:
    topic, log = topic_name(), []
    ada, grace = await sign_up("ada"), await sign_up("grace")
    watcher = ada.client.channel(topic, {"config": {"presence": {"key": "ada"}}})
    watcher.on_presence_sync(lambda: log.append(("sync", sorted(watcher.presence_state()))))
    watcher.on_presence_join(lambda key, *_: log.append(("join", key)))
    watcher.on_presence_leave(lambda key, *_: log.append(("leave", key)))
    await watcher.subscribe()
    await watcher.track({"name": "Ada"})
    visitor = grace.client.channel(topic, {"config": {"presence": {"key": "grace"}}})
    await visitor.subscribe()
    await visitor.track({"name": "Grace"})
    await until(lambda: ("sync", ["ada", "grace"]) in log)
    await grace.client.realtime.close()
    await until(lambda: ("leave", "grace") in log)
    await until(lambda: log[-1] == ("sync", ["ada"]))
    assert [entry for entry in log if entry[0] != "sync"] == [
        ("join", "ada"),
        ("join", "grace"),
        ("leave", "grace"),
    ]


async def test_a_newcomer_is_told_who_is_there(sign_up) -> None:
    topic = topic_name()
    ada, grace = await sign_up("ada"), await sign_up("grace")
    first = ada.client.channel(topic, {"config": {"presence": {"key": "ada", "enabled": True}}})
    await first.subscribe()
    await first.track({"name": "Ada"})
    second, seen = grace.client.channel(topic), []
    second.on_presence_sync(lambda: seen.append(second.presence_state()))
    await second.subscribe()
    await until(lambda: seen and "ada" in seen[-1])
    assert seen[-1]["ada"][0]["name"] == "Ada"


async def test_a_new_token_is_taken_over_and_a_bad_one_closes(sign_up, database, members_only) -> None:
    ada = await sign_up("ada")
    with members_only():
        listener = await Listener(ada.client, f"room:{ada.id}", {"private": True}).join()
        fresh = (await ada.client.auth.refresh_session()).session
        await ada.client.realtime.set_auth(fresh.access_token)
        database.execute("select realtime.send('{\"n\": 1}', 'said', %s, true)", [f"room:{ada.id}"])
        await until(lambda: listener.payloads)
        await ada.client.realtime.set_auth(fresh.access_token[:-8] + "AAAAAAAA")
        await until(lambda: ("CLOSED", "") in listener.states)


async def test_losing_the_right_to_read_closes_the_channel_at_the_next_token(sign_up, members_only) -> None:
    ada = await sign_up("ada")
    with members_only():
        listener = await Listener(ada.client, f"room:{ada.id}", {"private": True}).join()
    await ada.client.realtime.set_auth((await ada.client.auth.refresh_session()).session.access_token)
    await until(lambda: ("CLOSED", "") in listener.states)


async def test_a_channel_ends_with_its_token(sign_up, clients, project: Project, shared_keys) -> None:
    ada = await sign_up("ada")
    claims = await ada.client.auth.get_claims()
    client = await clients()
    await client.realtime.set_auth(shared_keys.sign({**claims["claims"], "exp": int(time.time()) + 2}))
    listener = await Listener(client, topic_name()).join()
    assert listener.states == [("SUBSCRIBED", "")]
    await until(lambda: ("CLOSED", "") in listener.states)
    assert any("Token has expired" in reason for _, reason in listener.states)


async def test_a_newcomer_is_told_what_was_sent_before(sign_up, database, members_only) -> None:
    ada = await sign_up("ada")
    topic, since = f"room:{ada.id}", int(time.time() * 1000) - 5000
    for number in range(4):
        database.execute("select realtime.send(jsonb_build_object('n', %s::int), 'said', %s, true)", [number, topic])
    database.execute("select realtime.send('{}', 'said', %s, false)", [topic])
    with members_only():
        config = {"private": True, "broadcast": {"replay": {"since": since, "limit": 3}}}
        listener = await Listener(ada.client, topic, config).join()
        await until(lambda: len(listener.heard) == 3)
    assert [each["payload"]["n"] for each in listener.heard] == [1, 2, 3]
    assert all(each["meta"]["replayed"] for each in listener.heard)


@pytest.mark.parametrize(
    ("private", "replay", "reason"),
    [
        (False, {"since": 0}, "public channels"),
        (True, {"since": "yesterday"}, "not valid"),
        (True, {"since": 0, "limit": 26}, "not valid"),
        (True, {"since": 0, "limit": 0}, "not valid"),
    ],
)
async def test_a_replay_that_cannot_be_is_refused(sign_up, private: bool, replay: dict, reason: str) -> None:
    config = {"private": private, "broadcast": {"replay": replay}}
    listener = await Listener((await sign_up("ada")).client, topic_name(), config).join()
    assert listener.states[0][0] == "CHANNEL_ERROR"
    assert reason in listener.states[0][1]


async def test_changes_are_broadcast_by_a_trigger(sign_up, database) -> None:
    """`realtime.broadcast_changes`, as the documentation has it."""
    topic, name = topic_name(), f"things_{secrets.token_hex(4)}"
    listener = await Listener((await sign_up("ada")).client, topic).join()
    listener.channel.on_broadcast("INSERT", listener.heard.append)
    database.execute(
        f"""create table {name} (id int primary key, title text);
            create function {name}_told() returns trigger language plpgsql security definer as $$ begin
              perform realtime.broadcast_changes('{topic}', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
              return null;
            end $$;
            create trigger told after insert on {name} for each row execute function {name}_told();
            insert into {name} values (1, 'one');
            select realtime.send('{{}}', 'said', '{topic}', false)"""
    )
    await until(lambda: listener.heard)
    row = database.execute("select payload from realtime.messages where topic = %s and event = 'INSERT'", [topic])
    assert row.fetchone()[0]["record"] == {"id": 1, "title": "one"}
    assert listener.payloads, "the one that was not private"
    database.execute(f"drop table {name} cascade; drop function {name}_told")


@pytest.mark.parametrize("key", ["", "sb_publishable_guess", "nonsense"])
async def test_a_socket_without_our_key_is_refused(project: Project, key: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(_socket_url(project, key))
    assert refusal.value.response.status_code == 401


async def test_protocol_2_with_a_binary_broadcast(project: Project) -> None:
    """What `@supabase/supabase-js` speaks."""
    topic = f"realtime:{topic_name()}"
    async with (
        connect(_socket_url(project, version="2.0.0")) as ada,
        connect(_socket_url(project, version="2.0.0")) as grace,
    ):
        for socket in (ada, grace):
            await socket.send(json.dumps(["1", "1", topic, "phx_join", {"config": {}}]))
            assert json.loads(await socket.recv())[3:] == [
                "phx_reply",
                {"status": "ok", "response": {"postgres_changes": []}},
            ]
        await ada.send(bytes([3, 1, 1, len(topic), 4, 0, 0]) + b"12" + topic.encode() + b"said" + b"\x00\xff")
        assert await grace.recv() == bytes([4, len(topic), 4, 0, 0]) + topic.encode() + b"said" + b"\x00\xff"
        await ada.send(json.dumps([None, "3", "phoenix", "heartbeat", {}]))
        assert json.loads(await ada.recv()) == [
            None,
            "3",
            "phoenix",
            "phx_reply",
            {"status": "ok", "response": {}},
        ]


async def test_nonsense_costs_nobody_their_connection(project: Project) -> None:
    async with connect(_socket_url(project)) as socket:
        for frame in (
            "",
            "null",
            "[]",
            "{}",
            "[1,2,3,4,5]",
            '{"topic":1}',
            "[" * 5000,
            b"",
            b"\x03",
            b"\x03\xff\xff\xff\xff\xff\x00",
        ):
            await socket.send(frame)
        await socket.send(
            json.dumps(
                {
                    "topic": "realtime:a\x00b",
                    "event": "phx_join",
                    "payload": {"config": {"private": True}},
                    "ref": "1",
                }
            )
        )
        assert json.loads(await socket.recv())["payload"]["status"] == "error"
        await socket.send(json.dumps({"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "2"}))
        assert json.loads(await socket.recv())["ref"] == "2"


async def test_a_socket_that_does_not_read_is_closed_and_holds_nobody_up(sign_up, project: Project) -> None:
    topic, told = topic_name(), 4000
    ada = await Listener((await sign_up("ada")).client, topic).join()
    async with connect(_socket_url(project), max_queue=1) as lazy, httpx.AsyncClient() as http:
        await lazy.send(json.dumps({"topic": f"realtime:{topic}", "event": "phx_join", "payload": {}, "ref": "1"}))
        assert json.loads(await lazy.recv())["payload"]["status"] == "ok"
        messages = [{"topic": topic, "event": "said", "payload": {"fill": "x" * 6000}}] * 100
        for sent in range(100, told + 1, 100):
            await http.post(
                f"{project.url}/realtime/v1/api/broadcast",
                headers={"apikey": project.publishable_key},
                json={"messages": messages},
            )
            await until(lambda sent=sent: len(ada.payloads) == sent)
        late = [frame async for frame in _frames(lazy)]
    assert len(late) < told


async def _frames(socket):
    with suppress(ConnectionClosed):
        while True:
            yield await socket.recv()


@pytest.fixture
def shared_keys(project: Project, shared_data: Path) -> Keys:
    """The shared stand-in's own keys, to sign what Auth would only sign an hour later."""
    record = load_record(shared_data)
    assert record
    return load_keys(shared_data, record)


def _socket_url(project: Project, key: str | None = None, version: str = "1.0.0") -> str:
    key = project.publishable_key if key is None else key
    return f"{project.url.replace('http', 'ws')}/realtime/v1/websocket?apikey={key}&vsn={version}"
