"""Check: one rule of the catalogue, with everything that its page, its finding and its reader need."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.domain.posture.finding import About, Finding, ObjectKind, Severity, Verdict
from shared.domain.posture.inventory import App, Unknown, once
from shared.domain.posture.limits import Limits

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Case(Generic[Subject]):
    """What is judged, at which moment, under which limits."""

    subject: Subject
    at: datetime
    limits: Limits

    def days_since(self, moment: datetime) -> int:
        """Whole days from then to now; negative for what lies ahead."""
        return (self.at - moment) // timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """A rule. `judge` yields a finding for each failure, one with `UNKNOWN` for what it could not see, nothing else.

    `thresholds` name fields of `Limits`; `fix` is the exact call that a person may make, and Tether never does.
    """

    check_id: str
    title: str
    severity: Severity
    detects: str
    source: str
    permission: str
    traps: str
    fix: str
    judge: Callable[[Case[Subject]], Iterator[Finding]]
    thresholds: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()


def about_app(app: App, key_id: str = "") -> About:
    """What a finding about an application is about: the registration, or else the principal."""
    whole = _about(app)
    return About(whole.kind, whole.object_id, whole.name, key_id, whole.app_id) if key_id else whole


@once
def _about(app: App) -> About:
    kind = ObjectKind.APPLICATION
    if app.application is None:
        is_agent = app.principal is not None and app.principal.is_agent
        kind = ObjectKind.AGENT_IDENTITY if is_agent else ObjectKind.SERVICE_PRINCIPAL
    return About(kind, app.object_id, app.name, app_id=app.app_id)


def unknown(check_id: str, about: About, missing: Unknown) -> Finding:
    """What is said of a check that could not be made."""
    return Finding(
        check_id,
        about,
        Severity.INFO,
        "This could not be judged: a source was not read.",
        Verdict.UNKNOWN,
        (("missing", missing.reason),),
    )
