"""The stand-in by itself: what a committed row takes to reach a client beside a bare NOTIFY, and what it costs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
from psycopg.rows import TupleRow

from chatapp.standin import keys, lifecycle
from chatapp.standin.record import Record, load_record
from tests.bench import app as bench_app
from tests.bench import processes
from tests.bench.crowd import Crowd
from tests.bench.figures import Peer, Report
from tests.bench.load import apply
from tests.bench.notify import Listener
from tests.bench.viewers import ChangesViewer, Viewer
from tests.folders import data_folder
from tests.ports import free_port

STARTS = 3
TURNS = 5
"""Times that all kinds are measured one after the other, so that all meet the same weather."""
MESSAGES = 40
PER_SECOND = 40.0
SUBSCRIBERS = 50
IDLE_SECONDS = 10
SCHEMA = """
create table public.bench_members (user_id uuid primary key, room int not null);
grant select on public.bench_members to authenticated;
create table public.bench_told (id bigint generated always as identity primary key, body text);
create table public.bench_open (like public.bench_told including all);
create table public.bench_guarded (like public.bench_told including all, room int default 1);
create table public.bench_crowded (like public.bench_guarded including all);
alter table public.bench_guarded enable row level security;
alter table public.bench_crowded enable row level security;
create policy members on public.bench_guarded for select to authenticated using (
  room in (select room from public.bench_members where user_id = (select auth.uid())));
create policy members on public.bench_crowded for select to authenticated using (
  room in (select room from public.bench_members where user_id = (select auth.uid())));
create function public.bench_notify() returns trigger language plpgsql as
  'begin perform pg_notify(''bench'', new.body); return null; end';
create trigger told after insert on public.bench_told for each row execute function public.bench_notify();
alter publication supabase_realtime add table public.bench_open, public.bench_guarded, public.bench_crowded;
"""
_INSERT = "insert into public.{} (body) values (%s)"
_SEND = "select realtime.send(jsonb_build_object('text', %s::text), 'note', 'bench', false)"


async def measure(report: Report) -> None:
    """Starts first, into an empty folder; then the latencies; idle last, when all clients but one have gone."""
    with data_folder("bench") as data:
        await starts(report, data)
        record = load_record(data)
        assert record
        async with await psycopg.AsyncConnection.connect(record.database_url, autocommit=True) as connection:
            await connection.execute(SCHEMA)
            await latencies(report, Source(data, record, connection))
        await resting(report, record)


async def starts(report: Report, data: Path) -> None:
    """Seconds until a project answers that has never been started, and one that has."""
    report.figure("stand-in: cold start", await _start(data), "s", limit=2)
    warm = []
    for _ in range(STARTS):
        await asyncio.to_thread(bench_app.leave, data)
        warm.append(await _start(data))
    report.figure("stand-in: warm start", statistics.median(warm), "s", limit=0.7)


async def _start(data: Path) -> float:
    ports = {"api_port": free_port(), "db_port": free_port()}
    began = time.perf_counter()
    await asyncio.to_thread(lifecycle.ensure, data, **ports)
    return time.perf_counter() - began


class Source:
    """The database, as its owner writes to it."""

    def __init__(self, data: Path, record: Record, connection: psycopg.AsyncConnection[TupleRow]) -> None:
        self.record, self.connection, self.keys = record, connection, keys.load_keys(data, record)

    async def token(self) -> str:
        """Sign somebody in who is a member of the room."""
        who, now = str(uuid4()), int(time.time())
        await self.connection.execute("insert into public.bench_members values (%s, 1)", (who,))
        claims = {"sub": who, "role": "authenticated", "aud": keys.AUDIENCE, "iss": self.keys.issuer}
        return self.keys.sign({**claims, "iat": now, "exp": now + 3600})


class Told:
    """A `load.System`: rows of one table, or broadcasts, and those who are told of them."""

    def __init__(self, name: str, source: Source, statement: str, viewers: list[Viewer]) -> None:
        self.name, self._source, self._statement, self._viewers = name, source, statement, viewers

    def viewers(self, count: int) -> list[Viewer]:
        return self._viewers[:count]

    async def post(self, text: str) -> float:
        await self._source.connection.execute(self._statement, (text,))
        return time.perf_counter()

    def cpu(self) -> float:
        return processes.cpu_seconds(self._source.record.pid)

    def memory(self) -> int:
        return processes.memory(self._source.record.pid)


async def latencies(report: Report, source: Source) -> None:
    """Milliseconds from the commit's answer until a client in another process has the frame."""
    waits: dict[str, list[float]] = {}
    async with _audiences(source) as audiences, Listener(source.record.database_url) as listener:
        for _ in range(TURNS):
            notified = await listener.apply(source.connection, _INSERT.format("bench_told"), PER_SECOND, MESSAGES)
            waits.setdefault("NOTIFY", []).extend(notified)
            for system, crowd, size in audiences:
                outcome = await apply(system, crowd, size, PER_SECOND, MESSAGES, drain=20)
                waits.setdefault(system.name, []).extend(outcome.waits)
    bare = Peer("NOTIFY", _middle(waits["NOTIFY"]))
    for name, each in waits.items():
        limit = 3 * bare.value if name in ALONE else None
        peer = None if name == "NOTIFY" else bare
        report.figure(f"stand-in: {name}, commit to client, p50", _middle(each), "ms", limit=limit, peer=peer)


