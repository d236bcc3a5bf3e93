"""Report: what stands open, and first of all what is different from the last time."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.posture.coverage import Unjudged
from shared.domain.posture.coverage_block import CoverageBlock
from shared.domain.posture.exceptions import LAPSING, Classification, Exemption, Tier, by_finding, is_tier_0
from shared.domain.posture.figures import Week, trend
from shared.domain.posture.finding import Finding, ObjectKind, Severity, Verdict
from shared.domain.posture.inventory import Known, Unknown

MOST_WORST = 5
EXPIRING_CHECK = "C2"


class Standing(StrEnum):
    """How a finding compares with the last report."""

    NEW = "new"
    WORSE = "worse"
    OPEN = "open"
    ACCEPTED = "accepted"
    CLASSIFIED = "classified"
    FIXED = "fixed"
    UNCONFIRMED = "unconfirmed"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self in (Standing.NEW, Standing.WORSE, Standing.OPEN)


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding with its history: seen first when, how bad before, excepted until when."""

    finding: Finding
    standing: Standing
    first_seen: datetime
    before: Severity | None = None
    exemption: Exemption | None = None
    exempt_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A finding as the last report knew it."""

    finding: Finding
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a report leaves to the next one, by finding id."""

    at: datetime
    findings: Mapping[str, Remembered]
    weeks: tuple[Week, ...] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """What a report is made from, besides findings. `titles` are those of every check that ran, by id.

    Gaps of the coverage count for checks of which no finding says `UNKNOWN`.
    """

    at: datetime
    tenant: str
    titles: Mapping[str, str]
    coverage: CoverageBlock
    previous: Known[Snapshot] | Unknown
    exemptions: Sequence[Exemption] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Every failed check, worst first, and what has gone since the last report, which is `compared_with`.

    When there is nothing to compare with, nothing is called new, worse or fixed.
    """

    at: datetime
    tenant: str
    titles: Mapping[str, str]
    coverage: CoverageBlock
    compared_with: Known[datetime] | Unknown
    entries: tuple[Entry, ...]
    gone: tuple[Entry, ...]
    weeks: tuple[Week, ...]

    def standing(self, *wanted: Standing) -> tuple[Entry, ...]:
        """The entries that stand so, worst first."""
        return tuple(entry for entry in (*self.entries, *self.gone) if entry.standing in wanted)

    @property
    def open(self) -> tuple[Entry, ...]:
        """What somebody has to act on."""
        return tuple(entry for entry in self.entries if entry.standing.is_open)

    @property
    def expiring(self) -> tuple[Entry, ...]:
        """Credentials that end soon."""
        return tuple(entry for entry in self.open if entry.finding.check_id == EXPIRING_CHECK)

    @property
    def lapsing(self) -> tuple[Entry, ...]:
        """Findings whose exception ends within two weeks."""
        covered = self.standing(Standing.ACCEPTED, Standing.CLASSIFIED)
        return tuple(entry for entry in covered if entry.exempt_until and entry.exempt_until - self.at <= LAPSING)

    @property
    def lapsed(self) -> tuple[Entry, ...]:
        """Findings that are open again because their exception has ended since the last report."""
        since = self.compared_with.value if isinstance(self.compared_with, Known) else None
        ended = ((entry, entry.exempt_until) for entry in self.open if entry.exempt_until is not None)
        return tuple(entry for entry, end in ended if end <= self.at and (since is None or end > since))

    @property
    def worst(self) -> tuple[Entry, ...]:
        """The worst finding of each of the five worst objects."""
        by_object: dict[tuple[ObjectKind, str], Entry] = {}
        for entry in self.open:
            by_object.setdefault((entry.finding.about.kind, entry.finding.about.object_id), entry)
        return tuple(by_object.values())[:MOST_WORST]

    @property
    def has_news(self) -> bool:
        """Whether anything is different from the last report, or is about to be."""
        changed = self.standing(Standing.NEW, Standing.WORSE, Standing.FIXED)
        return bool(changed or self.lapsing or self.lapsed or isinstance(self.compared_with, Unknown))

    def counts(self) -> Mapping[Severity, int]:
        """Open findings by severity, the worst first."""
        return _counts(self.entries)

    def snapshot(self) -> Snapshot:
        """What the next report compares itself with: what could not be seen this time is not forgotten."""
        unseen = (entry for entry in self.gone if entry.standing is Standing.UNCONFIRMED)
        kept = (entry for entry in (*self.entries, *unseen) if entry.finding.check_id in self.titles)
        remembered = {entry.finding.finding_id: Remembered(entry.finding, entry.first_seen) for entry in kept}
        return Snapshot(self.at, remembered, self.weeks)


def build_report(findings: Iterable[Finding], basis: Basis) -> Report:
    """The report of findings that may come in any order, each read once."""
    compared_with = _comparable(basis)
    before = compared_with.value if isinstance(compared_with, Known) else Snapshot(basis.at, {})
    judged = _judge(findings, before, basis.coverage.gaps)
    has_before = isinstance(compared_with, Known)
    entries = tuple(sorted(_entries(judged.failed, before, basis, has_before=has_before), key=_worst_first))
    gone = (seen for finding_id, seen in before.findings.items() if finding_id not in judged.failed)
    return Report(
        basis.at,
        basis.tenant,
        basis.titles,
        replace(basis.coverage, gaps=judged.gaps),
        Known(before.at) if isinstance(compared_with, Known) else compared_with,
        entries,
        tuple(sorted((_gone(seen, judged.unseen, basis) for seen in gone), key=_worst_first)),
        trend(before.weeks, basis.at, _counts(entries)),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    failed: Mapping[str, Finding]
    gaps: tuple[Unjudged, ...]
    unseen: frozenset[tuple[str, str]]


def _judge(findings: Iterable[Finding], before: Snapshot, counted: Iterable[Unjudged]) -> _Judged:
    failed: dict[str, Finding] = {}
    gaps: Counter[tuple[str, str]] = Counter()
    unseen: set[tuple[str, str]] = set()
    # A source that was not read yields an unknown for each object: only those that had a finding are worth keeping.
    watched = {_place(seen.finding) for seen in before.findings.values()}
    for finding in findings:
        if finding.verdict is Verdict.UNKNOWN:
            gaps[finding.check_id, dict(finding.facts).get("missing", "unknown")] += 1
            if _place(finding) in watched or finding.about.kind is ObjectKind.TENANT:
                unseen.add(_place(finding))
        else:
            known = failed.get(finding.finding_id, finding)
            failed[finding.finding_id] = max(known, finding, key=lambda each: (each.severity, each.says))
    named = {check_id for check_id, _ in gaps}
    for gap in counted:
        # Whoever only counted what could not be judged does not say of which objects: it may have been any of them.
        if gap.check_id not in named:
            gaps[gap.check_id, gap.reason] += gap.objects
            unseen.add((gap.check_id, ""))
    return _Judged(failed, tuple(Unjudged(*each, gaps[each]) for each in sorted(gaps)), frozenset(unseen))


def _comparable(basis: Basis) -> Known[Snapshot] | Unknown:
    if isinstance(basis.previous, Known) and basis.previous.value.at > basis.at:
        return Unknown("previous-report-is-later")
    return basis.previous


def _place(finding: Finding) -> tuple[str, str]:
    return finding.check_id, "" if finding.about.kind is ObjectKind.TENANT else finding.about.object_id


def _entries(failed: Mapping[str, Finding], before: Snapshot, basis: Basis, *, has_before: bool) -> Iterable[Entry]:
    exemptions = by_finding(basis.exemptions)
    tier_0 = {finding.about.object_id for finding in failed.values() if is_tier_0(finding)}
    for finding_id, finding in failed.items():
        seen = before.findings.get(finding_id)
        tier = Tier.TIER_0 if finding.about.object_id in tier_0 else Tier.OTHER
        exemption = exemptions.get(finding_id)
        standing = _standing(finding, seen) if has_before else Standing.OPEN
        if exemption is not None and exemption.covers(finding, basis.at, tier):
            standing = Standing.CLASSIFIED if isinstance(exemption, Classification) else Standing.ACCEPTED
        yield Entry(
            finding,
            standing,
            seen.first_seen if seen else basis.at,
            seen.finding.severity if seen else None,
            exemption,
            exemption.ends_at(tier) if exemption else None,
        )


def _standing(finding: Finding, seen: Remembered | None) -> Standing:
    if seen is None:
        return Standing.NEW
    return Standing.WORSE if finding.severity > seen.finding.severity else Standing.OPEN


def _gone(seen: Remembered, unseen: frozenset[tuple[str, str]], basis: Basis) -> Entry:
    finding = seen.finding
    is_unseen = _place(finding) in unseen or (finding.check_id, "") in unseen
    is_unlisted = finding.about.kind in basis.coverage.unlisted
    is_fixed = finding.check_id in basis.titles and not is_unseen and not is_unlisted
    standing = Standing.FIXED if is_fixed else Standing.UNCONFIRMED
    return Entry(finding, standing, seen.first_seen, finding.severity)


def _counts(entries: Iterable[Entry]) -> Mapping[Severity, int]:
    counted = Counter(entry.finding.severity for entry in entries if entry.standing.is_open)
    return {severity: counted[severity] for severity in sorted(Severity, reverse=True)}


def _worst_first(entry: Entry) -> tuple[int, datetime, str, str, str]:
    finding = entry.finding
    return -finding.severity, entry.first_seen, finding.check_id, finding.about.name, finding.finding_id
