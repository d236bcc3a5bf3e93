"""Made-up principals, gateway identities and policies that the tests of the domain speak about."""

from datetime import UTC, datetime, timedelta

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef
from shared.domain.plan import Circumstances, Guards
from shared.domain.principals import Hint, Principal, PrincipalChange, PrincipalKind, Source
from shared.domain.reach import AccessPolicy

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = "cccccccc-0000-4000-8000-000000000001"
SYNC = "cccccccc-0000-4000-8000-0000000000a1"
TEAM = "bbbbbbbb-0000-4000-8000-000000000001"
OTHER_TEAM = "bbbbbbbb-0000-4000-8000-000000000002"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def names(*each: str) -> frozenset[str]:
    return frozenset(each)


def user(*groups: str, key: str = "sub-ada", status: str = "active", email: str = "ada@example.com") -> GatewayIdentity:
    ref = IdentityRef(IdentityKind.USER, key)
    return GatewayIdentity(ref, key, "Ada", status, frozenset(groups), email)


def service_account(*groups: str, key: str = SYNC, status: str = "active") -> GatewayIdentity:
    return GatewayIdentity(IdentityRef(IdentityKind.SERVICE_ACCOUNT, key), key, "sync", status, frozenset(groups))


def api_key(*groups: str, key: str = "key-1", name: str = "worker", status: str = "active") -> GatewayIdentity:
    return GatewayIdentity(IdentityRef(IdentityKind.API_KEY, key), key, name, status, frozenset(groups))


def ai_agent(*groups: str, key: str = "agent-1", name: str = "triage") -> GatewayIdentity:
    return GatewayIdentity(IdentityRef(IdentityKind.AI_AGENT, key), key, name, "active", frozenset(groups))


def machine_identity(*connections: str, attributes: frozenset[str] = frozenset()) -> GatewayIdentity:
    ref = IdentityRef(IdentityKind.MACHINE_IDENTITY, "etl")
    status = "active" if connections or attributes else "inactive"
    return GatewayIdentity(ref, "mi-1", "etl", status, connections=frozenset(connections), attributes=attributes)


def ada(*emails: str, principal_id: str = ADA, kind: PrincipalKind = PrincipalKind.USER) -> Principal:
    return Principal(principal_id, kind, emails=frozenset(emails))


def change(hint: Hint = Hint.CHANGED, group_id: str | None = None) -> PrincipalChange:
    return PrincipalChange(ADA, Source.NOTIFICATION, NOW, "c-1", hint=hint, group_id=group_id)


def policy(**groups_of_connection: frozenset[str]) -> AccessPolicy:
    return AccessPolicy(
        enforced=True, connections=frozenset(groups_of_connection), groups_of_connection=groups_of_connection
    )


def under(access: AccessPolicy, guards: Guards | None = None) -> Circumstances:
    return Circumstances(access, guards or Guards(), NOW)
