"""Delivers notifications as Graph does: batches, a 3 s deadline, retries with growing pauses for up to 4 hours."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.graph.endpoints import EndpointHealth
from sandbox.graph.events import Events
from sandbox.graph.subscriptions import Subscriptions
from sandbox.graph.switches import Switches

LARGEST_BATCH = 100
FIRST_DEADLINE, RETRY_DEADLINE = 3.0, 10.0
RETRY_WINDOW_SECONDS = 4 * 3600
LONGEST_PAUSE_SECONDS = 600.0
POSTS_AT_ONCE = 16
REORDER_WINDOW_MS = 50
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Notification:
    """One item on its way to one subscriber."""

    subscription_id: str
    url: str
    body: dict[str, Any]
    cause: int | None = None
    principal_id: str | None = None
    group_id: str | None = None


@dataclass(slots=True)
class _Outbox:
    pending: list[Notification] = field(default_factory=list)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(POSTS_AT_ONCE))
    pumping: bool = False


@dataclass(slots=True)
class Sender:
    """Takes notifications and sees to their delivery in the background."""

    subscriptions: Subscriptions
    switches: Switches
    events: Events
    clock: Callable[[], float]
    outboxes: defaultdict[str, _Outbox] = field(default_factory=lambda: defaultdict(_Outbox))
    health: EndpointHealth = field(default_factory=EndpointHealth)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    client: httpx.AsyncClient | None = None

    def offer(self, notification: Notification) -> None:
        """Send a change notification, unless and as often as the switches say."""
        if self.switches.spend("drop"):
            self._log("notification-dropped", [notification], detail="switch")
            return
        if self.switches["slowEndpointRules"] and self.health.drops(notification.url, self.clock()):
            self._log("notification-dropped", [notification], detail="endpoint answers too slowly")
            return
        copies = 2 if self.switches.spend("duplicate") else 1
        for _ in range(copies):
            self.send(notification)

    def send(self, notification: Notification) -> None:
        """Send a notification after the delay that is set."""
        delay = float(self.switches["delayMs"]) / 1000
        if self.switches["slowEndpointRules"]:
            delay += self.health.delay(notification.url, self.clock())
        if delay:
            self._start(self._post_later(notification, delay))
        else:
            self._enqueue(notification)

    async def close(self) -> None:
        """Stop all deliveries, those waiting for a retry too."""
        tasks = [*self.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.outboxes.clear()
        if self.client:
            await self.client.aclose()
            self.client = None

    async def post(self, url: str, *, seconds: float, headers: dict[str, str], content: bytes) -> httpx.Response:
        """One POST with a total deadline; raises TimeoutError or httpx.HTTPError."""
        if self.client is None:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=POSTS_AT_ONCE)
            self.client = httpx.AsyncClient(timeout=None, limits=limits, trust_env=False)  # noqa: S113 - deadline below
        async with asyncio.timeout(seconds):
            return await self.client.post(url, headers=headers, content=content)

    async def _post_later(self, notification: Notification, delay: float) -> None:
        await asyncio.sleep(delay)
        self._enqueue(notification)

    def _enqueue(self, notification: Notification) -> None:
        outbox = self.outboxes[notification.url]
        outbox.pending.append(notification)
        if not outbox.pumping:
            outbox.pumping = True
            self._start(self._pump(notification.url, outbox))

    async def _pump(self, url: str, outbox: _Outbox) -> None:
        try:
            while outbox.pending:
                await asyncio.sleep(self._window())
                await outbox.slots.acquire()
                batch = outbox.pending[:LARGEST_BATCH]
                del outbox.pending[:LARGEST_BATCH]
                if self.switches["reorder"]:
                    batch.reverse()
                if self.switches["mergeMembers"]:
                    batch = merge_members(batch)
                self._start(self._deliver(url, batch, outbox.slots))
        finally:
            outbox.pumping = False

    def _window(self) -> float:
        least = REORDER_WINDOW_MS if self.switches["reorder"] else 0
        return max(float(self.switches["coalesceMs"]), least) / 1000

    async def _deliver(self, url: str, batch: list[Notification], slots: asyncio.Semaphore) -> None:
        give_up_at = self.clock() + RETRY_WINDOW_SECONDS
        try:
            delivered = await self._attempt(url, self._wanted(batch), attempt=1)
        finally:
            slots.release()
        attempt = 1
        while not delivered:
            await asyncio.sleep(self._pause(attempt))
            if self.clock() > give_up_at:
                self._log("notification-abandoned", batch, detail="not accepted within 4 hours")
                return
            attempt += 1
            delivered = await self._attempt(url, self._wanted(batch), attempt)

    def _wanted(self, batch: list[Notification]) -> list[Notification]:
        return [one for one in batch if self.subscriptions.find(one.subscription_id)]

    def _pause(self, attempt: int) -> float:
        base = float(self.switches["retryBaseMs"]) / 1000
        return min(base * 2.0 ** min(attempt - 1, 20), max(base, LONGEST_PAUSE_SECONDS))

    async def _attempt(self, url: str, batch: list[Notification], attempt: int) -> bool:
        if not batch:
            return True
        started = asyncio.get_running_loop().time()
        status, detail = None, None
        try:
            deadline = FIRST_DEADLINE if attempt == 1 else RETRY_DEADLINE
            response = await self.post(url, seconds=deadline, headers=_JSON, content=_body(batch))
            status = response.status_code
        except TimeoutError:
            detail = "no answer in time"
        except httpx.HTTPError as error:
            detail = type(error).__name__
        took = asyncio.get_running_loop().time() - started
        self.health.note(url, took, self.clock())
        self._log("notification-sent", batch, detail, status=status, ms=round(took * 1000, 1), attempt=attempt)
        return status is not None and 200 <= status < 300

    def _log(self, kind: str, batch: list[Notification], detail: str | None = None, **more: object) -> None:
        first = batch[0]
        self.events.add(
            kind,
            principal_id=first.principal_id if len(batch) == 1 else None,
            group_id=first.group_id if len(batch) == 1 else None,
            detail=detail,
            subscriptionIds=sorted({one.subscription_id for one in batch}),
            lifecycleEvent=first.body.get("lifecycleEvent"),
            items=len(batch),
            causes=[one.cause for one in batch if one.cause is not None],
            **more,
        )

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def _body(batch: list[Notification]) -> bytes:
    return json.dumps({"value": [one.body for one in batch]}).encode()


def merge_members(batch: list[Notification]) -> list[Notification]:
    """Membership items of one group and subscription as one item with several members, as Graph has been seen to do."""
    merged: list[Notification] = []
    at: dict[tuple[str, str], int] = {}
    for one in batch:
        key = (one.subscription_id, one.group_id or "")
        members = one.body.get("resourceData", {}).get("members@delta")
        if members is None:
            merged.append(one)
        elif key in at:
            merged[at[key]].body["resourceData"]["members@delta"].extend(members)
        else:
            at[key] = len(merged)
            data = one.body["resourceData"] | {"members@delta": [*members]}
            body = one.body | {"resourceData": data}
            merged.append(Notification(one.subscription_id, one.url, body, one.cause, one.principal_id, one.group_id))
    return merged
