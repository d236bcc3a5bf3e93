"""Rows: findings on the page, grouped by check, as many as there is room for."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Template
from markupsafe import Markup

from shared.domain.posture.finding import Finding
from shared.domain.posture.report import Entry, Report
from shared.wire.report import sentences

MOST_BYTES = 2_800_000
_SAID_ONCE_FROM = 20


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one check that have a row, and the call that would fix each of them, if it is the same."""

    check_id: str
    title: str
    count: int
    fix: str
    rows: Markup


def grouped_rows(report: Report, row: Template) -> tuple[list[Group], int]:
    """The groups, that of the worst finding first, and how many findings found no room: none is worse than those."""
    fixes = _common_fixes(report.entries)
    rows: Mapping[str, list[str]] = defaultdict(list)
    left, left_out = MOST_BYTES, 0
    for entry in report.entries:
        if left <= 0:
            left_out += 1
            continue
        drawn = _drawn(entry, report, fixes, row)
        left -= len(drawn.encode())
        rows[entry.finding.check_id].append(drawn)
    groups = [
        Group(check_id, report.titles.get(check_id, ""), len(drawn), fixes.get(check_id, ""), Markup("\n".join(drawn)))  # noqa: S704 - rendered by the template, which escapes
        for check_id, drawn in rows.items()
    ]
    return groups, left_out


def _drawn(entry: Entry, report: Report, fixes: Mapping[str, str], row: Template) -> str:
    finding = entry.finding
    is_said_once = fixes.get(finding.check_id) == _pattern(finding)
    return row.render(
        entry=entry,
        finding=finding,
        fix="" if is_said_once else finding.fix,
        kind=sentences.kind(entry),
        owners=sentences.owners(entry),
        age=sentences.age(entry, report.at),
        mark=sentences.mark(entry),
    )


def _common_fixes(entries: Sequence[Entry]) -> dict[str, str]:
    """By check, the call that fixes most of its findings, where there are many of them."""
    patterns: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        patterns[entry.finding.check_id][_pattern(entry.finding)] += 1
    common = {
        check_id: max(counted.items(), key=lambda each: (each[1], each[0])) for check_id, counted in patterns.items()
    }
    return {check_id: fix for check_id, (fix, count) in common.items() if fix and count >= _SAID_ONCE_FROM}


def _pattern(finding: Finding) -> str:
    """The call with the names of its ids in place of the ids."""
    fix = finding.fix
    about = finding.about
    for name, value in (("object_id", about.object_id), ("key_id", about.key_id), ("app_id", about.app_id)):
        fix = fix.replace(value, f"{{{name}}}") if value else fix
    return fix
