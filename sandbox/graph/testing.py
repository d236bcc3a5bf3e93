"""A tenant and a subscriber for tests: the stand-in in this process, and an endpoint that keeps what it receives."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.graph.app import create_app
from sandbox.graph.clock import precise_date
from sandbox.graph.state import GraphState
from sandbox.tenant import GRAPH_AUDIENCE, HOST, TETHER_OBJECT_ID
from sandbox.tokens import issue_token

BASE = f"http://{HOST}:7072"
GIVE_UP_SECONDS = 10
READ_ROLES = ("User.Read.All", "Group.Read.All", "Application.Read.All")


@dataclass
class Clock:
    """A clock that moves only when told."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


def bearer(*roles: str, object_id: str = TETHER_OBJECT_ID) -> dict[str, str]:
    """The authorization header of an app with these roles."""
    return {"Authorization": f"Bearer {issue_token(audience=GRAPH_AUDIENCE, object_id=object_id, roles=roles)}"}


class Tenant:
    """The stand-in with an empty directory, its admin, and a reader that may only read."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.app = create_app(self.clock)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=BASE)
        self.reader = bearer(*READ_ROLES)
        self.admin = bearer("Directory.ReadWrite.All", object_id="the-admin")

    @property
    def state(self) -> GraphState:
        """The server's memory."""
        state: GraphState = self.app.state.graph
        return state

    async def close(self) -> None:
        """Stop deliveries and close the client."""
        await self.state.sender.close()
        await self.client.aclose()

    async def read(self, path: str, **headers: str) -> httpx.Response:
        """GET as the reader; `path` is below `/v1.0` or a whole URL."""
        return await self.client.get(_below_v1(path), headers=self.reader | headers)

    async def rows(self, path: str) -> list[dict[str, Any]]:
        """The `value` of a listing."""
        rows: list[dict[str, Any]] = (await self.read(path)).raise_for_status().json()["value"]
        return rows

    async def post(self, path: str, body: object) -> httpx.Response:
        """POST as the reader."""
        return await self.client.post(_below_v1(path), headers=self.reader, json=body)

    async def write(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A request of the admin, which has to succeed."""
        answer = await self.client.request(method, _below_v1(path), headers=self.admin, json=body)
        return answer.raise_for_status()

    async def user(self, name: str, **values: object) -> str:
        """A new user's id."""
        body = {"displayName": name, "userPrincipalName": f"{name}@tether.example", "mail": f"{name}@tether.example"}
        return _id(await self.write("POST", "/users", body | values))

    async def group(self, name: str, *members: str) -> str:
        """A new group's id."""
        references = [f"{BASE}/v1.0/directoryObjects/{member}" for member in members]
        body = {"displayName": name, "mailNickname": name, "members@odata.bind": references}
        return _id(await self.write("POST", "/groups", body))

    async def add_member(self, group_id: str, member_id: str) -> None:
        """Make somebody a member."""
        reference = {"@odata.id": f"{BASE}/v1.0/directoryObjects/{member_id}"}
        await self.write("POST", f"/groups/{group_id}/members/$ref", reference)

    async def remove_member(self, group_id: str, member_id: str) -> None:
        """End a membership."""
        await self.write("DELETE", f"/groups/{group_id}/members/{member_id}/$ref")

    async def switch(self, **switches: object) -> None:
        """Set switches."""
        (await self.client.put("/sandbox/switches", json=switches)).raise_for_status()

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """Logged events of one kind."""
        events = (await self.client.get("/sandbox/events")).json()["events"]
        return [event for event in events if event["kind"] == kind]

    async def subscribe(self, resource: str, url: str, /, **values: object) -> httpx.Response:
        """Ask for a subscription as the reader."""
        return await self.post("/subscriptions", self.subscription(resource, url) | values)

    def subscription(self, resource: str, url: str, *, minutes: float = 60) -> dict[str, Any]:
        """The body that asks for a subscription."""
        return {
            "resource": resource,
            "changeType": "updated,deleted",
            "notificationUrl": url,
            "clientState": "a shared secret",
            "expirationDateTime": precise_date(self.clock.now + minutes * 60),
        }


@dataclass
class Subscriber:
    """A notification endpoint on a free port; `statuses` are its next answers, 202 when they run out."""

    statuses: list[int] = field(default_factory=list)
    echo: Callable[[str], Response] = PlainTextResponse
    handshakes: list[str] = field(default_factory=list)
    deliveries: list[list[dict[str, Any]]] = field(default_factory=list)
    attempts: int = 0

    def __enter__(self) -> Self:
        """Listen."""
        app = Starlette(routes=[Route("/{path:path}", self._receive, methods=["POST"])])
        config = uvicorn.Config(app, host=HOST, port=0, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{HOST}:{port}/notifications"

    @property
    def items(self) -> list[dict[str, Any]]:
        """Every item accepted, in order."""
        return [item for delivery in self.deliveries for item in delivery]

    async def received(self, count: int) -> Sequence[dict[str, Any]]:
        """The items, once there are so many."""
        await eventually(lambda: len(self.items) >= count)
        return self.items

    async def _receive(self, request: Request) -> Response:
        token = request.query_params.get("validationToken")
        if token is not None:
            self.handshakes.append(token)
            return self.echo(token)
        self.attempts += 1
        status = self.statuses.pop(0) if self.statuses else 202
        if status < 300:
            self.deliveries.append((await request.json())["value"])
        return Response(status_code=status)


async def eventually(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; raises TimeoutError when it never does."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while not condition():  # noqa: ASYNC110 - the condition is set in another thread
            await asyncio.sleep(0.005)


def _below_v1(path: str) -> str:
    return path if path.startswith(("http", "/sandbox")) else f"/v1.0{path}"


def _id(answer: httpx.Response) -> str:
    identifier: str = answer.json()["id"]
    return identifier
