"""State: what one report leaves to the next, as JSON that is either whole or not read at all."""

import hashlib
import json
from datetime import date, datetime
from typing import Any

from shared.domain.posture.figures import Week
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity, Verdict
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.report import Remembered, Snapshot

FORMAT = 1


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """The snapshot, under the hash of its content."""
    content = {
        "format": FORMAT,
        "at": snapshot.at.isoformat(),
        "weeks": [[week.monday.isoformat(), _counts(week)] for week in snapshot.weeks],
        "findings": [_remembered(snapshot.findings[finding_id]) for finding_id in sorted(snapshot.findings)],
    }
    return json.dumps({"sha256": _hash(content), "content": content}, separators=(",", ":")).encode()


def parse_snapshot(data: bytes) -> Known[Snapshot] | Unknown:
    """The snapshot; `Unknown` when half of it is missing, when it was changed, or when it is of another format."""
    try:
        document = json.loads(data)
        content = document["content"]
        if _hash(content) != document["sha256"]:
            return Unknown("previous-report-damaged")
        if content["format"] != FORMAT:
            return Unknown("previous-report-of-another-format")
        return Known(_snapshot(content))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Unknown("previous-report-damaged")


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def _remembered(seen: Remembered) -> dict[str, Any]:
    finding, about = seen.finding, seen.finding.about
    return {
        "check": finding.check_id,
        "about": [about.kind.value, about.object_id, about.name, about.key_id, about.app_id],
        "severity": finding.severity.word,
        "says": finding.says,
        "facts": [list(fact) for fact in finding.facts],
        "owners": list(finding.owners),
        "fix": finding.fix,
        "first_seen": seen.first_seen.isoformat(),
    }


def _snapshot(content: dict[str, Any]) -> Snapshot:
    each = [(_finding(item), datetime.fromisoformat(item["first_seen"])) for item in content["findings"]]
    remembered = {finding.finding_id: Remembered(finding, first_seen) for finding, first_seen in each}
    weeks = tuple(Week(date.fromisoformat(monday), _severities(counts)) for monday, counts in content["weeks"])
    return Snapshot(datetime.fromisoformat(content["at"]), remembered, weeks)


def _finding(item: dict[str, Any]) -> Finding:
    kind, *rest = item["about"]
    return Finding(
        item["check"],
        About(ObjectKind(kind), *rest),
        Severity[item["severity"].upper()],
        item["says"],
        Verdict.FAIL,
        tuple((label, value) for label, value in item["facts"]),
        tuple(item["owners"]),
        item["fix"],
    )


def _counts(week: Week) -> dict[str, int]:
    return {severity.word: count for severity, count in week.counts.items()}


def _severities(counts: dict[str, int]) -> dict[Severity, int]:
    return {Severity[word.upper()]: count for word, count in counts.items()}
