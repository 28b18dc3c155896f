"""What a stand-in remembers from start to start: its ports, keys and passwords, in `standin.json` (mode
0600).
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from .errors import StandinError


@dataclass(frozen=True)
class Record:
    """One project. `api_port` and `db_port` are 0 until the first start chose them; `pid` is the last
    server's.
    """

    project: str
    publishable_key: str
    secret_key: str
    postgres_password: str
    superuser_password: str
    api_port: int = 0
    db_port: int = 0
    pid: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def database_url(self) -> str:
        """The address of the role `postgres`, which owns `public`, as a hosted project gives it out."""
        return self._address_of("postgres")

    @property
    def authenticator_url(self) -> str:
        """The address of the role that can become each of the API's, and nothing else."""
        return self._address_of("authenticator")

    def _address_of(self, role: str) -> str:
        return f"postgresql://{role}:{self.postgres_password}@127.0.0.1:{self.db_port}/postgres"


def new_record() -> Record:
    """Return a record with fresh keys, in the form hosted ones have: the prefix tells what a key may do."""
    return Record(
        project=secrets.token_hex(10),
        publishable_key=f"sb_publishable_{secrets.token_urlsafe(24)}",
        secret_key=f"sb_secret_{secrets.token_urlsafe(24)}",
        postgres_password=secrets.token_urlsafe(24),
        superuser_password=secrets.token_urlsafe(24),
    )


def load_record(data: Path) -> Record | None:
    """Return what `data` remembers, None when it is new. Raises StandinError when the file is damaged."""
    path = data / "standin.json"
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text())
        return Record(**{field.name: stored[field.name] for field in fields(Record)})
    except (ValueError, KeyError, TypeError) as error:
        raise StandinError(
            f"{path} is damaged: restore it, or start anew with `python -m chatapp.standin reset`."
        ) from error


def save_record(data: Path, record: Record, **changes: int) -> Record:
    """Store `record` with `changes`, all or nothing, and return it."""
    changed = replace(record, **changes)  # type: ignore[arg-type]  # all that changes are numbers
    write_private(data / "standin.json", json.dumps(asdict(changed), indent=2).encode())
    return changed


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, so that a crash leaves the old one or the new one."""
    half = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
