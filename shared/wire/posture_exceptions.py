"""Exceptions in `posture.yaml`: what a finding is instead of a risk, and risks that somebody bears for a while."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.posture.exceptions import Class, Declared, DeclaredRisk, Terms, Tier
from shared.domain.posture.finding import Severity
from shared.wire.graph_notifications import ObjectId
from shared.wire.yaml_document import Place, Strict

FindingId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


def parse_until(value: object) -> datetime:
    """The end of a day."""
    return parse_day(value) + timedelta(days=1)


def parse_day(value: object) -> datetime:
    """The beginning of a day; YAML reads a day without quotes as a date."""
    day = value if isinstance(value, date) and not isinstance(value, datetime) else None
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
    if day is None or day.year == date.max.year:
        raise PydanticCustomError("until", "not a day")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _last_moment(value: object) -> datetime:
    """The last second of a day, so that reports name that day as the end."""
    return parse_until(value) - timedelta(seconds=1)


def _severity(value: object) -> Severity:
    for severity in Severity:
        if value == severity.word:
            return severity
    raise PydanticCustomError("severity", "not a severity")


class Classified(Strict):
    """What a finding is instead of a risk, by whom and since which day: to be confirmed after a year."""

    finding: FindingId
    kind: Class = Field(alias="as")
    by: ObjectId
    since: Annotated[datetime, BeforeValidator(parse_day)]

    def declared(self) -> Declared:
        """The same in the domain's words."""
        return Declared(self.finding, self.kind, self.by, self.since)


class Accepted(Strict):
    """A risk that somebody bears for a while, while it is no worse than it was then."""

    finding: FindingId
    severity: Annotated[Severity, BeforeValidator(_severity)]
    by: ObjectId
    because: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    since: Annotated[datetime, BeforeValidator(parse_day)]
    until: Annotated[datetime, BeforeValidator(_last_moment)]

    def declared(self) -> DeclaredRisk:
        """The same in the domain's words."""
        return DeclaredRisk(self.finding, self.severity, self.by, Terms(self.because, self.since, self.until))


def untimely(accepted: Sequence[Accepted]) -> Iterator[tuple[Place, str]]:
    """Risks whose days make no sense, with the fix."""
    for number, one in enumerate(accepted):
        if one.until < one.since:
            yield ("accepted", number, "until"), "earlier than since; write a later day"
        elif one.until - one.since > Tier.OTHER.value:
            yield ("accepted", number, "until"), f"more than {Tier.OTHER.value.days} days; write an earlier day"


def named_before(classified: Sequence[Classified], accepted: Sequence[Accepted]) -> Iterator[tuple[Place, str]]:
    """Findings that are named more than once, in either list."""
    named = [(("classified", number, "finding"), one.finding) for number, one in enumerate(classified)]
    named += [(("accepted", number, "finding"), one.finding) for number, one in enumerate(accepted)]
    seen: set[str] = set()
    for place, finding in named:
        if finding in seen:
            yield place, "named before; keep one"
        seen.add(finding)
