"""Made-up rotations for reports and cards: every state, and any name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.posture.checks.traits import APP_PROXY_TAG, PROXY_SECRET
from shared.domain.posture.inventory import (
    App,
    Application,
    Credential,
    CredentialKind,
    Known,
    ServicePrincipal,
    Unknown,
)
from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation_figures import RotationFigures, RotationTally

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
NAMES = ("invoice-agent", "payroll-sync", "crm-export", "terraform-deploy", "backup-runner", "hr-onboarding", "grafana")


def key(number: int) -> str:
    return f"4c2ae5a0-0000-4000-8000-{number:012d}"


def secret(number: int, starts: float, ends: float, name: str = "") -> Credential:
    """Issued so many days ago, for so many days from now."""
    dates = (AT - timedelta(days=starts), AT + timedelta(days=ends))
    return Credential(key(number), CredentialKind.SECRET, name, *dates)


def app(number: int, *credentials: Credential, used: dict[str, float] | None = None, name: str = "") -> App:
    """An application that holds them, used so many days ago by key; `None`: nobody knows."""
    object_id, app_id = f"aaaaaaaa-0000-4000-8000-{number:012d}", f"dddd0000-0000-4000-8000-{number:012d}"
    called = name or f"{NAMES[number % len(NAMES)]}-{number}"
    proxied = {APP_PROXY_TAG} if any(one.name == PROXY_SECRET for one in credentials) else set()
    hosted = frozenset(proxied | ({"hostedonazure"} if number % 3 == 0 else set()))
    uses = Unknown("no-licence")
    return App(
        app_id,
        Application(object_id, app_id, called, credentials=credentials, federated_count=0),
        ServicePrincipal(object_id.replace("aaaa", "bbbb"), app_id, called, tags=hosted),
        credential_uses=uses
        if used is None
        else Known({each: AT - timedelta(days=days) for each, days in used.items()}),
    )


def one_of_each(number: int, name: str = "") -> list[App]:
    """Still used, superseded, overdue, due, unknown, being changed, current, and renewed by Microsoft."""
    ids = [number * 20 + each for each in range(12)]
    old, new = secret(ids[0], 140, 60), secret(ids[1], 60, 120)
    due = secret(ids[4], 90, number % 28 + 1)
    return [
        app(ids[0], old, new, used={key(ids[0]): 1, key(ids[1]): 2}, name=name),
        app(ids[1], old, new, used={key(ids[1]): 2}, name=name),
        app(ids[2], secret(ids[3], 400, 330), used={key(ids[3]): 3}, name=name),
        app(ids[3], due, used={}, name=name),
        app(ids[4], replace(due, starts_at=None, ends_at=None), used={}, name=name),
        app(ids[5], secret(ids[5], 140, 60), secret(ids[6], 5, 120), used={}, name=name),
        app(ids[6], secret(ids[7], 10, 120), used={}, name=name),
        app(ids[7], secret(ids[8], 400, 12, PROXY_SECRET), used={}, name=name),
    ]


def figures(count: int = 1, name: str = "") -> RotationFigures:
    """So many of each."""
    tally = RotationTally(AT)
    for number in range(count):
        for each in one_of_each(number, name):
            tally.add(each, Limits())
    return tally.figures()
