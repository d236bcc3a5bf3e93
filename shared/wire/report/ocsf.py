"""OCSF: findings as Detection Finding events (class 2004), which a SIEM takes in and follows to their end."""

from typing import Any

from shared.domain.posture.finding import Severity
from shared.domain.posture.inventory import Known
from shared.domain.posture.report import Entry, Report, Standing
from shared.wire.cards.fit import encode
from shared.wire.report.text import plain, shown

VERSION = "1.5.0"
CLASS, CATEGORY = 2004, 2
_PRODUCT = {"name": "Tether", "vendor_name": "Tether", "feature": {"name": "Posture"}}
_SEVERITIES = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_NEW, _IN_PROGRESS, _SUPPRESSED, _RESOLVED = (1, "New"), (2, "In Progress"), (3, "Suppressed"), (4, "Resolved")
_STATUSES = {
    Standing.NEW: _NEW,
    Standing.WORSE: _IN_PROGRESS,
    Standing.OPEN: _IN_PROGRESS,
    Standing.ACCEPTED: _SUPPRESSED,
    Standing.CLASSIFIED: _SUPPRESSED,
    Standing.FIXED: _RESOLVED,
}
_CREATE, _UPDATE, _CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
_NAME, _SENTENCE = 200, 1_000


def findings_ocsf(report: Report) -> bytes:
    """A JSON array with one event per line: what stands and what is fixed; nothing about what could not be seen."""
    told = (*report.entries, *report.standing(Standing.FIXED))
    return ("[\n" + ",\n".join(encode(_event(entry, report)) for entry in told) + "\n]\n").encode()


def _event(entry: Entry, report: Report) -> dict[str, Any]:
    finding = entry.finding
    activity_id, activity = _activity(entry, report)
    status_id, status = _status(entry, report)
    severity_id, severity = _SEVERITIES[finding.severity]
    at = _milliseconds(report.at.timestamp())
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity_id,
        "type_name": f"Detection Finding: {activity}",
        "time": at,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_detail": entry.standing.value,
        "is_alert": entry.standing.is_open,
        "message": shown(finding.says, _SENTENCE),
        "metadata": {"version": VERSION, "product": _PRODUCT, "event_code": finding.check_id},
        "finding_info": _info(entry, report, at),
        "resources": [_resource(entry)],
        "remediation": {"desc": shown(finding.fix, _SENTENCE) if finding.fix else "See the page of the check."},
        "unmapped": {"facts": [[shown(label, _NAME), shown(value, _NAME)] for label, value in finding.facts]},
    }


def _info(entry: Entry, report: Report, at: int) -> dict[str, Any]:
    finding = entry.finding
    title = report.titles.get(finding.check_id, finding.check_id)
    first_seen = _milliseconds(entry.first_seen.timestamp())
    return {
        "uid": finding.finding_id,
        "title": title,
        "desc": shown(finding.says, _SENTENCE),
        "analytic": {"type_id": 1, "type": "Rule", "uid": finding.check_id, "name": title},
        "created_time": first_seen,
        "first_seen_time": first_seen,
        "last_seen_time": at if entry.standing is not Standing.FIXED else _last_seen(report, at),
        "types": ["Identity posture"],
    }


def _resource(entry: Entry) -> dict[str, Any]:
    about = entry.finding.about
    owners = [shown(owner, _NAME) for owner in entry.finding.owners]
    data = {"app_id": plain(about.app_id), "key_id": plain(about.key_id), "owners": owners}
    resource: dict[str, Any] = {
        "uid": plain(about.object_id),
        "name": shown(about.name, _NAME),
        "type": about.kind.value,
        "data": {key: value for key, value in data.items() if value},
    }
    return resource | ({"owner": {"name": owners[0]}} if owners else {})


def _activity(entry: Entry, report: Report) -> tuple[int, str]:
    if entry.standing is Standing.FIXED:
        return _CLOSE
    return _CREATE if entry.first_seen == report.at else _UPDATE


def _status(entry: Entry, report: Report) -> tuple[int, str]:
    is_first_sight = entry.standing is Standing.OPEN and entry.first_seen == report.at
    return _NEW if is_first_sight else _STATUSES[entry.standing]


def _last_seen(report: Report, at: int) -> int:
    seen = report.compared_with
    return _milliseconds(seen.value.timestamp()) if isinstance(seen, Known) else at


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1_000)
