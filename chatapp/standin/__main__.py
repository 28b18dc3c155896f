"""`python -m chatapp.standin COMMAND`: the stand-in from a shell."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shlex
import sys
from pathlib import Path

from . import lifecycle
from .errors import StandinError
from .record import load_record


def main() -> int:
    """Run one command; return the shell's exit code."""
    options = _options()
    try:
        return COMMANDS[options.command](options)
    except StandinError as error:
        print(f"standin: {error}", file=sys.stderr)
        return 1


def start(options: argparse.Namespace) -> int:
    """Start it, and let it run without users until `stop`."""
    project = lifecycle.ensure(options.data, api_port=options.api_port, db_port=options.db_port)
    lifecycle.keep(options.data)
    lifecycle.release(options.data, stop_if_last=False)
    print(f"The stand-in runs at {project.url} until `python -m {__package__} stop`.")
    return 0


def status(options: argparse.Namespace) -> int:
    """Say whether one runs; exit code 1 if none does."""
    project = lifecycle.find(options.data)
    print(f"The stand-in runs at {project.url}." if project else _none_runs(options))
    return 0 if project else 1


def stop(options: argparse.Namespace) -> int:
    """Stop it, whoever uses it."""
    print("Stopped." if lifecycle.stop(options.data) else _none_runs(options))
    return 0


def reset(options: argparse.Namespace) -> int:
    """Stop it and delete its data."""
    lifecycle.reset(options.data)
    print(f"The data in {options.data} is gone.")
    return 0


def env(options: argparse.Namespace) -> int:
    """Print what an application needs, for `eval "$(…)"` or a `.env` file."""
    project = lifecycle.find(options.data)
    if project is None:
        raise StandinError(_none_runs(options))
    print(f"SUPABASE_URL={shlex.quote(project.url)}")
    print(f"SUPABASE_PUBLISHABLE_KEY={shlex.quote(project.publishable_key)}")
    print(f"SUPABASE_SECRET_KEY={shlex.quote(project.secret_key)}")
    print(f"DATABASE_URL={shlex.quote(project.database_url)}")
    if options.legacy:
        _print_legacy(options.data)
    return 0


def _print_legacy(data: Path) -> None:
    """The names and forms that keys had until 2025: tokens signed with a shared secret."""
    from .keys import load_keys  # noqa: PLC0415 - cryptography: the other commands do without

    record = load_record(data)
    if record is None:
        return
    keys = load_keys(data, record)
    print(f"SUPABASE_ANON_KEY={keys.legacy_key('anon')}")
    print(f"SUPABASE_SERVICE_ROLE_KEY={keys.legacy_key('service_role')}")
    print(f"SUPABASE_JWT_SECRET={keys.legacy_secret}")


def serve(options: argparse.Namespace) -> int:
    """Serve in the foreground, until Ctrl-C."""
    from .server import serve as serve_project  # noqa: PLC0415 - a web server: the other commands do without

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    ports = {"api_port": options.api_port, "db_port": options.db_port}
    asyncio.run(serve_project(lifecycle.make_folder(options.data), while_used=options.while_used, **ports))
    return 0


COMMANDS = {each.__name__: each for each in (start, status, stop, reset, env, serve)}


def _none_runs(options: argparse.Namespace) -> str:
    return f"No stand-in runs in {options.data}: start it with `python -m {__package__} start`."


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description="A local Supabase.")
    default = Path(os.environ.get("STANDIN_DATA", ".standin"))
    parser.add_argument("--data", type=Path, default=default, help="the data folder (STANDIN_DATA, .standin)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=(command.__doc__ or "").splitlines()[0])
        sub.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if name in ("start", "serve"):
            sub.add_argument("--api-port", type=int, help="wished for at the first start (54321)")
            sub.add_argument("--db-port", type=int, help="wished for at the first start (54322)")
        if name == "env":
            sub.add_argument("--legacy", action="store_true", help="the older keys and the JWT secret too")
        if name == "serve":
            sub.add_argument("--while-used", action="store_true", help="stop after the last user left")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
