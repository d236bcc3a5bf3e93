"""What a running app has around it: queues, time, and people on duty."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from shared.domain.card_copy import CardUpdate
from shared.domain.posture.jobs import PostureJob
from shared.domain.principals import PrincipalChange
from shared.domain.reviews import ReviewEvent
from shared.domain.subscriptions import DirectoryEvent


class Queue(Protocol):
    """The queues; what is returned from is durable."""

    async def send(self, changes: Iterable[PrincipalChange], at: datetime | None = None) -> None:
        """Enqueue looks at principals, visible from `at` on."""

    async def send_verification(self, change: PrincipalChange, at: datetime) -> None:
        """Schedule the proof that a revocation held."""

    async def send_directory_events(self, events: Iterable[DirectoryEvent], at: datetime | None = None) -> None:
        """Enqueue what has to be done about the directory as a whole."""

    async def send_review_events(self, events: Iterable[ReviewEvent], at: datetime | None = None) -> None:
        """Enqueue looks at reviews, visible from `at` on."""

    async def send_card_updates(self, updates: Iterable[CardUpdate], at: datetime | None = None) -> None:
        """Enqueue copies of cards that have to be shown anew."""

    async def send_posture_jobs(self, jobs: Iterable[PostureJob], at: datetime | None = None) -> None:
        """Enqueue the long work of posture, visible from `at` on."""

    async def dead_letter(self, body: bytes, queue: str, reason: str, detail: str) -> None:
        """Put aside what will not be tried again, with its reason."""


class Clock(Protocol):
    """Time and chance, so that tests decide both."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    def jitter(self) -> float:
        """A number between 0 and 1."""

    def new_id(self) -> str:
        """A new correlation or claim id."""


class Alerts(Protocol):
    """What somebody has to hear about."""

    def raise_alert(self, reason: str, **details: object) -> None:
        """Tell the people on duty; never fails and never carries a secret."""

    def measure(self, name: str, seconds: float, **attributes: str) -> None:
        """Record a duration under a name made of the domain's words."""
