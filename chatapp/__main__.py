"""`python -m chatapp`: check, start and stop everything the chat needs on this machine.

`python -m chatapp migrate` brings the database up to date and ends. For servers, see docs/deploy.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp import preflight
from chatapp.errors import ChatError
from chatapp.launcher import Server
from chatapp.preflight import Ports

if TYPE_CHECKING:
    from chatapp.settings import Settings

# What takes long to import is imported where it is used: Reflex, which takes longest to start, is started first.

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run one command; return the shell's exit code."""
    command = _command()
    for number in ENDINGS:
        # All mean what Ctrl-C means. Set even for Ctrl-C: a shell that starts us in the background switches it off.
        signal.signal(number, signal.default_int_handler)
    try:
        return command()
    except ChatError as error:
        print(f"chatapp: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def run() -> int:
    """Start the app, and stop it on Ctrl-C."""
    here, ports = Path.cwd(), preflight.ports(os.environ)
    address = f"http://localhost:{ports.pages}"
    preflight.check_writable(here)
    with preflight.only_one(here, address):
        preflight.check_ports(ports)
        _announce(here)
        try:
            return _serve(ports, address)
        finally:
            _let_nothing_interrupt()
            _leave()


def migrate_only() -> int:
    """Bring the database of the configured project, or the stand-in's, up to date."""
    from chatapp import migrate, project, settings

    chosen = settings.load() or project.standin_settings()
    settings.use(chosen)
    try:
        asyncio.run(migrate.migrate())
    finally:
        _leave()
    print("The database is up to date.")
    return 0


def _serve(ports: Ports, address: str) -> int:
    """Reflex compiles on one core while the project is made ready on another."""
    with Server(ports, os.environ) as server:
        try:
            chosen = _prepare()
            server.wait_until_ready()
            _greet(address, chosen)
            return _verdict(server.wait(each_second=_revive if chosen.is_standin else _rest))
        finally:
            _let_nothing_interrupt()


def _prepare() -> Settings:
    """Check the configured project, or start the stand-in. Migrating and filling that is the backend's part."""
    from chatapp import project, settings

    if configured := settings.load():
        from chatapp import remote  # two seconds of imports that the stand-in does without

        settings.use(configured)
        asyncio.run(remote.check(configured))
        return configured
    return project.standin_settings()


def _revive() -> None:
    from chatapp import project

    project.revive()


def _rest() -> None:
    """A configured project is kept alive by others."""


def _leave() -> None:
    from chatapp import project

    project.leave()


def _verdict(code: int) -> int:
    if code:
        print(f"chatapp: Reflex ended by itself with code {code}.", file=sys.stderr)
    return 1 if code else 0


def _announce(here: Path) -> None:
    first = not (here / ".web" / "node_modules").exists()
    wait = (
        " For the first time: its JavaScript packages are installed, which takes about half a minute." if first else ""
    )
    print(f"Starting the chat.{wait}", flush=True)


def _greet(address: str, chosen: Settings) -> None:
    from chatapp.project import STANDIN_DATA

    print(f"\n  The chat runs at {address}\n")
    if chosen.is_standin:
        print("  Try it with two people: `Continue as Ada` here, `Continue as Grace` in a private window.")
        print(f"  Data: {STANDIN_DATA}/, in a local Postgres. It is kept until `make clean DATA=yes`.")
    else:
        print(f"  Data: your Supabase project at {chosen.supabase_url}")
    print("  Stop: Ctrl-C\n", flush=True)


def _command() -> Callable[[], int]:
    parser = argparse.ArgumentParser(prog="python -m chatapp", description="A team chat. Without a command: run it.")
    parser.set_defaults(command=run)
    commands = parser.add_subparsers()
    commands.add_parser("run", help=run.__doc__).set_defaults(command=run)
    commands.add_parser("migrate", help=migrate_only.__doc__).set_defaults(command=migrate_only)
    chosen: Callable[[], int] = parser.parse_args().command
    return chosen


def _let_nothing_interrupt() -> None:
    """A second Ctrl-C must not cut the tidying up short; it is over within seconds."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
