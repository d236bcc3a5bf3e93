"""Identify whom a message is about, from memory if we met, from Entra if not."""

from dataclasses import replace

from shared.domain.gateway import IdentityKind, IdentityRef, Roster
from shared.domain.identity_map import IdentityMap
from shared.domain.principals import AccountState, Principal, PrincipalChange, PrincipalKind
from shared.domain.records import PrincipalRecord
from shared.errors import RetryLaterError
from shared.ports import Ports, Rules


async def identify_principal(change: PrincipalChange, record: PrincipalRecord, ports: Ports) -> Principal | None:
    """The principal, or `None` when neither Tether, Entra nor the gateway knows the id."""
    if record.facts is not None:
        return record.facts
    if change.kind is PrincipalKind.GROUP:
        return Principal(change.principal_id, PrincipalKind.GROUP)
    described = await ports.directory.describe(change.principal_id, change.kind)
    if described is None and _is_account(change.principal_id, await ports.gateway.roster()):
        return Principal(change.principal_id, PrincipalKind.SERVICE_PRINCIPAL, AccountState.DELETED)
    return described


def recognisable(now: Principal, before: Principal, roster: Roster) -> Principal:
    """The principal as read now, with all that the gateway may still know it by.

    Entra forgets the addresses of those who are gone or renamed; the gateway learns a new one at the next sign-in only.
    """
    still_used = before.emails & roster.users_by_email.keys()
    return replace(
        now,
        emails=(now.emails or before.emails) | still_used,
        app_id=now.app_id or before.app_id,
        blueprint_id=now.blueprint_id or before.blueprint_id,
    )


async def resolve_map(ports: Ports, rules: Rules) -> tuple[IdentityMap, bool]:
    """The identity map with its display names resolved, and whether Graph answered about all of them."""
    names = rules.identity_map.display_names
    if not names:
        return rules.identity_map, True
    try:
        return rules.identity_map.resolved(await ports.directory.group_ids(names)), True
    except RetryLaterError:
        return rules.identity_map, False


def _is_account(principal_id: str, roster: Roster) -> bool:
    return IdentityRef(IdentityKind.SERVICE_ACCOUNT, principal_id) in roster.by_ref
