"""Classify findings: what operators wrote down is none of their risks, as long as whoever says so may say it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.domain.approval import Person
from shared.domain.identity_map import is_object_id
from shared.domain.posture.attestation import Role
from shared.domain.posture.exceptions import Classification, Declared, classify
from shared.domain.posture.finding import Finding, ObjectKind, Verdict
from shared.domain.posture.inventory import App, Known, Unknown
from shared.domain.posture.questions import owners_of
from shared.domain.posture.rules import PostureRules
from shared.errors import RejectedError
from shared.handlers.judge_role import Owners, role_of
from shared.ports import Directory, Ports

_OWNED_BY_NOBODY = frozenset({ObjectKind.TENANT, ObjectKind.GROUP, ObjectKind.CONNECTION})
_Behind = Mapping[str, Owners | None]


async def classify_findings(
    findings: Sequence[Finding], apps: Iterable[App], at: datetime, rules: PostureRules, ports: Ports
) -> tuple[Classification, ...]:
    """The classifications that count; of the others the people on duty hear why they do not.

    Applications are read only if anything was classified. Whoever left, left the approvers, or has come to own what
    the finding is about, is not believed any more. Raises `RetryLaterError` when Entra does not answer.
    """
    declared = {one.finding_id: one for one in rules.classified}
    found = [one for one in findings if one.verdict is Verdict.FAIL and one.finding_id in declared]
    if not found:
        return ()
    behind = _behind(apps, {one.about.object_id.lower() for one in found})
    counted: list[Classification] = []
    for finding in found:
        one, owners = declared[finding.finding_id], _owners(finding, behind)
        try:
            _refuse_future(one, at)
            counted.append(await _classified(finding, one, owners, rules.approvers, ports.directory))
        except RejectedError as error:
            ports.alerts.raise_alert("classification-refused", finding_id=finding.finding_id, because=error.reason)
    return tuple(counted)


async def _classified(
    finding: Finding, declared: Declared, owners: Owners | None, approvers: str, directory: Directory
) -> Classification:
    if owners is None:
        return classify(finding, declared.kind, Person(declared.by, ""), Unknown("owners-not-read"), declared.at)
    role, person = await role_of(Person(declared.by, declared.by), owners, approvers, directory)
    if role is Role.NOBODY:
        raise RejectedError("not-an-approver", declared.by)
    ids = owners.ids | {person.principal_id} if role is Role.OWNER else owners.ids
    return classify(finding, declared.kind, person, Known(ids), declared.at)


def _refuse_future(declared: Declared, at: datetime) -> None:
    """A day that is still to come would put the yearly question off."""
    if declared.at > at:
        raise RejectedError("classified-in-future", declared.at.isoformat())


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
