"""A running sandbox: where everything is, clients to speak to it, and each server's life in one's hands."""

import asyncio
import signal
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx

from sandbox.supervisor.certificates import Certificates
from sandbox.supervisor.clients import bot_headers, client, gateway_admin_headers, graph_admin_headers
from sandbox.supervisor.errors import SandboxError
from sandbox.supervisor.ports import Ports, control_port
from sandbox.supervisor.process import ServerProcess
from sandbox.supervisor.servers import BEHIND_TLS, scheme
from sandbox.tenant import HOST

_WATCH_SECONDS = 0.1


class Sandbox:
    """The servers by name, and a client for each that has an HTTP API.

    `graph` and `gateway` speak as admins, `functions` with the function key, `teams` as the bot, `login` and
    `vault` without a token. `settings` are the app's; `replaced` names the stand-ins whose real thing is used instead.
    """

    def __init__(
        self,
        processes: Mapping[str, ServerProcess],
        ports: Ports,
        settings: Mapping[str, str],
        replaced: frozenset[str],
        logs: Path,
    ) -> None:
        self.settings = settings
        self.replaced = replaced
        self.logs = logs
        self.certificates = Certificates(logs)
        self._processes = processes
        self._ports = ports
        self.graph = client(settings.get("GRAPH_BASE_URL", self._local("graph")), graph_admin_headers)
        self.gateway = client(
            settings.get("GATEWAY_BASE_URL", self._local("gateway")),
            lambda: gateway_admin_headers(settings.get("GATEWAY_API_KEY", "")),
        )
        self.functions = client(self._local("functions"), lambda: {"x-functions-key": self.function_key})
        self.teams = client(self._local("teams"), bot_headers)
        self.login, self.vault = (client(self._local(name), trust=self._trust(name)) for name in BEHIND_TLS)

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of the servers in this sandbox, in the order they start."""
        return tuple(self._processes)

    @property
    def function_key(self) -> str:
        """What opens the functions that ask for a key, and the host's own pages."""
        return self.settings["SANDBOX_FUNCTION_KEY"]

    @property
    def app_pid(self) -> int:
        """The process id of the app."""
        return self.pid("functions")

    @property
    def broker_control_url(self) -> str:
        """Where the broker answers questions about its queues."""
        return f"http://{HOST}:{control_port(self._ports)}"

    def url(self, server: str) -> str:
        """A server's base URL without a trailing slash; that of the real thing where it replaces the stand-in."""
        if server in self.replaced:
            return self.settings[{"graph": "GRAPH_BASE_URL", "gateway": "GATEWAY_BASE_URL"}[server]].rstrip("/")
        return self._local(server)

    def pid(self, server: str) -> int:
        """The process id of one server."""
        return self._process(server).pid

    def log_file(self, server: str) -> Path:
        """Where the output of one server goes."""
        return self._process(server).log_file

    async def start(self, server: str) -> None:
        """Start one server again, on its port and with its settings; return once it answers."""
        await self._process(server).start()

    async def stop(self, server: str) -> None:
        """Ask one server to end, as a deployment does; return once it has."""
        await self._process(server).stop()

    async def kill(self, server: str) -> None:
        """End one server at once, as a crash does."""
        await self._process(server).kill()

    async def restart(self, server: str) -> None:
        """Stop and start one server. The stand-ins keep everything in memory: theirs is gone afterwards."""
        await self.stop(server)
        await self.start(server)

    async def run_function(self, name: str, text: str = "") -> None:
        """Start a timer or queue function now; it has begun, not finished, when this returns."""
        answer = await self.functions.post(f"/admin/functions/{name}", json={"input": text})
        if answer.status_code != httpx.codes.ACCEPTED:
            raise SandboxError(f"the host answered {answer.status_code} when asked to run {name}")

    async def first_death(self) -> SandboxError:
        """What happened, once a server has ended that nobody stopped."""
        while True:
            for process in self._processes.values():
                if process.has_died:
                    return process.death()
            await asyncio.sleep(_WATCH_SECONDS)

    async def close(self) -> None:
        """End every server, the app first and the rest together, and close the clients."""
        ahead = [self._processes[name] for name in ("door", "functions") if name in self._processes]
        rest = [process for process in self._processes.values() if process not in ahead]
        await asyncio.gather(*(process.stop() for process in ahead))
        await asyncio.gather(*(process.stop() for process in rest))
        clients = (self.graph, self.gateway, self.functions, self.teams, self.login, self.vault)
        await asyncio.gather(*(each.aclose() for each in clients))

    def kill_everything(self) -> None:
        """End every server without a word."""
        for process in self._processes.values():
            process.signal(signal.SIGKILL)

    def _trust(self, server: str) -> ssl.SSLContext | None:
        return self.certificates.context() if server in self._processes else None

    def _local(self, server: str) -> str:
        return f"{scheme(server)}://{HOST}:{self._ports[server]}"

    def _process(self, server: str) -> ServerProcess:
        if server not in self._processes:
            raise SandboxError(f"this sandbox has no {server}: it has {', '.join(self._processes)}")
        return self._processes[server]
