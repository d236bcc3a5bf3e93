"""HTML page: a report in one file that loads nothing, runs nothing but its own search, and can be read without that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.posture.figures import CredentialFigures, Reach
from shared.domain.posture.inventory import Known
from shared.domain.posture.report import Entry, Report, Standing
from shared.domain.posture.rotation_figures import RotationFigures
from shared.wire.report import sentences
from shared.wire.report.blast_picture import BlastRadius, blast_picture
from shared.wire.report.charts import ages_chart, expiry_calendar, reach_chart, reach_in_words, trend_chart, widest
from shared.wire.report.pages import asset, environment, page_policy
from shared.wire.report.rotation_section import rotation_section
from shared.wire.report.rows import grouped_rows

_MOST_LINES, _MOST_EXCEPTIONS = 12, 200
_FILTERS = (
    ("all", "All"),
    ("open", "Open"),
    ("new", "New or worse"),
    ("critical", "Critical"),
    ("high", "High and critical"),
    ("excepted", "Excepted"),
)


@dataclass(frozen=True, slots=True)
class Pictured:
    """What a report's pictures are drawn from."""

    credentials: CredentialFigures
    reaches: Sequence[Reach] = ()
    blast: BlastRadius | None = None
    rotations: RotationFigures | None = None


@dataclass(frozen=True, slots=True)
class _Tile:
    name: str
    heading: str
    look: str
    entries: Sequence[Entry] | None
    note: Callable[[Entry], str]


def html_page(report: Report, pictured: Pictured) -> bytes:
    """The page, at most 3 MB: the worst findings have a row, the rest are counted and named in the tables beside it."""
    groups, left_out = grouped_rows(report, environment().get_template("finding.html.j2"))
    style, script = asset("report.css"), asset("report.js")
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            **_pictures(report, pictured),
            **_words(report),
            report=report,
            policy=page_policy(),
            style=style,
            script=script,
            tiles=_tiles(report),
            quiet=not report.has_news,
            filters=_FILTERS,
            groups=groups,
            left_out=left_out,
            excepted=report.standing(Standing.ACCEPTED, Standing.CLASSIFIED),
            most_lines=_MOST_LINES,
            most_exceptions=_MOST_EXCEPTIONS,
        )
    )
    return page.encode()


def _pictures(report: Report, pictured: Pictured) -> dict[str, Any]:
    blast = pictured.blast
    return {
        "rotation": rotation_section(pictured.rotations, report.at),
        "trend": trend_chart(report.weeks, report.at),
        "ages": ages_chart(pictured.credentials),
        "ages_note": sentences.ages(pictured.credentials),
        "expiry": expiry_calendar(pictured.credentials, report.at),
        "expiry_note": sentences.ends(pictured.credentials, report.at),
        "reach": reach_chart(pictured.reaches),
        "reach_note": reach_in_words(pictured.reaches),
        "blast": blast_picture(blast) if blast else "",
        "blast_name": blast.name if blast else "",
        "blast_id": blast.object_id if blast else "",
        "reaches": [each for each in widest(pictured.reaches) if each.object_id],
        "blast_note": sentences.blast(blast) if blast else "",
    }


def _words(report: Report) -> dict[str, Any]:
    return {
        "verdict": sentences.verdict(report),
        "compared": sentences.compared(report),
        "missing": sentences.missing(report),
        "unconfirmed": sentences.unconfirmed(report),
        "worst_heading": sentences.worst(report),
        "title_of": lambda entry: report.titles.get(entry.finding.check_id, ""),
        "open_for": lambda entry: sentences.open_for(entry, report.at),
        "owners_of": sentences.owners,
        "kind_of": sentences.kind,
        "why_exempt": sentences.why_exempt,
        "state_of": sentences.state,
    }


def _tiles(report: Report) -> list[_Tile]:
    is_compared = isinstance(report.compared_with, Known)
    said = sentences
    ended = (*report.lapsing, *report.lapsed)
    compared: list[tuple[str, str, str, Standing, Callable[[Entry], str]]] = [
        ("new", "New", "s4", Standing.NEW, said.no_note),
        ("worse", "Got worse", "s3", Standing.WORSE, said.was_better),
        ("fixed", "Fixed", "good", Standing.FIXED, lambda entry: said.was_open(entry, report.at)),
    ]
    tiles = [
        _Tile(name, heading, look, report.standing(standing) if is_compared else None, note)
        for name, heading, look, standing, note in compared
    ]
    tiles.append(_Tile("expiring soon", "Expiring soon", "s2", report.expiring, said.no_note))
    tiles.append(_Tile("exceptions that end", "Exceptions that end", "s1", ended, said.ends_on))
    return tiles
