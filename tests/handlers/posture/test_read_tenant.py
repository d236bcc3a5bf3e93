from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.posture.estate_facts import HostAnswers, InCommon, OwnPolicy, Policy, Tenant
from shared.domain.posture.gateway_view import AuditEvent, TokenUse
from shared.domain.posture.inventory import Known, Unknown
from shared.errors import RejectedError, RetryLaterError, TetherError
from shared.handlers.read_tenant import TenantPorts, read_tenant

AT = datetime(2026, 9, 1, 6, tzinfo=UTC)
POLICY = Policy(True, 181, 366)
OWN = OwnPolicy(Policy(True, 31), frozenset({"max_secret_days"}), frozenset({"object-1"}))
CHANGE = AuditEvent(AT, "Add service principal credentials", "mallory", "object-1", "c-1")
COMMON = InCommon(
    Known(2), Known(frozenset({"p1"})), Known({"t": ("a", "b")}), Known(frozenset({"gone.example", "a.corp"}))
)
ASKED = Tenant("home", "Contoso", rotation_actors=frozenset({"rotator"}))


class Around:
    """Graph's policies and audit, and name servers; `failures` are raised by the name of what is asked."""

    def __init__(self) -> None:
        self.failures: dict[str, TetherError] = {}
        self.asked: dict[str, object] = {}

    @property
    def ports(self) -> TenantPorts:
        return TenantPorts(self, self, FakeAuditLog(self))

    async def app_management(self) -> Policy:
        self.note("policy", None)
        return POLICY

    async def own_app_management(self) -> tuple[OwnPolicy, ...]:
        self.note("own", None)
        return (OWN,)

    async def answers(self, hosts: Collection[str]) -> HostAnswers:
        self.note("names", sorted(hosts))
        return HostAnswers(frozenset(hosts), frozenset({"mute.example"}))

    def note(self, name: str, asked: object) -> None:
        self.asked[name] = asked
        if name in self.failures:
            raise self.failures[name]


class FakeAuditLog:
    """One change of credentials, and nothing else."""

    def __init__(self, around: Around) -> None:
        self._around = around

    async def credential_changes(self, since: datetime) -> tuple[AuditEvent, ...]:
        self._around.note("audit", since)
        return (CHANGE,)

    async def membership_changes(self, since: datetime, group_ids: Collection[str]) -> tuple[AuditEvent, ...]:
        raise NotImplementedError

    def tokens(self, since: datetime, resource_ids: Collection[str]) -> AsyncIterator[TokenUse]:
        raise NotImplementedError

    async def attributes(
        self, object_ids: Collection[str], blueprints: Collection[str]
    ) -> Mapping[str, frozenset[str]]:
        raise NotImplementedError


@pytest.fixture
def around() -> Around:
    return Around()


async def test_tenant_holds_what_was_read_and_what_the_operator_says(around: Around) -> None:
    tenant = await read_tenant(ASKED, COMMON, AT, around.ports)

    assert tenant == replace(
        ASKED,
        applications=Known(2),
        live_principals=Known(frozenset({"p1"})),
        shared_thumbprints=Known({"t": ("a", "b")}),
        policy=Known(POLICY),
        own_policies=Known((OWN,)),
        unresolved_hosts=Known(frozenset({"gone.example"})),
        unanswered_hosts=frozenset({"mute.example"}),
        credential_changes=Known({"object-1": (CHANGE,)}),
    )


async def test_hosts_of_private_zones_are_asked_of_nobody(around: Around) -> None:
    hosts = Known(frozenset({"a.corp", "b.in.contoso.example", "intranet", "c.contoso.example"}))
    asked = replace(ASKED, private_zones=frozenset({"in.contoso.example"}))

    await read_tenant(asked, replace(COMMON, redirect_hosts=hosts), AT, around.ports)

    assert around.asked["names"] == ["c.contoso.example"]


async def test_audit_is_read_as_far_back_as_entra_keeps_it(around: Around) -> None:
    await read_tenant(ASKED, COMMON, AT, around.ports)

    assert around.asked["audit"] == AT - timedelta(days=30)


@pytest.mark.parametrize("error", [RejectedError("graph-403"), RetryLaterError("graph-429")])
async def test_what_cannot_be_read_is_unknown_and_says_why_beside_the_rest(around: Around, error: TetherError) -> None:
    whole = await read_tenant(ASKED, COMMON, AT, around.ports)
    why = Unknown(str(getattr(error, "reason", "")))

    for name, lost in (
        ("policy", replace(whole, policy=why)),
        ("own", replace(whole, own_policies=why)),
        ("names", replace(whole, unresolved_hosts=why, unanswered_hosts=frozenset())),
        ("audit", replace(whole, credential_changes=why)),
    ):
        around.failures = {name: error}
        assert await read_tenant(ASKED, COMMON, AT, around.ports) == lost


async def test_nobody_is_asked_about_hosts_that_were_not_read(around: Around) -> None:
    why = Unknown("count-mismatch")

    tenant = await read_tenant(ASKED, InCommon(why, why, why, why), AT, around.ports)

    assert {tenant.applications, tenant.live_principals, tenant.shared_thumbprints, tenant.unresolved_hosts} == {why}
    assert "names" not in around.asked
