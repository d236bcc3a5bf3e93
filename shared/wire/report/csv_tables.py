"""CSV tables: findings and changes for spreadsheets, in which no cell is ever a formula.

A byte order mark tells Excel that the text is UTF-8. Object ids are whole, names are cut to 200 characters.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from shared.domain.posture.coverage import Unjudged
from shared.domain.posture.report import Entry, Report, Standing
from shared.wire.cards.words import day
from shared.wire.report.text import plain, shown, shown_all

FINDINGS = (
    "finding_id",
    "standing",
    "severity",
    "check",
    "title",
    "kind",
    "name",
    "object_id",
    "app_id",
    "key_id",
    "says",
    "facts",
    "owners",
    "first_seen",
    "age_days",
    "exempt_until",
    "fix",
)
CHANGES = ("change", "severity_before", *FINDINGS)
_CHANGED = (Standing.NEW, Standing.WORSE, Standing.FIXED, Standing.UNCONFIRMED)
_NAME, _SENTENCE, _MOST_OWNERS = 200, 1_000, 20
# A sign that begins a formula, at the beginning of the cell or behind whatever a spreadsheet may take for a separator.
_FORMULA = re.compile("(^|[;,\t\r\n|\"'])([ \t\r\n\u00a0]*)(?=[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20])")


def findings_csv(report: Report) -> bytes:
    """Every failed check, worst first, and a line for each check that could not be made."""
    unknown = ([_unknown(gap, report).get(column, "") for column in FINDINGS] for gap in report.coverage.gaps)
    return table(FINDINGS, [*(_row(entry, report) for entry in report.entries), *unknown])


def changes_csv(report: Report) -> bytes:
    """What is new, worse, fixed or out of sight since the last report, and exceptions that end or have ended."""
    changes = [(entry.standing.value, entry) for entry in report.standing(*_CHANGED)]
    changes += [("exception-lapsing", entry) for entry in report.lapsing]
    changes += [("exception-lapsed", entry) for entry in report.lapsed]
    rows = ((change, entry.before.word if entry.before else "", *_row(entry, report)) for change, entry in changes)
    return table(CHANGES, rows)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The rows under their columns, every cell quoted and none of them a formula."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """The cell with an apostrophe before whatever a spreadsheet would calculate."""
    return _FORMULA.sub(r"\1\2'", cell)


def _row(entry: Entry, report: Report) -> Sequence[str]:
    finding = entry.finding
    about = finding.about
    return (
        finding.finding_id,
        entry.standing.value,
        finding.severity.word,
        finding.check_id,
        report.titles.get(finding.check_id, ""),
        about.kind.value,
        shown(about.name, _NAME),
        plain(about.object_id),
        plain(about.app_id),
        plain(about.key_id),
        shown(finding.says, _SENTENCE),
        "; ".join(f"{shown(label, _NAME)}: {shown(value, _NAME)}" for label, value in finding.facts),
        shown_all(finding.owners, _MOST_OWNERS, _NAME),
        day(entry.first_seen),
        str((report.at - entry.first_seen).days),
        day(entry.exempt_until) if entry.exempt_until else "",
        shown(finding.fix, _SENTENCE) if finding.fix else "",
    )


def _unknown(gap: Unjudged, report: Report) -> dict[str, str]:
    return {
        "standing": "unknown",
        "severity": "info",
        "check": gap.check_id,
        "title": report.titles.get(gap.check_id, ""),
        "says": f"could not be judged for {gap.objects} objects: {shown(gap.reason)}",
    }
