"""Nonsense from outside: frames and requests no client would send. Nothing may crash, hang or leak.

`FUZZ=20000 pytest tests/standin/test_fuzz.py` sends more; `FUZZ_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
from pathlib import Path
from typing import Any

import httpx
import psycopg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chatapp.standin.lifecycle import Project

COUNT = int(os.environ.get("FUZZ", "1500"))
SEED = os.environ.get("FUZZ_SEED") or secrets.token_hex(4)
AT_ONCE = 8


def listed(text: str) -> list[str]:
    return text.split()


WORDS = [
    *("", " ", "a", "é👋", "\x00", "\ud800", "../..", "%00", "'; drop table x; --", "x" * 5000, "*", "null", "room"),
    *("realtime:", "realtime:room", "phoenix", "00000000-0000-0000-0000-000000000000", "a@b.example", "id=in.("),
    *("eq.1", "not.is.null", 'in.(1,"', "(id.eq.1,or(", "id.desc.nullsfirst", "a:id::text", "id->x", "f(*)", "cs.{"),
    *("eyJhbGciOiJub25lIn0.e30.", "id=eq.1", "9" * 400, "-1", "NaN", "1e999", "sb_secret_x"),
]
TOPICS = ["realtime:", "realtime:room", "phoenix"]
KEYS = listed(
    """email password phone data type token token_hash refresh_token code_challenge auth_code code_verifier nonce
    code_challenge_method options user_metadata app_metadata ban_duration role id name public prefix prefixes limit
    offset sortBy search cursor paths expiresIn bucketId sourceKey destinationKey messages topic event payload private
    config postgres_changes schema table filter select broadcast presence replay since key self ack access_token ref
    file_size_limit allowed_mime_types new_email create_user email_confirm with_delimiter"""
)
EVENTS = ["phx_join", "phx_leave", "heartbeat", "access_token", "broadcast", "presence", "track", "postgres_changes"]
PATHS = listed(
    """auth/v1/signup auth/v1/token?grant_type=password auth/v1/token?grant_type=refresh_token auth/v1/user
    auth/v1/token?grant_type=pkce auth/v1/otp auth/v1/recover auth/v1/verify auth/v1/resend auth/v1/logout
    auth/v1/reauthenticate auth/v1/invite auth/v1/admin/users auth/v1/admin/users/{} auth/v1/admin/generate_link
    auth/v1/verify?type=recovery&token={}&redirect_to={} auth/v1/admin/users?page={}&per_page={} auth/v1/{}
    realtime/v1/api/broadcast realtime/v1/api/broadcast/{}/events/{} realtime/v1/websocket?apikey={}&vsn={}
    storage/v1/bucket storage/v1/bucket/{} storage/v1/bucket?limit={}&offset={} storage/v1/object/{}/{}
    storage/v1/object/list/fuzz storage/v1/object/list-v2/fuzz storage/v1/object/fuzz/{} storage/v1/object/fuzz
    storage/v1/object/sign/fuzz/{}?token={} storage/v1/object/sign/fuzz storage/v1/object/upload/sign/fuzz/{}?token={}
    storage/v1/object/move storage/v1/object/copy storage/v1/object/public/fuzz/{} storage/v1/object/info/fuzz/{}
    storage/v1/render/image/public/fuzz/{}?width={}&resize={} storage/v1/upload/resumable storage/v1/upload/resumable/{}
    rest/v1/{} rest/v1/fuzz rest/v1/fuzz?select={}&order={}&limit={}&offset={} rest/v1/fuzz?id={}&{}={}
    rest/v1/fuzz?or={} rest/v1/fuzz?id=eq.1&columns={}&on_conflict={} rest/v1/rpc/{} rest/v1/rpc/fuzz
    rest/v1/rpc/fuzz?id={}&{}={} rest/v1/fuzz?not.and=({},{},not.or({}))&text=not.like(any).{}
    {} outbox.json?to={} health"""
)
PREFERENCES = [
    *("return=representation", "count=exact,return=minimal", "resolution=merge-duplicates", "missing=default"),
    *("resolution=ignore-duplicates,return=representation", "handling=strict,max-affected=0", "max-affected=x"),
]
ACCEPTED = ["application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json;nulls=stripped", "text/csv", "*/*"]
TABLE = """
create table public.fuzz (id int primary key, name text, data jsonb, type int[]);
insert into public.fuzz values (1, 'one', '{}', '{1}');
create function public.fuzz(id int, data jsonb default '{}') returns setof public.fuzz language sql stable
  as 'select * from public.fuzz where id = fuzz.id'
