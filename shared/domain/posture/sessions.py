"""Sessions: how long somebody was silent, whether that is a season, and who was at work at the same time."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from shared.domain.posture.gateway_view import Use
from shared.domain.posture.live_spans import STILL_LIVE, Span

HISTORY = timedelta(days=396)
"""Thirteen months, so that what happens once a quarter or a year was seen before."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A time without any session, and the use that ended it."""

    since: datetime
    woken_by: Use

    @property
    def length(self) -> timedelta:
        """How long it was."""
        return self.woken_by.opened_at - self.since


@dataclass(frozen=True, slots=True)
class Timeline:
    """When sessions were opened, oldest first, and until when those opened so far went on."""

    opened: tuple[datetime, ...]
    ends: tuple[datetime, ...]

    @classmethod
    def of(cls, uses: Iterable[Use], more: Iterable[Span] = ()) -> "Timeline":
        """The timeline of these sessions, and of more that are told by when they were live."""
        spans = sorted((*((use.opened_at, use.ended_at or STILL_LIVE) for use in uses), *more))
        return cls(tuple(opened for opened, _ in spans), tuple(accumulate((end for _, end in spans), max)))

    def touches(self, at: datetime, window: timedelta) -> bool:
        """Whether a session was live at this time, or no further from it than the window."""
        before = bisect_right(self.opened, at + window)
        return before > 0 and self.ends[before - 1] >= at - window


def last_end(uses: Iterable[Use], at: datetime) -> datetime | None:
    """When the last session ended; now, while one is live."""
    return max((use.ended_at or at for use in uses), default=None)


def silences(uses: Sequence[Use], at: datetime) -> Iterator[Silence]:
    """The times between sessions that ended in the last thirteen months, oldest first."""
    until: datetime | None = None
    for use in sorted(uses, key=lambda one: one.opened_at):
        if until is not None and until < use.opened_at and at - use.opened_at <= HISTORY:
            yield Silence(until, use)
        end = use.ended_at or at
        until = end if until is None else max(until, end)


def is_season(length: timedelta, earlier: Iterable[Silence], slack_days: int) -> bool:
    """Whether it was silent about as long before, and came back."""
    longest = max((one.length for one in earlier), default=None)
    return longest is not None and length <= longest + timedelta(days=slack_days)


def overlapping(uses: Iterable[tuple[str, Use]], at: datetime) -> tuple[tuple[str, Use], tuple[str, Use]] | None:
    """The first two sessions that were live at the same time under different names, if any."""
    latest: dict[str, tuple[datetime, Use]] = {}
    for name, use in sorted(uses, key=lambda one: (one[1].opened_at, one[0], one[1].connection)):
        latest = {other: live for other, live in latest.items() if live[0] > use.opened_at}
        for other in sorted(latest):
            if other != name:
                return (other, latest[other][1]), (name, use)
        end = use.ended_at or at
        if name not in latest or end > latest[name][0]:
            latest[name] = (end, use)
    return None
