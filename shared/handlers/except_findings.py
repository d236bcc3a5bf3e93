"""Except findings: risks that operators wrote down as borne, or as none, while whoever says so may say it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.domain.approval import Person
from shared.domain.identity_map import is_object_id
from shared.domain.posture.attestation import Role
from shared.domain.posture.exceptions import (
    Declared,
    DeclaredRisk,
    Exemption,
    Tier,
    accept,
    classify,
    is_tier_0,
)
from shared.domain.posture.finding import Finding, ObjectKind, Verdict
from shared.domain.posture.inventory import App, Known, Unknown
from shared.domain.posture.questions import owners_of
from shared.domain.posture.rules import PostureRules
from shared.errors import RejectedError
from shared.handlers.judge_role import Owners, role_of
from shared.ports import Directory, Ports

_OWNED_BY_NOBODY = frozenset({ObjectKind.TENANT, ObjectKind.GROUP, ObjectKind.CONNECTION})
_Behind = Mapping[str, Owners | None]


async def except_findings(
    findings: Sequence[Finding], apps: Iterable[App], at: datetime, rules: PostureRules, ports: Ports
) -> tuple[Exemption, ...]:
    """The acceptances and classifications that count; of the others the people on duty hear why they do not.

    Applications are read only if anything was written down. Whoever left, left the approvers, or has come to own what
    the finding is about, is not believed any more. Raises `RetryLaterError` when Entra does not answer.
    """
    written: tuple[Declared | DeclaredRisk, ...] = (*rules.classified, *rules.accepted)
    declared = {one.finding_id: one for one in written}
    found = [one for one in findings if one.verdict is Verdict.FAIL and one.finding_id in declared]
    if not found:
        return ()
    behind = _behind(apps, {one.about.object_id.lower() for one in found})
    tier_0 = {one.about.object_id for one in findings if is_tier_0(one)}
    counted: list[Exemption] = []
    for finding in found:
        one, owners = declared[finding.finding_id], _owners(finding, behind)
        tier = Tier.TIER_0 if finding.about.object_id in tier_0 else Tier.OTHER
        try:
            _refuse_future(one, at)
            person, known = await _said_by(one.by, owners, rules.approvers, ports.directory)
            counted.append(_excepted(finding, one, person, known, tier))
        except RejectedError as error:
            ports.alerts.raise_alert(_refused(one), finding_id=finding.finding_id, because=error.reason)
    return tuple(counted)


async def _said_by(
    by: str, owners: Owners | None, approvers: str, directory: Directory
) -> tuple[Person, Known[frozenset[str]] | Unknown]:
    """Whoever said so, as Entra calls them, and who owns what it is about."""
    if owners is None:
        return Person(by, ""), Unknown("owners-not-read")
    role, person = await role_of(Person(by, by), owners, approvers, directory)
    if role is Role.NOBODY:
        raise RejectedError("not-an-approver", by)
    return person, Known(owners.ids | {person.principal_id} if role is Role.OWNER else owners.ids)


def _excepted(
    finding: Finding,
    declared: Declared | DeclaredRisk,
    person: Person,
    owners: Known[frozenset[str]] | Unknown,
    tier: Tier,
) -> Exemption:
    if isinstance(declared, Declared):
        return classify(finding, declared.kind, person, owners, declared.at)
    return accept(declared.covered(finding), person, declared.terms, owners, tier)


def _refuse_future(declared: Declared | DeclaredRisk, at: datetime) -> None:
    """A day that is still to come would put the next question off."""
    if declared.at > at:
        raise RejectedError("said-in-future", declared.at.isoformat())


def _refused(declared: Declared | DeclaredRisk) -> str:
    return "classification-refused" if isinstance(declared, Declared) else "acceptance-refused"


def _owners(finding: Finding, behind: _Behind) -> Owners | None:
    """Who answers for what a finding is about: a person at the gateway for themselves; `None` when nobody knows."""
    about = finding.about
    if about.object_id.lower() in behind:
        return behind[about.object_id.lower()]
    if about.kind in _OWNED_BY_NOBODY:
        return Owners(frozenset())
    is_person = about.kind is ObjectKind.GATEWAY_IDENTITY and is_object_id(about.object_id)
    return Owners(frozenset({about.object_id.lower()})) if is_person else None


def _behind(apps: Iterable[App], wanted: set[str]) -> _Behind:
    """By object id, of the registration and of the principal."""
    found: dict[str, Owners | None] = {}
    for app in apps:
        ids = {one.object_id.lower() for one in (app.application, app.principal) if one is not None}
        if not ids.isdisjoint(wanted):
            owners, groups = owners_of(app)
            found |= dict.fromkeys(ids, Owners(owners, groups) if owners is not None else None)
    return found
