"""Which loopback port each server gets, and whether it is still free."""

import random
import socket
from collections.abc import Collection, Mapping

from sandbox.supervisor.errors import SandboxError
from sandbox.tenant import DEFAULT_PORTS, HOST

BROKER_CONTROL_OFFSET = 1000
# Below the ports that Linux lends to outgoing connections: a server that restarts finds its own port free again.
_FREE_RANGE = range(15_000, 31_000)

Ports = Mapping[str, int]


def default_ports(environment: Mapping[str, str]) -> dict[str, int]:
    """Each server's usual port, or the one that `SANDBOX_<SERVER>_PORT` asks for."""
    return {server: _asked_port(server, environment) for server in DEFAULT_PORTS}


def free_ports() -> dict[str, int]:
    """A port that nobody uses for each server, chosen at random so that two sandboxes rarely meet."""
    chosen: dict[str, int] = {}
    while len(chosen) < len(DEFAULT_PORTS):
        server, port = list(DEFAULT_PORTS)[len(chosen)], random.choice(_FREE_RANGE)
        wanted = _with_control(server, port).values()
        if all(_is_free(one) and one not in chosen.values() for one in wanted):
            chosen[server] = port
    return chosen


def check_ports(ports: Ports, servers: Collection[str]) -> None:
    """Nothing when every port is free; raises `SandboxError` naming those in use and the variables that move them."""
    problems = [
        f"port {port} ({what}) is in use: stop what listens there, or choose another with {variable(server)}=<port>"
        for server in servers
        for what, port in _with_control(server, ports[server]).items()
        if not _is_free(port)
    ]
    if problems:
        raise SandboxError("\n".join(problems))


def control_port(ports: Ports) -> int:
    """Where the broker answers questions about its queues."""
    return ports["broker"] + BROKER_CONTROL_OFFSET


def variable(server: str) -> str:
    """The environment variable that holds a server's port."""
    return f"SANDBOX_{server.upper()}_PORT"


def _asked_port(server: str, environment: Mapping[str, str]) -> int:
    name = variable(server)
    asked = environment.get(name, "").strip() or str(DEFAULT_PORTS[server])
    highest = 65_535 - BROKER_CONTROL_OFFSET if server == "broker" else 65_535
    if not asked.isdecimal() or not 1 <= int(asked) <= highest:
        raise SandboxError(f"{name}={asked!r} is not a port: write a number from 1 to {highest}")
    return int(asked)


def _with_control(server: str, port: int) -> dict[str, int]:
    if server == "broker":
        return {"broker": port, "the broker's controls": port + BROKER_CONTROL_OFFSET}
    return {server: port}


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
