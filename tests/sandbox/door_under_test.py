"""The door and the stand-ins behind it, as real processes on free ports, and the few sentences tests say to them."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox.cast import Agent, Person, object_id
from sandbox.seed import seed
from sandbox.supervisor.clients import bot_headers, client, gateway_admin_headers, graph_admin_headers
from sandbox.supervisor.ports import free_ports, variable
from sandbox.tenant import HOST
from tests.sandbox.host_process import eventually

ROOT = Path(__file__).parents[2]
IDENTITY_MAP = ROOT / "sandbox" / "identity-map.yaml"
APPROVAL_ROUTES = ROOT / "sandbox" / "approval-routes.yaml"
STAND_INS = ("identity", "graph", "gateway")
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
HOSTILE_NAME = "<img src=x onerror=alert(1)>"
HOSTILE_ID = object_id(0x2FF)


@dataclass
class Door:
    """The door's URL, admins of Entra and the gateway, the bot in Teams, and the processes by name."""

    url: str
    graph: httpx.AsyncClient
    gateway: httpx.AsyncClient
    teams: httpx.AsyncClient
    processes: dict[str, subprocess.Popen[str]]
    start_again: Callable[[str], None]

    async def begin(self) -> None:
        """Start over with the cast, and somebody whose name is markup."""
        (await self.graph.post("/sandbox/reset")).raise_for_status()
        (await self.gateway.post("/sandbox/reset")).raise_for_status()
        await seed(self.graph, self.gateway)
        mail = "mallory@contoso.example"
        user = {"id": HOSTILE_ID, "displayName": HOSTILE_NAME, "userPrincipalName": mail, "mail": mail}
        (await self.graph.post("/v1.0/users", json=user)).raise_for_status()
        invitation = {"email": mail, "name": HOSTILE_NAME, "groups": ["on-call"]}
        (await self.gateway.post("/api/users", json=invitation)).raise_for_status()

    async def members_of(self, group_id: str) -> list[str]:
        directory = (await self.graph.get("/sandbox/directory")).raise_for_status().json()
        return next(list(group["members"]) for group in directory["groups"] if group["id"] == group_id)

    async def is_enabled(self, collection: str, principal_id: str) -> bool:
        answer = await self.graph.get(f"/v1.0/{collection}/{principal_id}", params={"$select": "id,accountEnabled"})
        return bool(answer.raise_for_status().json()["accountEnabled"])

    async def exists(self, collection: str, principal_id: str) -> bool:
        return (await self.graph.get(f"/v1.0/{collection}/{principal_id}")).status_code == httpx.codes.OK

    async def connects(self, who: Person | Agent, connection: str) -> str:
        body = {"subject": who.subject, "connection": connection}
        answer = await self.gateway.post("/sandbox/connect", json=body)
        return str(answer.raise_for_status().json()["session_id"])

    async def takes_groups(self, person: Person, *remaining: str) -> None:
        """What Tether would write at the gateway when somebody leaves a group."""
        await self._put(person, "active", remaining)

    async def closes(self, person: Person) -> None:
        await self._put(person, "inactive", ())

    async def kills(self, session_id: str) -> None:
        (await self.gateway.post(f"/api/sessions/{session_id}/kill")).raise_for_status()

    async def streams(self) -> list[tuple[str, str]]:
        answer = (await self.gateway.get("/sandbox/streams")).raise_for_status().json()
        return [(stream["subject"], stream["connection"]) for stream in answer["streams"]]

    async def _put(self, person: Person, status: str, groups: tuple[str, ...]) -> None:
        body = {"email": person.email, "name": person.name, "status": status, "groups": list(groups)}
        (await self.gateway.put(f"/api/users/{person.subject}", json=body)).raise_for_status()


@asynccontextmanager
async def running_door(*more: str) -> AsyncIterator[Door]:
    """The door, the directory, the gateway, the identity endpoint and `more`; afterwards no process is left."""
    with _processes((*STAND_INS, *more)) as (processes, ports, start):
        url = {name: f"http://{HOST}:{ports[name]}" for name in (*STAND_INS, "teams", "door")}
        async with (
            client(url["graph"], graph_admin_headers) as graph,
            client(url["gateway"], gateway_admin_headers) as gateway,
            client(url["teams"], bot_headers) as teams,
        ):
            yield Door(url["door"], graph, gateway, teams, processes, start)


@contextmanager
def _processes(
    names: tuple[str, ...],
) -> Iterator[tuple[dict[str, subprocess.Popen[str]], dict[str, int], Callable[[str], None]]]:
    ports = free_ports()
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_BASE_URL")}
    environment |= {variable(name): str(number) for name, number in ports.items()}
    environment |= {"IDENTITY_MAP_FILE": str(IDENTITY_MAP), "APPROVAL_ROUTES_FILE": str(APPROVAL_ROUTES)}
    if "teams" in names:
        environment["TEAMS_SERVICE_URL"] = f"http://{HOST}:{ports['teams']}/teams/"
    processes: dict[str, subprocess.Popen[str]] = {}

    def start(name: str) -> None:
        command = [sys.executable, "-m", f"sandbox.{name}", "--port", str(ports[name])]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        processes[name] = process
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on "), name

    try:
        for name in (*names, "door"):
            start(name)
        yield processes, ports, start
    finally:
        codes = {name: end(process) for name, process in processes.items()}
    assert codes["door"] == 0


def end(process: subprocess.Popen[str]) -> int:
    """Ask a process to end; answers how it did."""
    process.terminate()
    code = process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    return code


__all__ = ["CHROMIUM", "HOSTILE_ID", "HOSTILE_NAME", "Door", "end", "eventually", "running_door"]
