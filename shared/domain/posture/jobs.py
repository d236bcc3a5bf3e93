"""Posture jobs: the long work that a queue starts, and when the weekly report is due."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

DUE_WEEKDAY, DUE_HOUR = 0, 5
_WEEK = timedelta(days=7)


class JobKind(StrEnum):
    """What is to be done: make a report, tell Teams of one, or see how far the rotation of credentials is."""

    REPORT = "report"
    ANNOUNCE = "announce"
    ROTATION = "rotation"


@dataclass(frozen=True, slots=True)
class PostureJob:
    """The message *do this*. `asked_at` says from when on the outcome counts; `report_id` is what to tell of."""

    kind: JobKind
    asked_at: datetime
    correlation_id: str
    report_id: str = ""
    attempt: int = 0

    def retried(self) -> "PostureJob":
        """The same message with one more attempt counted."""
        return replace(self, attempt=self.attempt + 1)


def report_id_of(at: datetime) -> str:
    """The id of the report of a scan that began then: it sorts by time."""
    return f"{at:%Y%m%dT%H%M%SZ}"


def last_due(now: datetime) -> datetime:
    """The newest moment at which a weekly report was due: Mondays at five, UTC."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    due = midnight - timedelta(days=(midnight.weekday() - DUE_WEEKDAY) % 7) + timedelta(hours=DUE_HOUR)
    return due if due <= now else due - _WEEK
