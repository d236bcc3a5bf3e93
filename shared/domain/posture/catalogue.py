"""Catalogue: every check by its id, and what they say together about an application and about the tenant."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from shared.domain.posture.check import Case, Check
from shared.domain.posture.checks import (
    credential_place,
    credential_use,
    credentials,
    exposure,
    federation,
    in_tenant,
    ownership,
    privilege,
    tenant_policy,
    usage,
)
from shared.domain.posture.checks.saying import for_object
from shared.domain.posture.checks.traits import contacts
from shared.domain.posture.estate_facts import AppInTenant, Tenant
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.inventory import App
from shared.domain.posture.limits import Limits

Subject = TypeVar("Subject")
NOTHING_KNOWN = Tenant()


def check_order(check_id: str) -> tuple[str, int]:
    """The order in which people number checks: C2 before C10."""
    return check_id[:1], int(check_id[1:])


def _by_id(checks: Iterable[Check[Subject]]) -> Mapping[str, Check[Subject]]:
    return MappingProxyType({one.check_id: one for one in sorted(checks, key=lambda one: check_order(one.check_id))})


ALL_APP_CHECKS: Mapping[str, Check[App]] = _by_id(
    (
        *usage.CHECKS,
        *ownership.CHECKS,
        *credentials.CHECKS,
        *credential_use.CHECKS,
        *credential_place.CHECKS,
        *federation.CHECKS,
        *privilege.CHECKS,
        *exposure.CHECKS,
    )
)
IN_TENANT_CHECKS: Mapping[str, Check[AppInTenant]] = _by_id(in_tenant.CHECKS)
TENANT_CHECKS: Mapping[str, Check[Tenant]] = _by_id(tenant_policy.CHECKS)


def judge_app(app: App, at: datetime, limits: Limits, tenant: Tenant = NOTHING_KNOWN) -> tuple[Finding, ...]:
    """What every check says about it, by check, object and key. What the tenant does not know is unknown."""
    alone = _judge(ALL_APP_CHECKS, Case(app, at, limits))
    beside = _judge(IN_TENANT_CHECKS, Case(AppInTenant(app, tenant), at, limits))
    found = [*alone, *beside]
    if not found:
        return ()
    owners, principal_id = contacts(app), app.principal.object_id if app.principal is not None else ""
    return _sorted(_complete(finding, fix, principal_id, owners) for fix, finding in found)


def judge_tenant(tenant: Tenant, at: datetime, limits: Limits) -> tuple[Finding, ...]:
    """What the checks of the tenant as a whole say. Give the limits as set, not as lowered to its policy."""
    found = _judge(TENANT_CHECKS, Case(tenant, at, limits))
    return _sorted(_complete(finding, fix) for fix, finding in found)


def _judge(checks: Mapping[str, Check[Subject]], case: Case[Subject]) -> Iterator[tuple[str, Finding]]:
    for check in checks.values():
        for finding in check.judge(case):
            yield check.fix, finding


def _complete(finding: Finding, fix: str, principal_id: str = "", owners: tuple[str, ...] = ()) -> Finding:
    """With who should hear, and for a failure the call that would mend it."""
    fix = for_object(finding.fix or fix, finding.about, principal_id) if finding.verdict is Verdict.FAIL else ""
    return replace(finding, fix=fix, owners=finding.owners or owners)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One for each id, the worst where two meet, in an order that does not depend on the reading."""
    ranked = sorted(findings, key=lambda one: (one.verdict is Verdict.FAIL, one.severity, one.facts, one.says))
    worst = {one.finding_id: one for one in ranked}
    return tuple(sorted(worst.values(), key=_place))


def _place(finding: Finding) -> tuple[tuple[str, int], str, str, str]:
    about = finding.about
    return check_order(finding.check_id), about.kind, about.object_id, about.key_id
