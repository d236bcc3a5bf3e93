"""Live spans: when any of many sessions was live, in as few spans as say the same."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Span = tuple[datetime, datetime]
STILL_LIVE = datetime.max.replace(tzinfo=UTC)
_SLACK = 256


@dataclass(slots=True)
class LiveSpans:
    """Spans in any order, kept small: those no further apart than `gap` become one.

    Whether a moment is within half a gap of a session is told by what remains as exactly as by all of them.
    """

    gap: timedelta
    _spans: list[Span] = field(default_factory=list)
    _merge_at: int = _SLACK

    def add(self, opened: datetime, ended: datetime | None) -> None:
        """Take one session into account; `None` is still live."""
        self._spans.append((opened, ended if ended is not None else STILL_LIVE))
        if len(self._spans) >= self._merge_at:
            self._spans = list(merged(self._spans, self.gap))
            self._merge_at = 2 * len(self._spans) + _SLACK

    def all(self) -> tuple[Span, ...]:
        """What remains, oldest first."""
        return merged(self._spans, self.gap)


def merged(spans: Iterable[Span], gap: timedelta) -> tuple[Span, ...]:
    """The spans, oldest first, those that touch or are no further apart than the gap in one."""
    found: list[Span] = []
    for opened, ended in sorted(spans):
        if found and (found[-1][1] == STILL_LIVE or opened - found[-1][1] <= gap):
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        else:
            found.append((opened, ended))
    return tuple(found)
