"""Coverage beside the scan: what else a report read, or would have: the gateway, Entra's logs, the policy, vaults."""

from collections.abc import Iterator
from typing import Any

from shared.domain.posture.coverage_block import SourceRead
from shared.domain.posture.estate_facts import Tenant
from shared.domain.posture.gateway_view import Estate
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.vault_judge import Vaulted


def sources_beside(
    tenant: Tenant, estate: Known[Estate] | Unknown, vaulted: Vaulted, *, has_resources: bool
) -> tuple[SourceRead, ...]:
    """Each of these sources; without resources nobody asks for their tokens."""
    policy = Known((tenant.policy.value,)) if isinstance(tenant.policy, Known) else tenant.policy
    return (
        _read("app-management-policy", policy),
        _read("policies-of-applications", tenant.own_policies),
        _read("credential-changes", tenant.credential_changes),
        _read("redirect-hosts", tenant.unresolved_hosts),
        *_at_gateway(estate, has_resources=has_resources),
        *(SourceRead(url, 0, None, why.reason) for url, why in sorted(vaulted.unread.items())),
    )


def _at_gateway(estate: Known[Estate] | Unknown, *, has_resources: bool) -> Iterator[SourceRead]:
    if isinstance(estate, Unknown):
        yield _read("gateway", estate)
        return
    seen = estate.value
    unseen = next((one.uses for one in seen.holders if isinstance(one.uses, Unknown)), None)
    users = Known([one for one in seen.holders if isinstance(one.uses, Known) and one.uses.value])
    yield _read("gateway", Known(seen.holders))
    yield _read("gateway-sessions", unseen or users)
    yield _read("membership-changes", seen.audits)
    if has_resources:
        yield _read("tokens-for-resources", seen.tokens)


def _read(name: str, found: Known[Any] | Unknown) -> SourceRead:
    return SourceRead(name, 0, None, found.reason) if isinstance(found, Unknown) else SourceRead(name, len(found.value))
