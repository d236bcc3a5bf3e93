"""Queues in memory: peek-lock, scheduled messages, dead letters. The bodies are the real ones."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.card_copy import CardUpdate
from shared.domain.posture.jobs import PostureJob
from shared.domain.principals import PrincipalChange
from shared.domain.reviews import ReviewEvent
from shared.domain.subscriptions import DirectoryEvent
from shared.wire.messages import (
    encode_card_update,
    encode_change,
    encode_event,
    encode_posture_job,
    encode_review_event,
)
from tests.fakes.clock import FakeClock

CHANGES, VERIFICATIONS, EVENTS = "principal-changes", "verifications", "subscription-events"
REVIEW_EVENTS, CARD_UPDATES, POSTURE_JOBS = "review-events", "card-updates", "posture-jobs"


@dataclass(eq=False)
class Message:
    """A message on a queue, from when it is visible."""

    queue: str
    body: bytes
    visible_at: datetime
    deliveries: int = 0


@dataclass(frozen=True)
class DeadLetter:
    """What was put aside, and why."""

    body: bytes
    queue: str
    reason: str
    detail: str


@dataclass
class FakeQueue:
    """All queues; `waiting` is in order of sending."""

    clock: FakeClock
    waiting: list[Message] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    hangs: bool = False

    async def send(self, changes: Iterable[PrincipalChange], at: datetime | None = None) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self._put(CHANGES, [encode_change(change) for change in changes], at)

    async def send_verification(self, change: PrincipalChange, at: datetime) -> None:
        self._put(VERIFICATIONS, [encode_change(change)], at)

    async def send_directory_events(self, events: Iterable[DirectoryEvent], at: datetime | None = None) -> None:
        self._put(EVENTS, [encode_event(event) for event in events], at)

    async def send_review_events(self, events: Iterable[ReviewEvent], at: datetime | None = None) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self._put(REVIEW_EVENTS, [encode_review_event(event) for event in events], at)

    async def send_card_updates(self, updates: Iterable[CardUpdate], at: datetime | None = None) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self._put(CARD_UPDATES, [encode_card_update(update) for update in updates], at)

    async def send_posture_jobs(self, jobs: Iterable[PostureJob], at: datetime | None = None) -> None:
        self._put(POSTURE_JOBS, [encode_posture_job(job) for job in jobs], at)

    async def dead_letter(self, body: bytes, queue: str, reason: str, detail: str) -> None:
        self.dead_letters.append(DeadLetter(body, queue, reason, detail))

    def put_raw(self, queue: str, body: bytes) -> None:
        self._put(queue, [body], None)

    def visible(self) -> list[Message]:
        return [message for message in self.waiting if message.visible_at <= self.clock.now()]

    def on(self, queue: str) -> list[Message]:
        return [message for message in self.waiting if message.queue == queue]

    def _put(self, queue: str, bodies: list[bytes], at: datetime | None) -> None:
        self.waiting += [Message(queue, body, at or self.clock.now()) for body in bodies]
