"""Folders for stand-ins that live as long as one run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatapp.standin import lifecycle


@contextmanager
def data_folder(of: str) -> Iterator[Path]:
    """A data folder that the account running Postgres can enter, unlike pytest's own. What runs in it goes with it.

    Logs may stand beside it: the folder around it is the run's own, too.
    """
    made = Path(tempfile.mkdtemp(prefix=f"chatapp-{of}-"))
    made.chmod(0o755)
    try:
        yield made / "data"
    finally:
        lifecycle.release(made / "data", stop_if_last=False)
        lifecycle.reset(made / "data")
        shutil.rmtree(made, ignore_errors=True)
