"""How each server of the sandbox is started, and how it shows that it is ready."""

import json
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox.supervisor.certificates import Certificates
from sandbox.supervisor.ports import Ports, control_port, variable
from sandbox.tenant import DEFAULT_PORTS, HOST

ROOT = Path(__file__).parents[2]
STAND_INS = ("blob", "table", "broker", "identity", "login", "vault", "graph", "gateway", "teams")
BEHIND_TLS = ("login", "vault")
SERVERS = (*STAND_INS, "functions", "door")
WHAT = {
    "blob": "Azurite, blobs",
    "table": "Azurite, tables",
    "broker": "Service Bus",
    "identity": "managed identity",
    "login": "Entra's sign-in",
    "vault": "Azure Key Vault",
    "graph": "Microsoft Graph",
    "gateway": "the access gateway",
    "teams": "the Bot Connector, and Teams as people see it",
    "functions": "Tether on a Functions host",
    "door": "the page",
}
_AZURITE = ("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck")
# The app may finish what it has in work; the stand-ins have nothing to lose.
_GRACE_SECONDS = {"functions": 12.0}


@dataclass(frozen=True, slots=True)
class Server:
    """One server: its command, its environment, the URL that answers once it is ready, and whom to trust there."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready_url: str
    grace_seconds: float
    trust: ssl.SSLContext | None = None

    def is_ready(self, answer: httpx.Response) -> bool:
        """Whether this answer of the URL means that requests can come; any answer does, except the host's own state."""
        if self.name != "functions":
            return True
        try:
            return bool(answer.json()["state"] == "Running")
        except (json.JSONDecodeError, KeyError):
            return False


def exists(server: str) -> bool:
    """Whether this checkout has the server."""
    return server not in ("door", "teams") or (ROOT / "sandbox" / server / "__main__.py").exists()


def scheme(server: str) -> str:
    """How to speak to a server."""
    return "https" if server in BEHIND_TLS else "http"


def planned_servers(
    ports: Ports,
    settings: Mapping[str, str],
    environment: Mapping[str, str],
    node: str,
    certificates: Certificates | None = None,
) -> dict[str, Server]:
    """Every server by name, on these ports; the settings are for those that act on the app's behalf.

    With `certificates`, those who sign in do so at the stand-in.
    """
    common = _common_environment(environment, ports)
    trusting = {"SSL_CERT_FILE": str(certificates.authorities)} if certificates else {}
    with_settings = {**common, **settings}
    gateway = common | {"SANDBOX_GATEWAY_API_KEY": settings.get("GATEWAY_API_KEY", "")}
    identity = common | {"SANDBOX_IDENTITY_HEADER": settings.get("IDENTITY_HEADER", "")}
    environments = {
        "gateway": gateway,
        "identity": identity,
        "teams": common | trusting,
        "functions": with_settings | trusting,
        "door": with_settings,
    }
    return {
        name: Server(
            name,
            (*_command(name, ports, node), *_options(name, certificates)),
            environments.get(name, common),
            _ready_url(name, ports),
            _GRACE_SECONDS.get(name, 5.0),
            certificates.context() if certificates and name in BEHIND_TLS else None,
        )
        for name in SERVERS
    }


def _common_environment(environment: Mapping[str, str], ports: Ports) -> dict[str, str]:
    # Nothing on loopback may go through a proxy that the machine uses for the world outside.
    direct = ",".join(filter(None, (environment.get("NO_PROXY", ""), HOST, "localhost")))
    chosen = {variable(server): str(ports[server]) for server in DEFAULT_PORTS}
    return {**environment, **chosen, "NO_PROXY": direct, "no_proxy": direct, "PYTHONUNBUFFERED": "1"}


def _command(server: str, ports: Ports, node: str) -> tuple[str, ...]:
    port = str(ports[server])
    if server in ("blob", "table"):
        program = str(ROOT / "sandbox" / "node_modules" / ".bin" / f"azurite-{server}")
        return (node, program, f"--{server}Host", HOST, f"--{server}Port", port, *_AZURITE)
    if server == "broker":
        program, queues = str(ROOT / "sandbox" / "broker" / "main.mjs"), str(ROOT / "sandbox" / "queues.json")
        return (node, program, "--port", port, "--control-port", str(control_port(ports)), "--queues", queues)
    module = "sandbox.host" if server == "functions" else f"sandbox.{server}"
    return (sys.executable, "-m", module, "--port", port)


def _options(server: str, certificates: Certificates | None) -> tuple[str, ...]:
    if server not in BEHIND_TLS or certificates is None:
        return ()
    return ("--certificate", str(certificates.certificate), "--key", str(certificates.key))


def _ready_url(server: str, ports: Ports) -> str:
    port = control_port(ports) if server == "broker" else ports[server]
    path = {"broker": "/sandbox/queues", "functions": "/admin/host/status"}.get(server, "/")
    return f"{scheme(server)}://{HOST}:{port}{path}"
