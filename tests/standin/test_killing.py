"""A short run of tests/standin/killing.py; `KILLS=50 python -m tests.standin.killing` is the long one."""

from __future__ import annotations

import os
import secrets

from tests.standin import killing


def test_what_was_acknowledged_survives_kills() -> None:
    seed = os.environ.get("KILL_SEED") or secrets.token_hex(4)
    killed = killing.run(int(os.environ.get("KILLS", "4")), seed)
    assert killed.total(), f"KILL_SEED={seed}"
