"""A project that is set up strictly: low limits, mail to be confirmed, passwords changed with a code only."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import httpx
import psycopg
import pytest
from supabase import AsyncClient, acreate_client
from supabase_auth.errors import AuthApiError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatapp.standin.lifecycle import Project, ensure, release
from chatapp.standin.postgres import SUPERUSER
from chatapp.standin.realtime.limits import Rate
from chatapp.standin.record import load_record
from tests.ports import free_port
from tests.standin.conftest import clear, make_folder
from tests.standin.helpers import PASSWORD

SETTINGS = {
    "CONFIRM_EMAIL": 1,
    "REAUTHENTICATE": 1,
    "CONNECTIONS": 3,
    "CHANNELS": 2,
    "EVENTS": 5,
    "PRESENCE_CALLS": 2,
    "PAYLOAD": 1000,
}


@pytest.fixture(scope="module")
def strict() -> Iterator[tuple[Project, str]]:
    """Such a project, and the address of its superuser."""
    data = make_folder()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(f"STANDIN_{name}", str(value))
        project = ensure(data, api_port=free_port(), db_port=free_port())
    record = load_record(data)
    assert record
    yield project, f"postgresql://{SUPERUSER}:{record.superuser_password}@127.0.0.1:{record.db_port}/postgres"
    release(data)
    clear(data)


@pytest.fixture
async def ada(strict) -> AsyncIterator[AsyncClient]:
    client = await acreate_client(strict[0].url, strict[0].publishable_key)
    yield client
    await client.auth.close()


def code_for(project: Project, email: str) -> str:
    newest = httpx.get(f"{project.url}/outbox.json", params={"to": email}).json()[0]
    return newest["code"]


async def test_a_sign_up_opens_no_session_until_its_mail_was_answered(strict, ada) -> None:
    project, _ = strict
    email = f"ada-{secrets.token_hex(4)}@example.com"
    answer = await ada.auth.sign_up({"email": email, "password": PASSWORD})
    assert (answer.session, answer.user.email_confirmed_at) == (None, None)
    with pytest.raises(AuthApiError, match="Email not confirmed"):
        await ada.auth.sign_in_with_password({"email": email, "password": PASSWORD})
    confirmed = await ada.auth.verify_otp({"email": email, "token": code_for(project, email), "type": "signup"})
    assert confirmed.session.user.email == email
    assert (await ada.auth.sign_in_with_password({"email": email, "password": PASSWORD})).session


async def test_an_old_session_changes_its_password_with_a_code_only(strict, ada) -> None:
    project, superuser = strict
    email, new = f"ada-{secrets.token_hex(4)}@example.com", "another correct horse"
    await ada.auth.sign_up({"email": email, "password": PASSWORD})
    signed_in = await ada.auth.verify_otp({"email": email, "token": code_for(project, email), "type": "signup"})
    with psycopg.connect(superuser) as connection:
        connection.execute(
            "update auth.sessions set created_at = now() - interval '2 days' where user_id = %s", [signed_in.user.id]
        )
    with pytest.raises(AuthApiError, match="requires reauthentication"):
        await ada.auth.update_user({"password": new})
    await ada.auth.reauthenticate()
    with pytest.raises(AuthApiError, match="Nonce"):
        await ada.auth.update_user({"password": new, "nonce": "000000"})
    await ada.auth.update_user({"password": new, "nonce": code_for(project, email)})
    assert (await ada.auth.sign_in_with_password({"email": email, "password": new})).session


@pytest.fixture
async def sockets(strict) -> AsyncIterator[list[ClientConnection]]:
    """As many connections as the project allows."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connect(_url(strict[0]))) for _ in range(SETTINGS["CONNECTIONS"])]


def _url(project: Project) -> str:
    return f"{project.url.replace('http', 'ws')}/realtime/v1/websocket?apikey={project.publishable_key}&vsn=1.0.0"


async def say(socket: ClientConnection, topic: str, event: str, payload: dict) -> dict:
    """Say something and return the answer to it, or the word of the system that comes instead."""
    await socket.send(json.dumps({"topic": f"realtime:{topic}", "event": event, "payload": payload, "ref": "1"}))
    while True:
        heard = json.loads(await socket.recv())
        if heard["event"] in ("phx_reply", "system"):
            return heard["payload"]


