"""Made-up agents, people, groups and sessions at a gateway, in order until told otherwise."""

from dataclasses import replace
from typing import Any, TypeAlias

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef
from shared.domain.posture.finding import Finding, Verdict
from shared.domain.posture.gateway_catalogue import judge_estate
from shared.domain.posture.gateway_view import AuditEvent, Estate, Holder, Overlap, TaskGroup, TokenUse, Use
from shared.domain.posture.inventory import Known
from shared.domain.posture.limits import Limits
from shared.domain.principals import AccountState, Principal, PrincipalKind
from tests.domain.posture.apps import AT, ago, ahead

Changed: TypeAlias = Any
AGENT, PERSON = "aaaaaaaa-0000-4000-8000-00000000000a", "cccccccc-0000-4000-8000-00000000000c"
INVOICES, PAYROLL = "eeeeeeee-0000-4000-8000-000000000001", "eeeeeeee-0000-4000-8000-000000000002"
BLUEPRINT, DATABASE = "blueprint-1", "resource-1"


def agent(**more: Changed) -> Principal:
    alive: dict[str, Changed] = {"state": AccountState.ENABLED, "display_name": "invoice-agent", "app_id": "app-1"}
    return Principal(AGENT, PrincipalKind.SERVICE_PRINCIPAL, **(alive | {"blueprint_id": BLUEPRINT} | more))


def person(**more: Changed) -> Principal:
    emails = frozenset({"ada@contoso.example"})
    alive: dict[str, Changed] = {"state": AccountState.ENABLED, "display_name": "Ada", "emails": emails}
    return Principal(PERSON, PrincipalKind.USER, **(alive | more))


def identity(kind: IdentityKind = IdentityKind.SERVICE_ACCOUNT, key: str = AGENT, **more: Changed) -> GatewayIdentity:
    active: dict[str, Changed] = {"status": "active", "groups": frozenset({"invoices"})}
    return GatewayIdentity(IdentityRef(kind, key), key, key, **(active | more))


def used(
    opened: float, ended: float | None = -1, connection: str = "pg", source: str = "10.0.0.1", **more: Changed
) -> Use:
    """Opened and ended so many days ago; ended an hour later unless said, `None` for still live."""
    end = None if ended is None else ago(opened - 1 / 24 if ended == -1 else ended)
    return Use(connection, ago(opened), end, source, **more)


def holder(*uses: Use, **more: Changed) -> Holder:
    """An agent that opened its one connection yesterday and a month ago, and has been able to for 200 days."""
    good: dict[str, Changed] = {
        "identity": identity(),
        "principal": agent(),
        "task_groups": Known(frozenset({INVOICES})),
        "reach": {"pg": frozenset({"invoices"})},
        "uses": Known(uses or (used(1), used(30))),
        "granted_at": {"pg": ago(200)},
    }
    return Holder(**(good | more))


def user(**more: Changed) -> Holder:
    good: dict[str, Changed] = {
        "identity": identity(IdentityKind.USER, "ada"),
        "principal": person(),
        "task_groups": Known(frozenset({PAYROLL})),
    }
    return holder(**(good | more))


def task_group(group_id: str = INVOICES, **more: Changed) -> TaskGroup:
    good: dict[str, Changed] = {
        "name": "invoices" if group_id == INVOICES else "payroll",
        "connections": frozenset({"pg"}),
        "promised": frozenset({"pg"}),
        "member_count": 2,
        "owner_count": 1,
        "created_at": ago(400),
    }
    return TaskGroup(group_id, **(good | more))


HEALTHY = Estate(
    (),
    (task_group(), task_group(PAYROLL)),
    frozenset({"pg", "s3"}),
    ago(400),
    Known(()),
    Known(()),
    protected={DATABASE: "pg"},
    attributes=Known({BLUEPRINT: frozenset({"Engineering"})}),
)


def estate(*holders: Holder, **more: Changed) -> Estate:
    return replace(HEALTHY, holders=holders, **more)


def added(member: str = AGENT, group_id: str = INVOICES, days_ago: float = 3, **more: Changed) -> AuditEvent:
    good: dict[str, Changed] = {"activity": "Add member to group", "actor": "mallory", "correlation_id": "c-1"}
    return AuditEvent(ago(days_ago), target_id=member, details={"group_id": group_id}, **(good | more))


def token(minutes_ago: float, **more: Changed) -> TokenUse:
    good: dict[str, Changed] = {"principal_id": AGENT, "resource_id": DATABASE, "source": "10.0.0.1"}
    return TokenUse(at=ago(minutes_ago / 1440), **(good | more))


def overlap(days_left: float, *group_ids: str) -> Overlap:
    return Overlap(AGENT, frozenset(group_ids), ahead(days_left))


def findings(one: Estate, *check_ids: str, limits: Limits | None = None) -> list[Finding]:
    found = judge_estate(one, AT, limits or Limits())
    return [finding for finding in found if not check_ids or finding.check_id in check_ids]


def said(one: Estate, check_id: str) -> list[str]:
    return [_word(finding) for finding in findings(one, check_id)]


def fact(finding: Finding, label: str) -> str:
    return dict(finding.facts)[label]


def _word(finding: Finding) -> str:
    return fact(finding, "missing") if finding.verdict is Verdict.UNKNOWN else finding.severity.word
