"""ejabberd: a chat room in Erlang, over XMPP."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import processes
from tests.bench.figures import Report, Skip
from tests.bench.peers import packages, peer
from tests.bench.peers.xmpp import HOST, XmppViewer
from tests.ports import free_port

CONFIG = """
hosts: ["{host}"]
loglevel: error
auth_method: [anonymous]
anonymous_protocol: sasl_anon
listen:
  - {{port: {port}, ip: "127.0.0.1", module: ejabberd_c2s, shaper: none, access: all}}
modules:
  mod_muc:
    host: "conference.{host}"
    access: all
    access_create: all
    history_size: 0
    max_users: 5000
    min_message_interval: 0
    default_room_options: {{max_users: 5000}}
"""


async def measure(report: Report) -> None:
    """Measure it, if it can be had."""
    await packages.have("ejabberdctl", "ejabberd")
    erl = await packages.have("erl", "erlang-base")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="chatapp-bench-") as name:
        folder = Path(name)
        config = packages.written(folder / "ejabberd.yml", CONFIG.format(port=port, host=HOST))
        variables = {"EJABBERD_CONFIG_PATH": str(config), "EJABBERD_LOG_PATH": str(folder / "log"), "HOME": name}
        # Without a node name: it needs no epmd, which would stay behind. As ejabberdctl does otherwise.
        mnesia = ["-mnesia", "dir", f'"{folder}"']
        command = [erl, "-noinput", "+K", "true", "-pa", *_code(), *mnesia, "-s", "ejabberd"]
        with processes.running(command, port, variables) as running:
            system = peer.Peer("ejabberd", running, lambda number: XmppViewer(port, number))
            async with system.speaking():
                await peer.measure(report, system)


def _code() -> list[str]:
    """Return the folders of ejabberd's compiled modules. Raises Skip when there are none."""
    if not (found := [str(path) for path in sorted(Path("/usr/lib").glob("**/ejabberd-*/ebin"))]):
        raise Skip("its modules are not below /usr/lib")
    return found
