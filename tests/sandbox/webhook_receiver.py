"""An endpoint for webhooks on a free port: it keeps what arrives and answers as it is told."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_C2FtZWxlbmd0aGFzdGhlb3RoZXJzZWNyZXQ="
Json = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """One arrival, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["svix-id"]

    def opened(self, secret: str = SECRET) -> Json:
        """The payload, once its signature and its time have been checked."""
        aliases = {name.replace("svix-", "webhook-"): value for name, value in self.headers.items()}
        payload: Json = Webhook(secret).verify(self.body, aliases)
        return payload

    @property
    def kind(self) -> str:
        return str(self.opened().get("event_type", "card"))


@dataclass
class Receiver:
    """Everything that has arrived; `answers` are given first, then 204."""

    url: str = ""
    deliveries: list[Delivery] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def receive(self, request: Request) -> Response:
        self.deliveries.append(Delivery(dict(request.headers), await request.body()))
        return Response(status_code=self.answers.pop(0) if self.answers else 204)

    async def until(self, enough: Callable[[list[Delivery]], bool]) -> list[Delivery]:
        """What has arrived, as soon as it is enough."""
        for _ in range(400):
            if enough(self.deliveries):
                return list(self.deliveries)
            await asyncio.sleep(0.025)
        raise AssertionError(f"only {[one.body for one in self.deliveries]} arrived")

    async def received(self, *kinds: str) -> list[Delivery]:
        """The deliveries, once exactly these kinds have arrived, in any order."""
        return await self.until(lambda found: sorted(one.kind for one in found) == sorted(kinds))


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    """A receiver for as long as the block lasts."""
    receiver = Receiver()
    app = Starlette(routes=[Route("/events", receiver.receive, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    for _ in range(500):
        if server.started:
            break
        await asyncio.sleep(0.01)
    receiver.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/events"
    try:
        yield receiver
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()
