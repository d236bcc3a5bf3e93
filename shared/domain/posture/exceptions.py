"""Exceptions: findings that somebody answers for, each with an end.

An acceptance bears a risk for a while; a classification says why there is none, and is asked again after a year.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from shared.domain.approval import Person
from shared.domain.posture.finding import Finding, Severity, Verdict
from shared.domain.posture.inventory import Known, Unknown
from shared.errors import RejectedError

CONFIRM_AFTER = timedelta(days=365)
LAPSING = timedelta(days=14)
_TIER_0_CHECKS = frozenset({"A4", "B5", "E1", "E3"})


class Tier(Enum):
    """How long a risk may be accepted: whoever can take the tenant over is looked at again after a month."""

    TIER_0 = timedelta(days=30)
    OTHER = timedelta(days=90)


class Class(StrEnum):
    """Why a finding is none."""

    RENEWED_BY_MICROSOFT = "renewed-by-microsoft"
    NOT_OURS = "not-ours"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a risk is accepted: why, and from when until when."""

    reason: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A risk that somebody bears until `expires_at`, at the severity that it had then."""

    finding_id: str
    severity: Severity
    reason: str
    by: Person
    accepted_at: datetime
    expires_at: datetime

    def ends_at(self, tier: Tier) -> datetime:
        """When it ends: no later than the tier of today allows, whatever was agreed."""
        return min(self.expires_at, self.accepted_at + tier.value)

    def covers(self, finding: Finding, at: datetime, tier: Tier) -> bool:
        """Whether the finding is accepted now: a worse one never is."""
        return (
            finding.finding_id == self.finding_id
            and finding.verdict is Verdict.FAIL
            and finding.severity <= self.severity
            and at < self.ends_at(tier)
        )


@dataclass(frozen=True, slots=True)
class Classification:
    """What a finding is instead of a risk; to be confirmed after a year."""

    finding_id: str
    kind: Class
    by: Person
    classified_at: datetime

    def ends_at(self, _tier: Tier) -> datetime:
        """When it has to be confirmed."""
        return self.classified_at + CONFIRM_AFTER

    def covers(self, finding: Finding, at: datetime, tier: Tier) -> bool:
        """Whether the finding is classified now."""
        is_it = finding.finding_id == self.finding_id and finding.verdict is Verdict.FAIL
        return is_it and at < self.ends_at(tier)


Exemption = Acceptance | Classification


@dataclass(frozen=True, slots=True)
class Declared:
    """A classification as the operator wrote it down: `by` is a person's object id, `at` the beginning of a day."""

    finding_id: str
    kind: Class
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DeclaredRisk:
    """An acceptance as the operator wrote it down: by a person's object id, of what is no worse than `severity`."""

    finding_id: str
    severity: Severity
    by: str
    terms: Terms

    @property
    def at(self) -> datetime:
        """Since when it is borne."""
        return self.terms.starts_at

    def covered(self, finding: Finding) -> Finding:
        """The worst that it speaks of. Raises `RejectedError` when the finding is worse than that by now."""
        if finding.severity > self.severity:
            raise RejectedError("worse-than-accepted", finding.severity.word)
        return replace(finding, severity=self.severity)


def accept(
    finding: Finding, by: Person, terms: Terms, owners: Known[frozenset[str]] | Unknown, tier: Tier
) -> Acceptance:
    """The acceptance of a failed check.

    Raises `RejectedError` unless it has a reason, ends within the tier's time and is given by somebody who is not an
    owner; while owners are unknown, nobody can show that.
    """
    _refuse_owners(finding, by, owners)
    if not terms.reason.strip():
        raise RejectedError("reason-missing", "an accepted risk says why")
    if not terms.starts_at < terms.ends_at:
        raise RejectedError("acceptance-without-time", "it ends before it begins")
    if terms.ends_at - terms.starts_at > tier.value:
        raise RejectedError("acceptance-too-long", f"at most {tier.value.days} days")
    reason = terms.reason.strip()
    return Acceptance(finding.finding_id, finding.severity, reason, by, terms.starts_at, terms.ends_at)


def classify(
    finding: Finding, kind: Class, by: Person, owners: Known[frozenset[str]] | Unknown, at: datetime
) -> Classification:
    """The classification of a failed check; raises `RejectedError` from an owner, or when the kind cannot be true."""
    _refuse_owners(finding, by, owners)
    if kind is Class.RENEWED_BY_MICROSOFT and not finding.about.key_id:
        raise RejectedError("nothing-to-renew", "only a credential is renewed by Microsoft")
    return Classification(finding.finding_id, kind, by, at)


def by_finding(exemptions: Iterable[Exemption]) -> Mapping[str, Exemption]:
    """One for each finding id: where it is both accepted and classified, what lasts longer."""
    return {one.finding_id: one for one in sorted(exemptions, key=lambda one: one.ends_at(Tier.OTHER))}


def is_tier_0(finding: Finding) -> bool:
    """Whether the finding says of its object that it can take the tenant over."""
    return finding.verdict is Verdict.FAIL and finding.check_id in _TIER_0_CHECKS


def _refuse_owners(finding: Finding, by: Person, owners: Known[frozenset[str]] | Unknown) -> None:
    if finding.verdict is not Verdict.FAIL:
        raise RejectedError("nothing-to-accept", "what could not be judged cannot be accepted")
    if isinstance(owners, Unknown):
        raise RejectedError("owners-unknown", owners.reason)
    if by.principal_id in owners.value:
        raise RejectedError("approver-is-owner", by.principal_id)
