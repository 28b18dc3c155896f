"""The three file locks that decide who starts, who serves and who still uses a stand-in.

`start.lock` held while somebody starts one, so that two callers start one, not two;
`server.lock` held by the serving process for its whole life, so that "does it run" has one answer, even
    after a kill -9;
`users.lock` shared by every user; taken alone by a server that stops, so that a newcomer waits until it is
    gone.

The kernel drops a lock with the process that held it, however that ended: no counter to get wrong, nothing to
clean up.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class FileLock:
    """A lock on a file, held from the moment it was taken until `release` or the end of this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def try_alone(self) -> bool:
        """Take the lock for us alone, if nobody has it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock together with others, if nobody has it alone."""
        return self._try(fcntl.LOCK_SH)

    def unlock(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def release(self) -> None:
        """Give the lock and the file back."""
        os.close(self._descriptor)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Tell whether some process holds the lock on `path` alone."""
    if not path.exists():
        return False
    with FileLock(path) as probe:
        return not probe.try_shared()


class Deadline:
    """A point in time that waiting loops share."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        return time.monotonic() > self._end
