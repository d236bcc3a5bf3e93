"""Gateway catalogue: every check of the gateway by its id, and what they say together about the estate."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from shared.domain.posture.catalogue import check_order
from shared.domain.posture.check import Case, Check
from shared.domain.posture.checks import gateway
from shared.domain.posture.checks.saying import for_object
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.gateway_view import Estate
from shared.domain.posture.limits import Limits

ESTATE_CHECKS: Mapping[str, Check[Estate]] = MappingProxyType(
    {one.check_id: one for one in sorted(gateway.CHECKS, key=lambda one: check_order(one.check_id))}
)


def judge_estate(estate: Estate, at: datetime, limits: Limits) -> tuple[Finding, ...]:
    """What every check says about the gateway, by check, object and connection. What was not read is unknown."""
    case = Case(estate, at, limits)
    found = (_complete(finding, check.fix) for check in ESTATE_CHECKS.values() for finding in check.judge(case))
    return tuple(sorted(found, key=_place))


def _complete(finding: Finding, fix: str) -> Finding:
    template = (finding.fix or fix) if finding.verdict is Verdict.FAIL else ""
    return replace(finding, fix=for_object(template, finding.about))


def _place(finding: Finding) -> tuple[tuple[str, int], str, str, str]:
    about = finding.about
    return check_order(finding.check_id), about.kind, about.object_id, about.key_id
