"""Objects' bytes, in a folder of the stand-in's data.

A file is named by its version, a random id, never by what its object is called: there is no path a name could lead
out by. Bytes arrive in `incoming/` and are moved once they are whole, so that a cut upload leaves nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from .errors import too_large


@dataclass
class Incoming:
    """A file while it arrives."""

    path: Path
    file: BinaryIO
    limit: int
    version: str = field(default_factory=lambda: str(uuid.uuid4()))
    size: int = 0
    _digest: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))

    @classmethod
    def of(cls, path: Path) -> Incoming:
        """Return a file that is here already, as it would be had it just arrived."""
        incoming = cls(path, path.open("rb"), path.stat().st_size, size=path.stat().st_size)
        while chunk := incoming.file.read(1 << 20):
            incoming._digest.update(chunk)
        return incoming

    @property
    def etag(self) -> str:
        return f'"{self._digest.hexdigest()}"'

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises StorageError when there are more than allowed."""
        self.size += len(chunk)
        if self.size > self.limit:
            raise too_large()
        self._digest.update(chunk)
        await asyncio.to_thread(self.file.write, chunk)


class Files:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self._objects, self._incoming = folder / "objects", folder / "incoming"
        self.resumable = folder / "resumable"

    def prepare(self) -> None:
        """Make the folders, closed to others; drop what a killed process had not received whole."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        for each in (self._objects, self._incoming, self.resumable):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, version: str) -> Path:
        return self._objects / version[:2] / str(uuid.UUID(version))

    @contextlib.asynccontextmanager
    async def receive(self, limit: int) -> AsyncIterator[Incoming]:
        """Give a file to write to. Unless it is kept, nothing is left of it afterwards."""
        path = self._incoming / str(uuid.uuid4())
        with path.open("wb") as file:
            try:
                yield Incoming(path, file, limit)
            finally:
                path.unlink(missing_ok=True)

    async def keep(self, incoming: Incoming) -> None:
        """Make a file that arrived whole last: on disk before the row that names it is committed."""
        await asyncio.to_thread(self._keep, incoming)

    def _keep(self, incoming: Incoming) -> None:
        incoming.file.flush()
        os.fsync(incoming.file.fileno())
        incoming.file.close()
        target = self.path(incoming.version)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        incoming.path.rename(target)

    async def copy(self, version: str) -> str:
        """Keep the same bytes under a new version and return it."""
        new = str(uuid.uuid4())
        target = self.path(new)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        await asyncio.to_thread(os.link, self.path(version), target)  # files never change, so one may have two names
        return new

    async def drop(self, *versions: str | None) -> None:
        """Forget files. One that is gone already is no error."""
        for version in filter(None, versions):
            with contextlib.suppress(OSError, ValueError):
                await asyncio.to_thread(self.path(version).unlink)

    def versions(self) -> set[str]:
        """Return the versions of all files."""
        return {path.name for path in self._objects.glob("*/*")}
