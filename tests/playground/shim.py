"""A shim between the playground and Tether: it signs what the playground sends, as the Bot Connector does.

The playground has no key that Tether trusts. The other way it takes Tether's calls to the Bot Connector as they are,
except that it knows people only by the ids that Teams gives them, and a chat is opened by Entra's.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.teams.connector import AUDIENCE
from sandbox.teams.delivery import headers_for
from sandbox.teams.ids import mri
from sandbox.tenant import HOST
from sandbox.tokens import read_token

MESSAGES = "/api/teams/messages"
CONNECTOR = "/teams/"
# Less than Tether waits for Teams: what is held back still counts as answered.
LONGEST_HOLD = 8
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Click:
    """An invoke that the playground sent, and how Tether answered."""

    activity: Json
    status: int
    answer: Json


@dataclass(frozen=True, slots=True)
class Call:
    """A call of Tether to the Bot Connector, and how the playground answered."""

    method: str
    path: str
    status: int


@dataclass
class Shim:
    """Where it listens, whom it stands between, and what went through."""

    url: str = ""
    app_url: str = ""
    stand_in_url: str = ""
    playground_url: str = ""
    clicks: list[Click] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    updates_pass: threading.Event = field(default_factory=threading.Event)

    @property
    def bot_endpoint(self) -> str:
        """Where the playground sends activities."""
        return f"{self.url}{MESSAGES}"

    @property
    def service_url(self) -> str:
        """Where Tether finds the Bot Connector."""
        return f"{self.url}{CONNECTOR}"

    @contextmanager
    def holding_updates(self) -> Iterator[None]:
        """Updates of cards wait until the block ends: a card that changes meanwhile was replaced by an answer."""
        self.updates_pass.clear()
        try:
            yield
        finally:
            self.updates_pass.set()

    async def to_bot(self, request: Request) -> Response:
        """Forward an activity with a token of the stand-in for Teams, whose keys Tether trusts."""
        activity = await request.json()
        async with _client() as client:
            claims = {"claims": {"serviceurl": activity["serviceUrl"]}}
            signed = (await client.post(f"{self.stand_in_url}/sandbox/token", json=claims)).raise_for_status()
            headers = headers_for(activity, signed.json()["token"])
            answer = await client.post(f"{self.app_url}{MESSAGES}", content=await request.body(), headers=headers)
        if activity["type"] == "invoke":
            self.clicks.append(Click(activity, answer.status_code, answer.json()))
        return _passed_on(answer)

    async def to_playground(self, request: Request) -> Response:
        """Forward a call to the playground's connector; it asks for no token, so this does."""
        if not _is_bot(request):
            return Response(status_code=401)
        if request.method == "PUT":
            await asyncio.to_thread(self.updates_pass.wait, LONGEST_HOLD)
        target = f"{self.playground_url}/_connector/{_encoded_path(request)}"
        async with _client() as client:
            answer = await client.request(request.method, target, json=_with_known_people(await request.json()))
        self.calls.append(Call(request.method, request.path_params["path"], answer.status_code))
        return _passed_on(answer)


@contextmanager
def running_shim() -> Iterator[Shim]:
    """A shim on a free port, in a thread; it is told its neighbours once they run."""
    shim = Shim()
    shim.updates_pass.set()
    routes = [
        Route(MESSAGES, shim.to_bot, methods=["POST"]),
        Route(f"{CONNECTOR}{{path:path}}", shim.to_playground, methods=["POST", "PUT"]),
    ]
    app = Starlette(routes=routes)
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    shim.url = f"http://{HOST}:{server.servers[0].sockets[0].getsockname()[1]}"
    yield shim
    server.should_exit = True
    thread.join()


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=30)


def _is_bot(request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        read_token(token if scheme.lower() == "bearer" else "", audience=AUDIENCE)
    except jwt.InvalidTokenError:
        return False
    return True


def _encoded_path(request: Request) -> str:
    path: bytes = request.scope["raw_path"]
    return path.decode().removeprefix(CONNECTOR)


def _with_known_people(body: Json) -> Json:
    members = [{**member, "id": mri(member["id"])} for member in body.get("members", ())]
    return {**body, "members": members} if members else body


def _passed_on(answer: httpx.Response) -> Response:
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
