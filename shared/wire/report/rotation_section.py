"""Rotation section: which credentials are due, overdue or not really changed, on the page and as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from shared.domain.posture.inventory import Unknown
from shared.domain.posture.rotation import CredentialRotation, Rotation, RotationState
from shared.domain.posture.rotation_figures import RotationFigures
from shared.domain.posture.rotation_steps import Step, federation_step, steps_of
from shared.wire.cards.words import counted, day
from shared.wire.report.csv_tables import table
from shared.wire.report.pages import environment
from shared.wire.report.text import plain, shown
from shared.wire.rotation_words import HOSTS, KINDS, SHORT, STATES, numbers, used, used_last

MOST_ROWS = 40
COLUMNS = (
    "state",
    "application",
    "object_id",
    "app_id",
    "kind",
    "key_id",
    "age_days",
    "lifetime_days",
    "superseded_days",
    "days_left",
    "ends_in_days",
    "last_used",
    "used_last",
    "successor",
    "predecessor",
    "federation",
    "steps",
)
_TILES = (
    (RotationState.STILL_USED, "s3"),
    (RotationState.SUPERSEDED, "s3"),
    (RotationState.OVERDUE, "s2"),
    (RotationState.DUE, "s1"),
    (RotationState.UNKNOWN, "s0"),
)
_LOOKS = {
    RotationState.STILL_USED: "s3",
    RotationState.SUPERSEDED: "s3",
    RotationState.OVERDUE: "s2",
    RotationState.DUE: "s1",
}
_NAME = 200


@dataclass(frozen=True, slots=True)
class _Row:
    """One credential on the page."""

    rotation: Rotation
    credential: CredentialRotation
    steps: tuple[Step, ...]

    @property
    def look(self) -> str:
        return _LOOKS.get(self.credential.state, "s0")


def rotation_section(figures: RotationFigures | None, at: datetime) -> Markup:
    """The section, empty where nobody looked at rotation; at most 40 credentials have a row."""
    if figures is None:
        return Markup()
    rows = [_Row(one, each, _steps(one, each, at)) for one, each in _waiting(figures)]
    drawn = (
        environment()
        .get_template("rotation.html.j2")
        .render(
            tiles=[(STATES[state], figures.states.get(state, 0), look) for state, look in _TILES],
            verdict=_verdict(figures),
            federation=_federation(figures),
            use_unknown=_use_unknown(figures),
            rows=rows[:MOST_ROWS],
            left_out=len(rows[MOST_ROWS:]),
            kinds=KINDS,
            short=SHORT,
            hosts=HOSTS,
            numbers=numbers,
            due=_due,
            used=used,
            used_last=used_last,
        )
    )
    return Markup(drawn)  # noqa: S704 - rendered by the template, which escapes


def rotation_csv(figures: RotationFigures, at: datetime) -> bytes:
    """Every live credential of each application that somebody has to look at, the worst first."""
    return table(COLUMNS, (_cells(one, row, at) for one in figures.rotations for row in one.credentials))


def _waiting(figures: RotationFigures) -> Iterator[tuple[Rotation, CredentialRotation]]:
    """Credentials with which something has to be done, or that nobody can judge."""
    states = {state for state, _ in _TILES}
    return ((one, row) for one in figures.rotations for row in one.credentials if row.state in states)


def _verdict(figures: RotationFigures) -> str:
    count = sum(figures.states.values())
    if not count:
        return "There is no live credential that anybody has to change."
    rest = [
        f"{figures.states[state]:,} {STATES[state]}"
        for state in (RotationState.ROTATING, RotationState.ROTATED, RotationState.CURRENT, RotationState.RENEWED)
        if figures.states.get(state)
    ]
    return f"{counted(count, 'live credential')}: {', '.join(rest) or 'none of them is current'}."


def _federation(figures: RotationFigures) -> str:
    if not figures.could_federate:
        return ""
    return (
        f"{counted(figures.could_federate, 'application')} could do without any secret: the host has tokens of its own."
    )


def _due(row: CredentialRotation) -> str:
    """How soon, in a narrow column."""
    if row.days_left is None or row.state not in (RotationState.OVERDUE, RotationState.DUE):
        return ""
    return f"in {row.days_left} d" if row.days_left >= 0 else f"{-row.days_left} d late"


def _use_unknown(figures: RotationFigures) -> str:
    if figures.use_unknown is None:
        return ""
    return (
        f"Which credential was used is not known ({shown(figures.use_unknown.reason)}), "
        "so nothing is called rotated, and nothing superseded."
    )


def _steps(one: Rotation, row: CredentialRotation, at: datetime) -> tuple[Step, ...]:
    better = federation_step(row, one.federation)
    steps = steps_of(row, at)
    return (*steps, better) if better is not None and steps else steps


def _cells(one: Rotation, row: CredentialRotation, at: datetime) -> Sequence[str]:
    steps = " ".join(
        f"{number}. {step.does} {step.call}".strip() for number, step in enumerate(_steps(one, row, at), 1)
    )
    return (
        row.state.value,
        shown(one.about.name, _NAME),
        plain(row.about.object_id),
        plain(row.about.app_id),
        row.kind.value,
        plain(row.about.key_id),
        *(
            _number(each)
            for each in (row.age_days, row.lifetime_days, row.superseded_days, row.days_left, row.ends_in_days)
        ),
        day(row.last_used) if row.last_used is not None else _no_use(one),
        shown(used_last(one), _NAME),
        plain(row.successor),
        plain(row.predecessor),
        ", ".join(one.federation),
        shown(steps, 2_000) if steps else "",
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _no_use(one: Rotation) -> str:
    return "unknown" if isinstance(one.last_use, Unknown) else "none"
