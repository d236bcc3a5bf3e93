"""Coverage: what a scan read, what it asked for in vain, and which checks could not be made for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SourceState(StrEnum):
    """How much of a source is known. `PARTIAL` has rows, and not as many as Entra counts."""

    READING = "reading"
    COMPLETE = "complete"
    PARTIAL = "partial"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """One source: distinct rows read, rows that Entra counts (`None`: it does not say), requests, and why not all."""

    source: str
    state: SourceState
    rows: int = 0
    counted: int | None = None
    requests: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A check that could not be made for so many objects, and why."""

    check_id: str
    reason: str
    objects: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """A whole scan. `at` is when it began: every age is counted from it, also after it was resumed.

    `certificate_requests` are reads of single objects for their certificates, counted apart from all others.
    """

    scan_id: str
    at: datetime
    sources: tuple[SourceCoverage, ...]
    apps: int = 0
    certificate_requests: int = 0
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def requests(self) -> int:
        """Requests to Graph, those for certificates not counted."""
        return sum(source.requests for source in self.sources) - self.certificate_requests

    @property
    def incomplete(self) -> tuple[SourceCoverage, ...]:
        """The sources that were not read, or not wholly."""
        return tuple(source for source in self.sources if source.state is not SourceState.COMPLETE)

    @property
    def is_complete(self) -> bool:
        """Whether everything was read and everything could be judged."""
        return bool(self.sources) and not self.incomplete and not self.unjudged
