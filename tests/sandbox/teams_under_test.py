"""The Teams stand-in run as its own process, a bot that answers as told, and the few sentences tests say to both."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import cast
from sandbox.teams.connector import AUDIENCE
from sandbox.teams.world import APPROVALS_CHANNEL
from sandbox.tenant import HOST, TENANT_ID, TETHER_OBJECT_ID
from sandbox.tokens import issue_token

ROOT = Path(__file__).parents[2]
ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"
PATIENCE_SECONDS = 15
Json = dict[str, Any]
Answering = Callable[[Json], Response]


def card(text: str, *verbs: str, **more: object) -> Json:
    """A card with one line and a button per verb, each of which carries the same token."""
    actions = [
        {"type": "Action.Execute", "title": verb.title(), "verb": verb, "data": {"token": "t-1"}} for verb in verbs
    ]
    body = [{"type": "TextBlock", "text": text}]
    return {"type": "AdaptiveCard", "version": "1.5", "body": body, "actions": actions, **more}


def with_card(content: Json, **more: object) -> Json:
    """The activity that posts a card."""
    attachment = {"contentType": ADAPTIVE_CARD, "content": content}
    return {"type": "message", "summary": "Access request", "attachments": [attachment], **more}


def refreshing(*user_ids: str | None) -> Json:
    """A card's `refresh` for people listed, for nobody when the list is empty, for all when it is a lone None."""
    refresh: Json = {"action": {"type": "Action.Execute", "verb": "refresh", "data": {"token": "t-1"}}}
    return refresh if user_ids == (None,) else {**refresh, "userIds": list(user_ids)}


def replaced_by(content: Json) -> Response:
    """The invoke answer that replaces the card."""
    return JSONResponse({"statusCode": 200, "type": ADAPTIVE_CARD, "value": content})


def told(text: str) -> Response:
    """The invoke answer that shows a message."""
    return JSONResponse({"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": text})


@dataclass
class Bot:
    """A messaging endpoint that keeps what it is sent; `answers` are its next answers, then it says so."""

    answers: list[Answering] = field(default_factory=list)
    received: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def begin(self) -> None:
        self.answers.clear()
        self.received.clear()
        self.headers.clear()

    async def receive(self, request: Request) -> Response:
        activity = await request.json()
        self.received.append(activity)
        self.headers.append(dict(request.headers))
        answering = self.answers.pop(0) if self.answers else _noted
        return await asyncio.to_thread(answering, activity)


def _noted(activity: Json) -> Response:
    return told("noted") if activity["type"] == "invoke" else Response(status_code=200)


@contextmanager
def running_bot() -> Iterator[Bot]:
    """A bot on a free port, in a thread."""
    bot = Bot()
    app = Starlette(routes=[Route("/api/teams/messages", bot.receive, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    bot.url = f"http://{HOST}:{server.servers[0].sockets[0].getsockname()[1]}/api/teams/messages"
    yield bot
    server.should_exit = True
    thread.join()


@dataclass
class Teams:
    """Requests to one stand-in: `bot` speaks with the bot's token, `control` as whoever runs the sandbox."""

    client: httpx.AsyncClient
    url: str

    async def bot(self, method: str, path: str, json: object = None, token: str | None = None) -> httpx.Response:
        token = issue_token(audience=AUDIENCE, object_id=TETHER_OBJECT_ID) if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.client.request(method, f"/teams/v3{path}", json=json, headers=headers)

    async def control(self, method: str, path: str, json: object = None) -> httpx.Response:
        return await self.client.request(method, f"/sandbox{path}", json=json)

    async def done(self, method: str, path: str, json: object = None) -> Json:
        answer = await self.control(method, path, json)
        assert answer.is_success, answer.text
        body: Json = answer.json() if answer.content else {}
        return body

    async def begin(self) -> None:
        await self.done("POST", "/reset")

    async def thread(self, activity: Json, channel: str = APPROVALS_CHANNEL) -> tuple[str, str]:
        body = {"isGroup": True, "channelData": {"channel": {"id": channel}}, "activity": activity}
        answer = await self.bot("POST", "/conversations", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"], answer.json()["activityId"]

    async def chat(self, person_id: str = cast.ADA.id) -> httpx.Response:
        body = {"isGroup": False, "tenantId": TENANT_ID, "members": [{"id": person_id}]}
        return await self.bot("POST", "/conversations", body)

    async def update(self, where: tuple[str, str], content: Json) -> None:
        conversation, activity_id = where
        path = f"/conversations/{conversation}/activities/{activity_id}"
        answer = await self.bot("PUT", path, with_card(content))
        assert answer.status_code == 200, answer.text

    async def click(self, where: tuple[str, str], person: cast.Person, verb: str, **more: object) -> Json:
        body = {"conversation": where[0], "activity_id": where[1], "person": person.id, "verb": verb}
        return await self.done("POST", "/click", body | more)

    async def view(self, conversation: str, person: cast.Person) -> Json:
        return await self.done("POST", "/view", {"conversation": conversation, "person": person.id})

    async def seen(self, conversation: str, person: cast.Person) -> list[Json]:
        answer = await self.done("GET", f"/conversations/{conversation}/messages?person={person.id}")
        messages: list[Json] = answer["messages"]
        return messages

    async def switched(self, **switches: object) -> None:
        await self.done("PUT", "/switches", switches)

    async def events(self, kind: str) -> list[Json]:
        answer = await self.done("GET", "/events")
        return [event for event in answer["events"] if event["kind"] == kind]


async def eventually(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; raises TimeoutError when it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the condition is set in another thread
            await asyncio.sleep(0.005)


def start(endpoint: str) -> tuple[subprocess.Popen[str], str]:
    """A stand-in's process that answers, and its base URL."""
    command = [sys.executable, "-m", "sandbox.teams", "--port", "0", "--endpoint", endpoint]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on 127.0.0.1:"), line
    return process, f"http://{line.split()[-1]}"


def stop(process: subprocess.Popen[str]) -> int:
    """Ask the process to end; answers how it did."""
    process.terminate()
    code = process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    return code


@asynccontextmanager
async def running_teams(endpoint: str) -> AsyncIterator[Teams]:
    """A stand-in for as long as the block lasts."""
    process, url = start(endpoint)
    try:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield Teams(client, url)
    finally:
        assert stop(process) == 0
