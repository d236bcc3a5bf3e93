"""Signed webhooks, delivered in the background and repeated until the endpoint takes them, as Svix does it."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from standardwebhooks import Webhook

from sandbox.gateway.records import Json, new_id
from sandbox.gateway.switches import Switches
from sandbox.gateway.wire import now

TIMEOUT_SECONDS = 15
NO_ANSWER = 0


@dataclass(slots=True)
class WebhookEndpoint:
    """Who is told: a URL, the event types it wants (all when it names none), and the secrets that sign for it."""

    url: str
    secrets: list[str]
    description: str = ""
    filter_types: list[str] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)
    id: str = field(default_factory=lambda: f"ep_{new_id().replace('-', '')}")


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One event; its id stays the same in every attempt to deliver it."""

    event_type: str
    payload: Json
    event_id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=now)
    id: str = field(default_factory=lambda: f"msg_{new_id().replace('-', '')}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver a message; the status code is 0 when nobody answered."""

    endpoint: WebhookEndpoint
    message: WebhookMessage
    status_code: int
    answer: str = ""
    at: datetime = field(default_factory=now)
    id: str = field(default_factory=lambda: f"atmpt_{new_id().replace('-', '')}")

    @property
    def succeeded(self) -> bool:
        """Whether the endpoint took the message; a redirect is a failure."""
        return httpx.codes.is_success(self.status_code)


class Deliveries:
    """The endpoints, every message, and every attempt so far."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.endpoints: dict[str, WebhookEndpoint] = {}
        self.messages: dict[str, WebhookMessage] = {}
        self.attempts: list[Attempt] = []

    def send(self, message: WebhookMessage) -> None:
        """Keep a message and start to deliver it; switches may lose it, or deliver it twice under the same id."""
        self.messages[message.id] = message
        wanted = [
            one for one in self.endpoints.values() if not one.filter_types or message.event_type in one.filter_types
        ]
        if not wanted or self._switches.take("webhookDrop"):
            return
        for _ in range(2 if self._switches.take("webhookDuplicates") else 1):
            for endpoint in wanted:
                task = asyncio.get_running_loop().create_task(self._deliver(endpoint, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def forget(self) -> None:
        """Drop everything, and stop what is on its way."""
        for task in self._tasks:
            task.cancel()
        self.endpoints.clear()
        self.messages.clear()
        self.attempts.clear()

    async def _deliver(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> None:
        await self._switches.wait("webhookDelayMs")
        for pause in self._switches.values["webhookRetrySeconds"]:
            await asyncio.sleep(pause)
            if endpoint.id not in self.endpoints:
                return
            attempt = await self._attempt(endpoint, message)
            self.attempts.append(attempt)
            if attempt.succeeded:
                return

    async def _attempt(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> Attempt:
        body = json.dumps(message.payload, separators=(",", ":"), ensure_ascii=False)
        headers = signed_headers(message.id, body, endpoint.secrets)
        self._client = self._client or httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
        try:
            answer = await self._client.post(endpoint.url, content=body.encode(), headers=headers)
        except httpx.HTTPError:
            return Attempt(endpoint, message, NO_ANSWER)
        return Attempt(endpoint, message, answer.status_code, answer.text)


def signed_headers(message_id: str, body: str, secrets: list[str]) -> dict[str, str]:
    """Svix's headers for a body sent now: one signature for each secret that is valid at this moment."""
    moment = now()
    signatures = [Webhook(secret).sign(message_id, moment, body) for secret in secrets]
    return {
        "content-type": "application/json",
        "user-agent": "Svix-Webhooks/1.0",
        "svix-id": message_id,
        "svix-timestamp": str(int(moment.timestamp())),
        "svix-signature": " ".join(signatures),
    }