CROWDED = f"a change for {SUBSCRIBERS} people under row-level security"
ALONE = ("a broadcast from the database", "a change", "a change under row-level security")


def _middle(waits: list[float]) -> float:
    return 1000 * statistics.median(waits)


@asynccontextmanager
async def _audiences(source: Source) -> AsyncIterator[list[tuple[Told, Crowd, int]]]:
    """One subscriber of each kind, and many of the last."""
    tokens = [await source.token() for _ in range(SUBSCRIBERS)]
    broadcast = Told(ALONE[0], source, _SEND, [_viewer(source.record, None, tokens[0])])
    systems = [
        (broadcast, 1),
        (_told(source, ALONE[1], "bench_open", tokens[:1]), 1),
        (_told(source, ALONE[2], "bench_guarded", tokens[:1]), 1),
        (_told(source, CROWDED, "bench_crowded", tokens), SUBSCRIBERS),
    ]
    async with AsyncExitStack() as stack:
        yield [(each, await stack.enter_async_context(Crowd(each.viewers(size))), size) for each, size in systems]


def _told(source: Source, name: str, table: str, tokens: list[str]) -> Told:
    return Told(name, source, _INSERT.format(table), [_viewer(source.record, table, token) for token in tokens])


def _viewer(record: Record, table: str | None, token: str) -> Viewer:
    asked = [{"schema": "public", "table": table, "event": "INSERT"}] if table else []
    join = json.dumps({"config": {"postgres_changes": asked}, "access_token": token})
    return ChangesViewer("127.0.0.1", record.api_port, record.publishable_key, table or "bench", join)


async def resting(report: Report, record: Record) -> None:
    """What it costs when nothing happens, Postgres apart."""
    own = _without_postgres(record.pid)
    before, began = _cpu(own), time.perf_counter()
    await asyncio.sleep(IDLE_SECONDS)
    used = 100 * (_cpu(own) - before) / (time.perf_counter() - began)
    report.figure("stand-in: idle CPU, Postgres apart", used, "% of a core", limit=1)
    size = sum(processes.measured(each, lambda process: process.memory_info().rss) for each in own)
    report.figure("stand-in: memory, Postgres apart", size / 1e6, "MB", limit=80)


def _without_postgres(pid: int) -> list[psutil.Process]:
    def is_ours(process: psutil.Process) -> float:
        return not process.name().startswith("postgres")

    return [process for process in processes.family(pid) if processes.measured(process, is_ours)]


def _cpu(own: list[psutil.Process]) -> float:
    return sum(processes.measured(each, lambda process: sum(process.cpu_times()[:2])) for each in own)
