"""Sentences: what a report says in words of our own, around the words of others."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.posture.coverage_block import SourceRead
from shared.domain.posture.exceptions import Acceptance, Class
from shared.domain.posture.figures import CredentialFigures
from shared.domain.posture.finding import ObjectKind, Severity
from shared.domain.posture.inventory import Known
from shared.domain.posture.report import Entry, Report, Standing
from shared.wire.cards.words import counted, day, moment
from shared.wire.report.blast_picture import BlastRadius
from shared.wire.report.text import shown, shown_all

KINDS = {
    ObjectKind.APPLICATION: "App registration",
    ObjectKind.SERVICE_PRINCIPAL: "Service principal",
    ObjectKind.AGENT_IDENTITY: "Agent identity",
    ObjectKind.GROUP: "Group",
    ObjectKind.CONNECTION: "Connection",
    ObjectKind.GATEWAY_IDENTITY: "Gateway identity",
    ObjectKind.TENANT: "Tenant",
}
_CLASSES = {
    Class.RENEWED_BY_MICROSOFT: "Microsoft renews it itself",
    Class.NOT_OURS: "Not ours",
}
_NUMBERS = ("none", "worst", "two worst", "three worst", "four worst", "five worst")


def verdict(report: Report) -> str:
    """The report in a sentence or two."""
    counts = report.counts()
    total = sum(counts.values())
    whole = report.coverage.is_whole
    if not total:
        return "No finding is open." if whole else "No finding is open among what could be read."
    worst = [f"{counts[severity]:,} {severity.word}" for severity in (Severity.CRITICAL, Severity.HIGH)]
    worst[0] = worst[0].replace(" ", " of them ") if total > 1 else worst[0]
    open_now = f"{total:,} findings are open" if total > 1 else "1 finding is open"
    said = f"{open_now}, {' and '.join(worst)}."
    if isinstance(report.compared_with, Known):
        new, fixed = (len(report.standing(standing)) for standing in (Standing.NEW, Standing.FIXED))
        said += f" Since the last report {new:,} came and {fixed:,} went." if new or fixed else ""
    return said


def compared(report: Report) -> str:
    """With what the report is compared."""
    if isinstance(report.compared_with, Known):
        return f"compared with {moment(report.compared_with.value)}"
    if report.compared_with.reason == "first-report":
        return "the first report: nothing to compare it with yet"
    return f"not compared with an earlier report ({report.compared_with.reason})"


def missing(report: Report) -> str:
    """What is not whole, counted."""
    coverage = report.coverage
    partial = [source for source in coverage.sources if not source.is_whole]
    checks = {gap.check_id for gap in coverage.gaps}
    said = []
    if not coverage.sources:
        said.append("No source was read.")
    if partial:
        said.append(f"{counted(len(partial), 'source')} could not be read as a whole.")
    if checks:
        said.append(f"{counted(len(checks), 'check')} could not be made everywhere.")
    return " ".join(said)


def unconfirmed(report: Report) -> str:
    """Earlier findings that nobody can call fixed."""
    count = len(report.standing(Standing.UNCONFIRMED))
    if not count:
        return ""
    was = "was" if count == 1 else "were"
    return f"{counted(count, 'earlier finding')} {was} not seen this time and cannot be called fixed: see changes.csv."


def state(source: SourceRead) -> str:
    """How the reading of one source ended."""
    if source.is_whole:
        return "whole"
    if source.reason:
        return f"failed: {shown(source.reason)}" if not source.read else f"partial: {shown(source.reason)}"
    return "partial" if source.read else "empty, which is suspicious"


def worst(report: Report) -> str:
    """How many are called the worst."""
    return _NUMBERS[len(report.worst)]


def owners(entry: Entry) -> str:
    """Who should hear of it."""
    return shown_all(entry.finding.owners, most=2) if entry.finding.owners else "nobody"


def kind(entry: Entry) -> str:
    """What it is about."""
    return KINDS[entry.finding.about.kind]


def age(entry: Entry, at: datetime) -> str:
    """How long it has been open."""
    days = (at - entry.first_seen).days
    return counted(days, "day") if days > 0 else "today"


def mark(entry: Entry) -> str:
    """What is special about its standing."""
    if entry.standing in (Standing.ACCEPTED, Standing.CLASSIFIED) and entry.exempt_until:
        return f"{entry.standing.value} until {day(entry.exempt_until)}"
    return entry.standing.value if entry.standing in (Standing.NEW, Standing.WORSE) else ""


def why_exempt(entry: Entry) -> str:
    """Why somebody answers for it."""
    exemption = entry.exemption
    if exemption is None:
        return ""
    return shown(exemption.reason, 200) if isinstance(exemption, Acceptance) else _CLASSES[exemption.kind]


def no_note(_entry: Entry) -> str:
    """Nothing to add."""
    return ""


def was_better(entry: Entry) -> str:
    """How bad it was before."""
    return f", was {entry.before.word}" if entry.before is not None else ""


def open_for(entry: Entry, at: datetime) -> str:
    """Since when it has been open."""
    known = age(entry, at)
    return "seen today for the first time" if known == "today" else f"open for {known}"


def was_open(entry: Entry, at: datetime) -> str:
    """How long it had been open."""
    return f", was open for {age(entry, at)}"


def ends_on(entry: Entry) -> str:
    """When its exception ends, or has ended."""
    if entry.exempt_until is None:
        return ""
    return f", {'ended' if entry.standing.is_open else 'ends'} on {day(entry.exempt_until)}"


def ages(figures: CredentialFigures) -> str:
    """Live secrets that are due for a change."""
    old = sum(figures.ages[3:])
    total = sum(figures.ages) + figures.undated
    return f"{old:,} of {total:,} are older than 180 days." if total else "There is no live secret."


def ends(figures: CredentialFigures, at: datetime) -> str:
    """How many credentials end within 30 days, and how many never do."""
    today = at.date()
    soon = sum(count for when, count in figures.ends.items() if today <= when < today + timedelta(days=30))
    endless = f" {counted(figures.endless, 'credential')} without an end." if figures.endless else ""
    return f"{soon:,} within 30 days.{endless}"


def blast(radius: BlastRadius) -> str:
    """Its reach in numbers."""
    opened: Sequence[object] = [each for each in radius.reached if each.last_opened]
    return f"{counted(len(radius.reached), 'connection')} within reach, {len(opened)} of them opened."
