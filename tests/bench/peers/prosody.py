"""Prosody: a chat room in Lua, over XMPP."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import processes
from tests.bench.figures import Report
from tests.bench.peers import packages, peer
from tests.bench.peers.xmpp import HOST, XmppViewer
from tests.ports import free_port

CONFIG = """
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
log = {{ warn = "*console" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
s2s_ports = {{}}
http_ports = {{}}
https_ports = {{}}
c2s_require_encryption = false
modules_enabled = {{ "saslauth" }}
modules_disabled = {{ "s2s", "s2s_auth_certs", "offline" }}
VirtualHost "{host}"
  authentication = "anonymous"
Component "conference.{host}" "muc"
  muc_room_locking = false
  max_history_messages = 0
"""


async def measure(report: Report) -> None:
    """Measure it, if it can be had."""
    program = await packages.have("prosody", "prosody")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="chatapp-bench-") as name:
        folder = Path(name)
        config = packages.written(folder / "prosody.cfg.lua", CONFIG.format(folder=folder, port=port, host=HOST))
        with processes.running([program, "--config", str(config), "-F"], port) as running:
            system = peer.Peer("prosody", running, lambda number: XmppViewer(port, number))
            async with system.speaking():
                await peer.measure(report, system)
