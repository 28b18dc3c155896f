"""`chatapp.serve`, which also says what it holds: SIGUSR1 makes it write its counts to the file `COUNTS`."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from chatapp import serve
from tests import held


def tell(*_: object) -> None:
    """Write the counts, all at once."""
    target = Path(os.environ["COUNTS"])
    half = target.with_suffix(".half")
    half.write_text(json.dumps(held.counts()))
    half.replace(target)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell)
    serve.main()
