"""Read tenant: what one application alone cannot say: the policies, the names of redirects, who changed credentials."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from shared.domain.posture.checks.redirects import is_private
from shared.domain.posture.estate_facts import HostAnswers, InCommon, OwnPolicy, Policy, Tenant, credential_changes
from shared.domain.posture.gateway_view import AuditEvent
from shared.domain.posture.inventory import Known, Unknown
from shared.errors import RejectedError, RetryLaterError
from shared.ports.posture import AuditLog, NameServers, TenantPolicies

AUDITED = timedelta(days=30)
"""How far back Entra keeps its audit."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class TenantPorts:
    """Everything outside that the tenant as a whole is known by."""

    policies: TenantPolicies
    names: NameServers
    audit: AuditLog


async def read_tenant(asked: Tenant, common: InCommon, at: datetime, ports: TenantPorts) -> Tenant:
    """The tenant with all that could be read; `asked` holds what the operator says of it.

    What was refused or did not come is unknown and says why; nothing is raised for it. Hosts of private zones are
    asked of nobody.
    """
    async with asyncio.TaskGroup() as group:
        policy = group.create_task(known(ports.policies.app_management()))
        own = group.create_task(known(ports.policies.own_app_management()))
        hosts = group.create_task(_answers(asked, common, ports.names))
        changes = group.create_task(known(ports.audit.credential_changes(at - AUDITED)))
    return _tenant(asked, common, policy.result(), own.result(), hosts.result(), changes.result())


def _tenant(  # noqa: PLR0913, PLR0917 - one for each thing that is read
    asked: Tenant,
    common: InCommon,
    policy: Known[Policy] | Unknown,
    own_policies: Known[tuple[OwnPolicy, ...]] | Unknown,
    hosts: Known[HostAnswers] | Unknown,
    changes: Known[tuple[AuditEvent, ...]] | Unknown,
) -> Tenant:
    return replace(
        asked,
        applications=common.applications,
        live_principals=common.live_principals,
        shared_thumbprints=common.shared_thumbprints,
        policy=policy,
        own_policies=own_policies,
        unresolved_hosts=Known(hosts.value.unresolved) if isinstance(hosts, Known) else hosts,
        unanswered_hosts=hosts.value.unanswered if isinstance(hosts, Known) else frozenset(),
        credential_changes=credential_changes(changes),
    )


async def _answers(asked: Tenant, common: InCommon, names: NameServers) -> Known[HostAnswers] | Unknown:
    if isinstance(common.redirect_hosts, Unknown):
        return common.redirect_hosts
    public = {host for host in common.redirect_hosts.value if not is_private(host, asked.private_zones)}
    return await known(names.answers(public))


async def known(reading: Awaitable[Value]) -> Known[Value] | Unknown:
    """What was read, or why it was not."""
    try:
        return Known(await reading)
    except (RejectedError, RetryLaterError) as error:
        return Unknown(error.reason)
