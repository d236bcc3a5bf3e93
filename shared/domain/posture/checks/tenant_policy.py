"""Tenant policy: what the tenant itself would let through."""

from collections.abc import Iterator

from shared.domain.posture.check import Case, Check, unknown
from shared.domain.posture.checks.saying import READ_POLICIES, day, fails
from shared.domain.posture.estate_facts import Tenant
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity
from shared.domain.posture.inventory import Unknown


def _policy_gap(case: Case[Tenant]) -> Iterator[Finding]:
    tenant, limits = case.subject, case.limits
    about = About(ObjectKind.TENANT, tenant.tenant_id, tenant.name)
    if isinstance(tenant.policy, Unknown):
        yield unknown("C18", about, tenant.policy)
        return
    policy = tenant.policy.value
    gaps = []
    if not policy.enabled:
        gaps.append("the policy is off")
    if not policy.blocks_secrets and _allows_more(policy.max_secret_days, limits.max_secret_days):
        gaps.append(f"secrets may live longer than {limits.max_secret_days} days")
    if _allows_more(policy.max_certificate_days, limits.max_certificate_days):
        gaps.append(f"certificates may live longer than {limits.max_certificate_days} days")
    if not policy.blocks_custom_secrets:
        gaps.append("secrets may be chosen by hand")
    if gaps:
        bound = f"from {day(policy.binds_after)}" if policy.binds_after is not None else "of any age"
        facts = (("gaps", "; ".join(gaps)), ("binds applications", bound))
        yield fails(
            "C18", about, Severity.MEDIUM, "The tenant lets credentials through that its limits forbid.", *facts
        )


def _allows_more(policy: int | None, limit: int) -> bool:
    """Whether longer lives than the limit pass; Entra wants less than its number, so one more is the same."""
    return policy is None or policy > limit + 1


CHECKS: tuple[Check[Tenant], ...] = (
    Check(
        "C18",
        "The tenant's policy leaves gaps",
        Severity.MEDIUM,
        "The default app management policy is off, allows longer lives than the limits, or secrets chosen by hand.",
        "GET /policies/defaultAppManagementPolicy",
        READ_POLICIES,
        "It binds only what is added later. Entra wants less than its number: 181 for 180 days, 366 for 365",
        'PATCH /policies/defaultAppManagementPolicy {"isEnabled": true, "applicationRestrictions": {…}}; '
        "the old body takes it back",
        _policy_gap,
        ("max_secret_days", "max_certificate_days"),
        ("SCuBA MS.AAD.5.5", "SCuBA MS.AAD.5.6", "SCuBA MS.AAD.5.7", "CIS M365 5.1.5.3-6"),
    ),
)
