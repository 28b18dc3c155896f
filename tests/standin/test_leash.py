"""The leash: nothing outlives its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.standin.helpers import is_alive, wait_until

ROOT = Path(__file__).parents[2]
LEASH = [sys.executable, "-m", "chatapp.standin.leash"]

# Says who it is, starts a grandchild in a session of its own that ignores TERM, and waits.
FAMILY = """
    import subprocess, sys, time, os
    child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN);"
        "print('up', flush=True); time.sleep(600)"], start_new_session=True, stdout=subprocess.PIPE)
    child.stdout.readline()
    print(os.getpid(), child.pid, flush=True)
    time.sleep(600)
"""


def start(*options: str, program: str = FAMILY) -> subprocess.Popen[str]:
    command = [*LEASH, *options, "--", sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def pids(leash: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in leash.stdout.readline().split()]


def test_closing_the_pipe_ends_the_command_and_its_grandchildren() -> None:
    with start() as leash:
        family = pids(leash)
        leash.stdin.close()
        assert leash.wait(10) == 128 + signal.SIGTERM
    assert not any(map(is_alive, family))


def test_an_owner_killed_with_9_takes_the_command_along() -> None:
    owner_program = f"""
        import subprocess, sys, time
        leash = subprocess.Popen({[*LEASH, "--", sys.executable, "-c", textwrap.dedent(FAMILY)]!r},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print(leash.pid, leash.stdout.readline(), flush=True)
        time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(owner_program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as owner:
        everybody = pids(owner)
        assert len(everybody) == 3
        owner.kill()
    wait_until(lambda: not any(map(is_alive, everybody)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_leash_killed_with_9_takes_the_command_along() -> None:
    with start() as leash:
        command, grandchild = pids(leash)
        leash.kill()
    try:
        wait_until(lambda: not is_alive(command))
    finally:
        os.kill(grandchild, signal.SIGKILL)  # nobody was left to end it: the limit of this protection


def test_terminating_the_leash_ends_the_command() -> None:
    with start() as leash:
        family = pids(leash)
        leash.terminate()
        leash.wait(10)
    assert not any(map(is_alive, family))


def test_a_command_that_ignores_the_signal_is_killed() -> None:
    stubborn = """
        import os, signal, time
        signal.signal(15, signal.SIG_IGN)
        print(os.getpid(), flush=True)
        time.sleep(600)
    """
    with start("--grace", "0.2", program=stubborn) as leash:
        family = pids(leash)
        began = time.monotonic()
        leash.stdin.close()
        assert leash.wait(10) == 128 + signal.SIGKILL
    assert time.monotonic() - began < 5
    assert not any(map(is_alive, family))


def test_the_chosen_signal_is_sent() -> None:
    polite = """
        import time
        try:
            print(1, flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            raise SystemExit(7)
    """
    with start("--signal", "INT", program=polite) as leash:
        pids(leash)
        leash.stdin.close()
        assert leash.wait(10) == 7


def test_the_commands_own_end_is_passed_on() -> None:
    with start(program="raise SystemExit(3)") as leash:
        assert leash.wait(10) == 3


def test_what_a_command_leaves_behind_is_ended() -> None:
    leaver = FAMILY.replace("time.sleep(600)\n", "", -1).rstrip().removesuffix("time.sleep(600)")
    with start(program=leaver) as leash:
        _, grandchild = pids(leash)
        assert leash.wait(10) == 0
    assert not is_alive(grandchild)


def test_a_command_that_is_not_there() -> None:
    done = subprocess.run(
        [*LEASH, "--", "/nowhere"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 127
    assert "cannot run /nowhere" in done.stderr