"""


class Nonsense:
    """Where all the chance comes from; one seed makes one run."""

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)

    def one_of(self, choices: list[Any]) -> Any:
        return self._chance.choice(choices)

    def value(self, depth: int = 3) -> Any:
        kind = self._chance.randrange(9 if depth else 6)
        plain = [None, True, self._chance.randrange(-(2**70), 2**70), self._chance.random() * 1e300]
        if kind < 4:
            return plain[kind]
        if kind < 6:
            return self.one_of(WORDS)
        if kind == 6:
            return [self.value(depth - 1) for _ in range(self._chance.randrange(4))]
        return self.object(depth)

    def object(self, depth: int = 3) -> dict[str, Any]:
        return {self.one_of(KEYS): self.value(depth - 1) for _ in range(self._chance.randrange(6))}

    def raw(self) -> bytes:
        return self._chance.randbytes(self._chance.randrange(40))

    def json(self, value: Any) -> str:
        text = json.dumps(value)
        if self._chance.random() < 0.1:  # cut, or with something in the middle that is not meant to be there
            at = self._chance.randrange(len(text) + 1)
            text = text[:at] + self.one_of(["", "\x00", "}", "[" * 2000]) + text[at + 1 :]
        return text

    def frame(self) -> str | bytes:
        kind = self._chance.randrange(5)
        if kind == 0:
            return self.raw()
        if kind == 1:
            lengths = [self._chance.randrange(12) for _ in range(5)]
            return bytes([self._chance.randrange(6), *lengths, self._chance.randrange(3)]) + self.raw()
        topic, event = self.one_of([*TOPICS, self.one_of(WORDS)]), self.one_of([*EVENTS, self.one_of(WORDS)])
        payload = self.one_of([{"config": self.object()}, self.object(), self.value()])
        if kind == 2:
            return self.json([self.value(0), self.value(0), topic, event, payload])
        return self.json({"topic": topic, "event": event, "payload": payload, "ref": self.value(0)})

    def request(self, project: Project) -> dict[str, Any]:
        path = self.one_of(PATHS)
        while "{}" in path:
            path = path.replace("{}", str(httpx.QueryParams({"q": self._word()})).removeprefix("q="), 1)
        key = self.one_of([project.publishable_key, project.secret_key, self._ascii()])
        headers = {"apikey": key, "authorization": f"Bearer {self.one_of([key, self._ascii()])}"}
        if self._chance.random() < 0.2:
            headers |= {"content-type": "multipart/form-data; boundary=x", "x-upsert": "true", "range": "bytes=5-1"}
        if self._chance.random() < 0.2:
            headers |= {"tus-resumable": "1.0.0", "upload-length": self._ascii(), "upload-metadata": self._ascii()}
        if self._chance.random() < 0.2:
            headers |= {"prefer": self.one_of(PREFERENCES), "accept": self.one_of(ACCEPTED), "range": self._ascii()}
        bodies = [self.json(self.object()).encode(), self.json(self.value()).encode(), self.raw(), b"--x\r\n"]
        method = self.one_of(["GET", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
        return {"method": method, "url": f"{project.url}/{path}", "headers": headers, "content": self.one_of(bodies)}

    def _word(self) -> str:
        return str(self.one_of(WORDS)).encode(errors="replace").decode()

    def _ascii(self) -> str:
        return "".join(char for char in str(self.one_of(WORDS)) if " " < char < "\x7f")[:2000] or "x"


async def test_frames(project: Project, shared_data: Path) -> None:
    log, nonsense = _log(shared_data), Nonsense(SEED)
    frames = [nonsense.frame() for _ in range(COUNT)]
    for version in ("1.0.0", "2.0.0"):
        url = (
            f"{project.url.replace('http', 'ws')}/realtime/v1/websocket?apikey={project.publishable_key}&vsn={version}"
        )
        for start in range(0, len(frames), 100):
            async with connect(url) as socket:
                await _survives(socket, frames[start : start + 100], version)
    _assert_quiet(shared_data, log)


async def _survives(socket: ClientConnection, frames: list[str | bytes], version: str) -> None:
    """Send nonsense, then ask for a sign of life: it comes after all that was answered before."""
    for frame in frames:
        await socket.send(frame.encode(errors="replace").decode() if isinstance(frame, str) else frame)
    beat: Any = {"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "alive"}
    await socket.send(json.dumps([None, "alive", "phoenix", "heartbeat", {}] if version == "2.0.0" else beat))
    try:
        async with asyncio.timeout(20):
            while '"alive"' not in str(await socket.recv()):
                pass
    except (TimeoutError, ConnectionClosed) as error:
        raise AssertionError(f"no sign of life, FUZZ_SEED={SEED}") from error


async def test_requests(project: Project, shared_data: Path) -> None:
    log, nonsense = _log(shared_data), Nonsense(SEED)
    with psycopg.connect(project.database_url, autocommit=True) as database:
        database.execute(TABLE)
    requests = iter([nonsense.request(project) for _ in range(COUNT)])
    async with httpx.AsyncClient(timeout=20) as http:
        secret = {"apikey": project.secret_key, "authorization": f"Bearer {project.secret_key}"}
        await http.post(f"{project.url}/storage/v1/bucket", headers=secret, json={"name": "fuzz", "public": True})
        await asyncio.gather(*(_send_all(http, requests) for _ in range(AT_ONCE)))
        assert (await http.get(f"{project.url}/health")).status_code == 200
    _assert_quiet(shared_data, log)


async def _send_all(http: httpx.AsyncClient, requests: Any) -> None:
    for request in requests:
        try:
            answer = await http.request(**request)
        except httpx.InvalidURL:
            continue
        told = f"{answer.status_code} {answer.text[:300]} to {request}, FUZZ_SEED={SEED}"
        assert answer.status_code < 500 or answer.status_code == 501, told


def _log(data: Path) -> int:
    return (data / "standin.log").stat().st_size


def _assert_quiet(data: Path, since: int) -> None:
    """What is caught at the last moment is a fault too: the log has it."""
    said = (data / "standin.log").read_bytes()[since:].decode(errors="replace")
    assert "Traceback" not in said, f"FUZZ_SEED={SEED}: {said[said.index('Traceback') - 300 :][:3000]}"
