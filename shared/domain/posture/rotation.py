"""Rotation: for each application how far the change of its credentials is, proven by which of them is used."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.posture.check import Case, about_app
from shared.domain.posture.checks import credential_use
from shared.domain.posture.checks.credentials import kept_by_people, lifetime, live_doors
from shared.domain.posture.checks.redirects import host_of
from shared.domain.posture.checks.subjects import is_trusted
from shared.domain.posture.checks.traits import (
    Held,
    held,
    held_by_principal,
    is_managed_identity,
    renews_itself,
    signs_tokens,
)
from shared.domain.posture.finding import About, Verdict
from shared.domain.posture.inventory import App, Credential, CredentialKind, Known, Unknown
from shared.domain.posture.limits import Limits
from shared.domain.posture.pairs import Dated, Pairs, Retired

AZURE_TAGS = frozenset({"azure-hosted", "hostedonazure"})
AZURE_HOSTS = (".azurewebsites.net", ".azurecontainerapps.io", ".azurestaticapps.net", ".cloudapp.azure.com")


class RotationState(StrEnum):
    """How far the rotation of one credential is; the most urgent first.

    `ROTATING` lasts until the successor is proven to be used and the old one is gone; only then it is `ROTATED`.
    """

    STILL_USED = "still-used-after-rotation"
    SUPERSEDED = "superseded-but-live"
    OVERDUE = "overdue"
    DUE = "due"
    UNKNOWN = "unknown"
    ROTATING = "rotating"
    ROTATED = "rotated"
    CURRENT = "current"
    RENEWED = "renewed-by-microsoft"


class Host(StrEnum):
    """Why the host could do without a secret: it shows tokens already, or Azure gives it an identity."""

    ISSUER_KNOWN = "issuer-known"
    ON_AZURE = "azure-hosted"


@dataclass(frozen=True, slots=True)
class LastUse:
    """The newest sign-in with any credential; one that is not listed any more can have been the last."""

    key_id: str
    at: datetime
    is_listed: bool


@dataclass(frozen=True, slots=True)
class CredentialRotation:
    """A live credential: three numbers in days, its state, how long its successor may live, and how near its end is.

    `days_left` runs to its end or to the age at which it has to be changed, whichever is nearer; `stage` is the
    reminder that was reached. `ends_in_days` runs to its end alone, after which nobody can sign in with it.
    `superseded_days` is how long the older of a pair stayed valid beside the newer, so far or in all.
    """

    about: About
    kind: CredentialKind
    state: RotationState
    successor_days: int
    days_left: int | None = None
    stage: int | None = None
    age_days: int | None = None
    lifetime_days: int | None = None
    last_used: datetime | None = None
    successor: str = ""
    predecessor: str = ""
    superseded_days: int | None = None
    ends_in_days: int | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """An application with its live credentials, the most urgent first, which was used last, and what else would do."""

    about: About
    credentials: tuple[CredentialRotation, ...]
    last_use: Known[LastUse | None] | Unknown
    federation: tuple[Host, ...] = ()

    @property
    def state(self) -> RotationState:
        """That of the most urgent credential."""
        return self.credentials[0].state


def rotation(case: Case[App], retired: tuple[Retired, ...] = ()) -> Rotation | None:
    """How far each live credential is; `None` where there is none that people or Microsoft have to change.

    Give the limits as lowered to the application's policy, and as `retired` what earlier scans remember.
    """
    app = case.subject
    some = held_by_principal(app) if is_managed_identity(app) else held(app)
    doors = tuple(live_doors(case))
    listed = {one.credential.key_id for one in doors}
    gone = (*(one for one in retired if one.key_id not in listed), *_expired(case))
    pairs, judged = Pairs(doors, gone, case.limits.overlap), _as_judged(case)
    rows = [_row(case, one, pairs, judged) for one in some if one.credential.is_live(case.at)]
    if not rows:
        return None
    rows.sort(key=_most_urgent_first)
    return Rotation(about_app(app), tuple(rows), _last_use(app), _hosts(case) if doors else ())


def _as_judged(case: Case[App]) -> dict[tuple[str, str], RotationState]:
    """What C9 and C10 say, so that a report never contradicts its findings."""
    states = {"C9": RotationState.SUPERSEDED, "C10": RotationState.STILL_USED}
    found = (finding for check in credential_use.CHECKS if check.check_id in states for finding in check.judge(case))
    return {
        (one.about.object_id, one.about.key_id): (
            RotationState.UNKNOWN if one.verdict is Verdict.UNKNOWN else states[one.check_id]
        )
        for one in found
    }


def _expired(case: Case[App]) -> Iterator[Retired]:
    """Those that are still listed and work no more."""
    for one in kept_by_people(case):
        if one.credential.ends_at is not None and not one.credential.is_live(case.at):
            yield Retired(one.credential.key_id, one.credential.kind, one.credential.starts_at, one.credential.ends_at)


def _row(
    case: Case[App], one: Held, pairs: Pairs, judged: Mapping[tuple[str, str], RotationState]
) -> CredentialRotation:
    credential = one.credential
    uses = case.subject.credential_uses
    newer, older, replaced = pairs.newer(one), pairs.older(one), pairs.replaced(one)
    days_left = _days_left(case, credential)
    reached = [stage for stage in case.limits.expiring if days_left is not None and days_left <= stage]
    state = RotationState.RENEWED
    if not (renews_itself(case.subject, credential) or is_managed_identity(case.subject)):
        state = judged.get((one.about.object_id, credential.key_id)) or _state(case, one, pairs)
    return CredentialRotation(
        one.about,
        credential.kind,
        state,
        _oldest(case.limits, credential.kind),
        days_left,
        min(reached, default=None),
        case.days_since(credential.starts_at) if credential.starts_at is not None else None,
        lifetime(credential, case.at).days
        if credential.ends_at is not None and credential.starts_at is not None
        else None,
        uses.value.get(credential.key_id) if isinstance(uses, Known) else None,
        newer[-1][1] if newer else "",
        (older[-1][1] if older else "") or (replaced.key_id if replaced is not None else ""),
        _superseded_days(case, credential, newer, replaced),
        -case.days_since(credential.ends_at) if credential.ends_at is not None else None,
    )


def _state(case: Case[App], one: Held, pairs: Pairs) -> RotationState:
    credential = one.credential
    days_left = _days_left(case, credential)
    if signs_tokens(credential):
        return _by_dates(case, credential, days_left) or RotationState.CURRENT
    newer = pairs.newer(one)
    if newer and case.days_since(newer[-1][0]) <= case.limits.overlap:
        return RotationState.ROTATING
    return (
        _by_dates(case, credential, days_left)  # also where a new one came, and nobody has taken it into use
        or (RotationState.ROTATING if newer or pairs.older(one) else None)
        or _by_proof(case.subject, credential, pairs.replaced(one))
    )


def _by_dates(case: Case[App], credential: Credential, days_left: int | None) -> RotationState | None:
    if days_left is not None and days_left < 0:
        return RotationState.OVERDUE
    if days_left is not None and days_left <= max(case.limits.expiring, default=0):
        return RotationState.DUE
    needed = credential.ends_at if signs_tokens(credential) else credential.starts_at
    return RotationState.UNKNOWN if needed is None else None


def _by_proof(app: App, credential: Credential, replaced: Retired | None) -> RotationState:
    if replaced is None:
        return RotationState.CURRENT
    if isinstance(app.credential_uses, Unknown):
        return RotationState.UNKNOWN
    return RotationState.ROTATED if credential.key_id in app.credential_uses.value else RotationState.ROTATING


def _days_left(case: Case[App], credential: Credential) -> int | None:
    """Days to its end or to the greatest age, whichever is nearer; negative when it is older than that."""
    ends = [-case.days_since(credential.ends_at)] if credential.ends_at is not None else []
    if credential.starts_at is not None and not signs_tokens(credential):
        ends.append(_oldest(case.limits, credential.kind) - case.days_since(credential.starts_at))
    return min(ends, default=None)


def _oldest(limits: Limits, kind: CredentialKind) -> int:
    longest = limits.max_secret_days if kind is CredentialKind.SECRET else limits.max_certificate_days
    return min(limits.rotate_after, longest)


def _superseded_days(
    case: Case[App], credential: Credential, newer: Sequence[Dated], replaced: Retired | None
) -> int | None:
    if newer:
        return max(case.days_since(newer[0][0]), 0)
    if replaced is None or credential.starts_at is None:
        return None
    return max((replaced.gone_at - credential.starts_at).days, 0)


def _last_use(app: App) -> Known[LastUse | None] | Unknown:
    if isinstance(app.credential_uses, Unknown):
        return app.credential_uses
    mine = {one.key_id for one in app.credentials}
    newest = max(((at, key_id) for key_id, at in app.credential_uses.value.items()), default=None)
    return Known(LastUse(newest[1], newest[0], newest[1] in mine) if newest is not None else None)


def _hosts(case: Case[App]) -> tuple[Host, ...]:
    """What says that a federated credential would do, as far as anybody can tell from here."""
    app, found = case.subject, []
    trusts = app.federated.value if isinstance(app.federated, Known) else ()
    if any(is_trusted(one.issuer, case.limits.trusted_issuers) for one in trusts):
        found.append(Host.ISSUER_KNOWN)
    tags = app.principal.tags if app.principal is not None else frozenset()
    redirects = (*app.application.web_redirects, *app.application.spa_redirects) if app.application is not None else ()
    is_there = any(host_of(uri).endswith(AZURE_HOSTS) for uri in redirects)
    if is_there or not AZURE_TAGS.isdisjoint(tag.casefold() for tag in tags):
        found.append(Host.ON_AZURE)
    return tuple(found)


def _most_urgent_first(row: CredentialRotation) -> tuple[int, int, str, str]:
    left = row.days_left if row.days_left is not None else 0
    return list(RotationState).index(row.state), left, row.about.object_id, row.about.key_id