async def join(socket: ClientConnection, **config) -> str:
    topic = secrets.token_hex(4)
    assert (await say(socket, topic, "phx_join", {"config": config}))["status"] == "ok"
    return topic


async def closed(socket: ClientConnection, topic: str) -> bool:
    heard = json.loads(await socket.recv())
    return (heard["event"], heard["topic"]) == ("phx_close", f"realtime:{topic}")


async def test_one_connection_more_is_refused(strict, sockets) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(_url(strict[0])):
            pass
    assert refused.value.response.status_code == 429
    assert json.loads(refused.value.response.body) == {"error": "Too many connected users"}
    await sockets.pop().close()


async def test_one_channel_more_is_refused(sockets) -> None:
    await join(sockets[0])
    await join(sockets[0])
    refused = await say(sockets[0], "third", "phx_join", {"config": {}})
    assert refused == {"status": "error", "response": {"reason": "ChannelRateLimitReached: Too many channels"}}


async def test_a_payload_too_large_is_said_to_those_who_ask(sockets) -> None:
    large = {"event": "e", "payload": {"text": "x" * 1000}}
    topic = await join(sockets[0], broadcast={"ack": True, "self": True})
    answer = await say(sockets[0], topic, "broadcast", large)
    assert answer == {"status": "error", "response": {"reason": "payload_size_exceeded"}}
    tracked = await say(sockets[0], topic, "presence", {"event": "track", "payload": large})
    assert tracked["message"] == "Track message size exceeded"
    assert await closed(sockets[0], topic)


async def test_presence_is_called_a_few_times_only(sockets) -> None:
    topic = await join(sockets[0])
    refused = await say(sockets[0], topic, "presence", {"event": "track", "payload": "nothing"})
    assert refused["response"] == {"reason": "Presence track payload must be a map"}
    assert (await say(sockets[0], topic, "presence", {"event": "track", "payload": {}}))["status"] == "ok"
    too_often = await say(sockets[0], topic, "presence", {"event": "untrack"})
    assert too_often["message"] == "Client presence rate limit exceeded"
    assert await closed(sockets[0], topic)


async def test_too_many_broadcasts_close_their_channel(sockets) -> None:
    topic = await join(sockets[0], broadcast={"ack": True})
    answers = [await say(sockets[0], topic, "broadcast", {"event": "e", "payload": {}}) for _ in range(5)]
    for _ in range(100):  # until they fall into one second
        if "message" in answers[-1]:
            break
        answers.append(await say(sockets[0], topic, "broadcast", {"event": "e", "payload": {}}))
    assert answers[-1]["message"] == "Too many messages per second"
    assert await closed(sockets[0], topic)
    assert await join(sockets[0])


def test_a_batch_too_large_is_refused(strict) -> None:
    project, _ = strict
    message = {"topic": "t", "event": "e", "payload": {}}
    headers = {"apikey": project.publishable_key}
    answer = httpx.post(f"{project.url}/realtime/v1/api/broadcast", headers=headers, json={"messages": [message] * 6})
    assert answer.status_code == 429
    assert answer.json()["message"].startswith("Too many messages to broadcast")


async def test_too_many_joins_hang_up() -> None:
    data = make_folder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANDIN_JOINS", "0")
        project = ensure(data, api_port=free_port(), db_port=free_port())
    try:
        async with connect(_url(project)) as socket:
            refused = await say(socket, "any", "phx_join", {"config": {}})
            assert refused["response"] == {"reason": "ClientJoinRateLimitReached: Too many joins per second"}
            with pytest.raises(ConnectionClosed):
                await socket.recv()
    finally:
        release(data)
        clear(data)


def test_a_rate_is_counted_by_windows() -> None:
    now = [0.0]
    rate = Rate(2, seconds=1, clock=lambda: now[0])
    assert [rate.take(), rate.take(), rate.take()] == [True, True, False]
    now[0] = 1.0
    assert [rate.take(3), rate.take(2), rate.take()] == [False, True, False]
