"""Start, watch and stop one Postgres that belongs to the stand-in.

Reachable on 127.0.0.1 with a password (scram-sha-256) only; no socket file, so nothing to find in a shared
folder. It hangs on a leash: whoever is killed, it shuts down. Durability is honest: `fsync` stays on.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .account import Account, choose_account, place_for, reachable
from .binaries import Binaries, find_binaries
from .errors import StandinError
from .processes import import_path, last_line, last_of, open_log

SUPERUSER = "supabase_admin"
START_SECONDS = 30.0  # recovery after a crash replays the log first
STOP_SECONDS = 10.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_replication_slots": "10",
    "max_wal_senders": "10",
    "max_slot_wal_keep_size": "256MB",  # a slot somebody forgot must not fill the disk
    "max_connections": "100",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class PortTakenError(StandinError):
    """Another program was faster: the port was free a moment ago."""


class Postgres:
    """One cluster in `data`, served on `port` of 127.0.0.1 while it runs."""

    def __init__(self, data: Path, port: int, password: str) -> None:
        self.data, self.port, self.password = data, port, password
        self.account = choose_account()
        self.cluster = place_for(data, self.account) / "postgres"
        self.binaries = reachable(find_binaries(_major_of(self.cluster)), self.account)
        self.log = data / "postgres.log"
        self._leash: subprocess.Popen[bytes] | None = None
        self._log_began = 0

    @property
    def superuser_url(self) -> str:
        """The address for the stand-in's own work."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def running(self) -> bool:
        return self._leash is not None and self._leash.poll() is None

    def prepare(self) -> None:
        """Make the cluster if there is none, and wait for a predecessor's last breath."""
        if not self.cluster.exists():
            _make_cluster(self.cluster, self.binaries, self.account, self.password)
        _await_predecessor(self.cluster)

    def start(self) -> None:
        """Start and wait until it answers. Raises StandinError with Postgres's own last words."""
        self.spawn()
        self.await_answer()

    def spawn(self) -> None:
        """Start, and do not wait."""
        command = _leashed(self.account, self.binaries, self.cluster, self.port)
        with open_log(self.log) as log:
            self._log_began = log.tell()
            self._leash = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/", env=import_path()
            )

    def stop(self) -> None:
        """Shut down fast: clients are disconnected, what they committed is kept."""
        if self._leash is None or self._leash.stdin is None:
            return
        self._leash.stdin.close()
        self._leash.wait()

    def await_answer(self) -> None:
        """Wait until it answers. Raises StandinError with Postgres's own last words."""
        import psycopg  # noqa: PLC0415 - takes as long to load as Postgres to start: `spawn` comes first

        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.superuser_url, connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                self._check_start(deadline, error)
            time.sleep(0.02)

    def _check_start(self, deadline: float, error: Exception) -> None:
        """Raise when waiting on is pointless: it ended, it refuses our password, or the time is up."""
        refused = "password authentication failed" in str(error)
        if self.running and not refused and time.monotonic() < deadline:
            return
        self.stop()
        if "could not create any TCP/IP sockets" in self._said():  # and who refused us is another Postgres
            raise PortTakenError(f"Port {self.port} is taken: end what listens on it, or choose another.")
        if refused:
            raise StandinError(
                f"The database in {self.cluster} refuses the password in standin.json: put that file back, "
                "or start anew with `python -m chatapp.standin reset`."
            )
        raise StandinError(f"Postgres did not start ({last_line(self.log)}): see {self.log}.")

    def _said(self) -> str:
        """What this start has logged."""
        return self.log.read_bytes()[self._log_began :].decode(errors="replace")


def _leashed(account: Account, binaries: Binaries, cluster: Path, port: int) -> list[str]:
    """Return the command: INT is Postgres's fast shutdown, and a checkpoint may need a moment."""
    leash = [sys.executable, "-m", f"{__package__}.leash", "--signal", "INT", "--grace", str(STOP_SECONDS)]
    user = ["--user", account.name] if account.name else []
    settings = [f"--{name}={value}" for name, value in {**SETTINGS, "port": str(port)}.items()]
    return [*leash, *user, "--", str(binaries.folder / "postgres"), "-D", str(cluster), *settings]


def _make_cluster(cluster: Path, binaries: Binaries, account: Account, password: str) -> None:
    """Build beside, then rename: an initdb that was cut short must not look like a database."""
    half = cluster.with_name("postgres.new")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    account.owns(half)
    with _password_file(account, password) as secret:
        _initdb(binaries, half, account, secret)
    half.rename(cluster)


def _initdb(binaries: Binaries, cluster: Path, account: Account, password_file: str) -> None:
    options = [
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
    ]
    # Linux has C.UTF-8 everywhere; elsewhere C sorts alike and only knows less about upper and lower case.
    locale = "--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"
    command = [str(binaries.folder / "initdb"), "-D", str(cluster), *options, locale]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **account.arguments())
    if done.returncode:
        raise StandinError(f"The database could not be made in {cluster.parent}: {last_of(done.stderr)}")


@contextlib.contextmanager
def _password_file(account: Account, password: str) -> Iterator[str]:
    """A file only `account` can read, for as long as initdb needs it: an argument would show in `ps`."""
    with tempfile.NamedTemporaryFile("w", prefix="standin-") as secret:
        secret.write(password)
        secret.flush()
        account.owns(Path(secret.name))
        yield secret.name


def _major_of(cluster: Path) -> int | None:
    version = cluster / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def _await_predecessor(cluster: Path) -> None:
    """Wait until a Postgres that still runs on this cluster is gone, and clear a stale pid file away.

    After a kill -9 of the stand-in its Postgres is still writing its last checkpoint. A pid file that names a
    zombie, or a number that now belongs to another program, would make Postgres refuse to start for good.
    """
    deadline = time.monotonic() + STOP_SECONDS + 5
    while (pid := _postmaster(cluster)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if pid:
        os.kill(pid, signal.SIGQUIT)
        raise StandinError(f"A Postgres (process {pid}) still held {cluster} and was told to quit: start again.")
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _postmaster(cluster: Path) -> int | None:
    """Return the process id of the Postgres that runs on `cluster`, or None."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return pid if _works_in(pid, cluster) else None


def _works_in(pid: int, cluster: Path) -> bool:
    """Tell whether `pid` is alive, no zombie, and about this cluster."""
    state, command = _on_linux(pid) if sys.platform == "linux" else _elsewhere(pid)
    return state not in ("", "Z") and str(cluster) in command


def _on_linux(pid: int) -> tuple[str, str]:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state, Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return "", ""


def _elsewhere(pid: int) -> tuple[str, str]:
    command_line = ["ps", "-o", "stat=,command=", "-p", str(pid)]
    listing = subprocess.run(command_line, check=False, capture_output=True, text=True)
    state, _, command = listing.stdout.strip().partition(" ")
    return state[:1], command
