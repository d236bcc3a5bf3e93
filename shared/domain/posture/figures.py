"""Figures: the numbers behind a report's charts, gathered app by app."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from shared.domain.posture.checks.traits import renews_itself
from shared.domain.posture.finding import Severity
from shared.domain.posture.inventory import App, CredentialKind

WEEKS = 13
AGE_BOUNDS = (30, 90, 180, 365, 730)
"""Days at which one band of ages ends and the next begins."""


@dataclass(frozen=True, slots=True)
class Week:
    """What stood open in the week that began on a Monday, by severity."""

    monday: date
    counts: Mapping[Severity, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Reach:
    """How many connections somebody may open, and how many they did within 90 days; `None` when nobody knows.

    `object_id` is where `blast_radius` finds them; empty when it cannot.
    """

    name: str
    granted: int
    used: int | None
    object_id: str = field(default="", compare=False)

    @property
    def unused(self) -> int:
        """Connections that stay closed; all that is granted counts while the use is unknown."""
        return self.granted - (self.used or 0)


@dataclass(frozen=True, slots=True)
class CredentialFigures:
    """Live secrets by band of age, one more band than bounds; those without a date; ends per day, of both kinds."""

    ages: tuple[int, ...] = (0,) * (len(AGE_BOUNDS) + 1)
    undated: int = 0
    ends: Mapping[date, int] = field(default_factory=dict)
    endless: int = 0


class CredentialTally:
    """Counts credentials one app at a time, holding nothing of the app.

    What Microsoft renews itself, or signs tokens, is left out: nobody has to act on it.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._ages = [0] * (len(AGE_BOUNDS) + 1)
        self._undated = 0
        self._ends: Counter[date] = Counter()
        self._endless = 0

    def add(self, app: App) -> None:
        """Counts the live credentials of one app."""
        for credential in app.credentials:
            if not credential.is_live(self._at) or credential.usages == {"Sign"} or renews_itself(app, credential):
                continue
            if credential.kind is CredentialKind.SECRET:
                self._add_age(credential.starts_at)
            self._add_end(credential.ends_at)

    def figures(self) -> CredentialFigures:
        """What was counted; ends are those of the coming 13 weeks."""
        ends = {day: self._ends[day] for day in sorted(self._ends)}
        return CredentialFigures(tuple(self._ages), self._undated, ends, self._endless)

    def _add_age(self, starts_at: datetime | None) -> None:
        if starts_at is None:
            self._undated += 1
            return
        days = (self._at - starts_at).days
        self._ages[sum(days >= bound for bound in AGE_BOUNDS)] += 1

    def _add_end(self, ends_at: datetime | None) -> None:
        if ends_at is None:
            self._endless += 1
        elif (day := ends_at.astimezone(UTC).date()) < monday_of(self._at) + timedelta(weeks=WEEKS):
            self._ends[day] += 1


def monday_of(at: datetime) -> date:
    """The first day of the week, in UTC."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def trend(earlier: Sequence[Week], at: datetime, counts: Mapping[Severity, int]) -> tuple[Week, ...]:
    """The last 13 weeks with this one, oldest first: this week's earlier report gives way, a week without is a gap."""
    this = Week(monday_of(at), dict(counts))
    oldest = this.monday - timedelta(weeks=WEEKS - 1)
    kept = {week.monday: week for week in earlier if oldest <= week.monday < this.monday} | {this.monday: this}
    return tuple(kept[monday] for monday in sorted(kept))
