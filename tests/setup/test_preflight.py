"""What can be wrong on this machine is said in one sentence, with its cure."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chatapp import preflight
from chatapp.errors import Misconfigured
from chatapp.preflight import Ports


def test_ports_are_the_ones_asked_for() -> None:
    assert preflight.ports({}) == Ports(3000, 8000)
    assert preflight.ports({"PORT": "3001", "REFLEX_BACKEND_PORT": "8001"}) == Ports(3001, 8001)
    assert preflight.ports({"PORT": "3001", "REFLEX_FRONTEND_PORT": "4000"}).pages == 3001


@pytest.mark.parametrize("text", ["abc", "0", "-1", "65536", "80.5"])
def test_a_port_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(Misconfigured, match=f"PORT is '{text}': it must be a number from 1 to 65535"):
        preflight.ports({"PORT": text})


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_taken_port_names_who_has_it_and_another_one(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        port, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        preflight.check_ports(Ports(free, free))
        with pytest.raises(Misconfigured) as refusal:
            preflight.check_ports(Ports(port, free))
    assert f"Port {port} is taken by" in refusal.value.message
    assert f"(process {os.getpid()})" in refusal.value.message
    assert "`make run PORT=" in refusal.value.message


def test_one_app_runs_from_a_folder_at_a_time(tmp_path: Path) -> None:
    with preflight.only_one(tmp_path, "http://localhost:3000"):
        with pytest.raises(Misconfigured) as refusal, preflight.only_one(tmp_path, "http://localhost:3001"):
            pass
        assert f"already runs from this folder, at http://localhost:3000 (process {os.getpid()})" in str(refusal.value)
    with preflight.only_one(tmp_path, "http://localhost:3001"):
        pass


def test_the_lock_of_a_killed_app_holds_nobody_up(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from chatapp.preflight import only_one\n"
        f"with only_one(Path({str(tmp_path)!r}), 'there'): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert (tmp_path / preflight.LOCK).read_text().startswith("there ")
    with preflight.only_one(tmp_path, "here"):
        pass


def test_a_folder_that_cannot_be_written_to_is_named() -> None:
    """/proc refuses even root."""
    folder = Path("/proc") if Path("/proc").exists() else Path("/System")
    with pytest.raises(Misconfigured, match=f"Cannot write to {folder} .*sudo chown"), preflight.only_one(folder, ""):
        pass
