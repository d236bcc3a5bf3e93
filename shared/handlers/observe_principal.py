"""Observe: ask Graph what the decision needs, in parallel and each within its budget."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

from shared.domain.decision import Observation
from shared.domain.principals import AccountState, Hint, Principal, PrincipalChange, PrincipalKind
from shared.errors import RetryLaterError
from shared.ports import Directory

_Value = TypeVar("_Value")


async def observe_principal(
    change: PrincipalChange, principal: Principal, held: frozenset[str], directory: Directory, budget: float
) -> tuple[Observation, Principal | None]:
    """What Graph answered in time, and the principal as it is now when the account was read."""
    if change.hint is Hint.REMOVED_FROM_GROUP and change.group_id is not None:
        direct, transitive, reached = await asyncio.gather(
            _in_time(_direct_groups(directory, change, principal), budget),
            _memberships(directory, principal.principal_id, held, budget),
            _reached(directory, change.group_id, held, budget),
        )
        return Observation(direct=direct, transitive=transitive, reached=reached), None
    described, transitive = await asyncio.gather(
        _in_time(_describe(directory, principal), budget),
        _memberships(directory, principal.principal_id, held, budget),
    )
    account = AccountState.UNKNOWN if described is None else described.state
    return Observation(account=account, transitive=transitive), described


async def _direct_groups(directory: Directory, change: PrincipalChange, principal: Principal) -> frozenset[str]:
    """The groups of whom the hint is about: the principal, or the nested group that it is in."""
    if change.via is not None:
        return await directory.direct_groups(change.via, PrincipalKind.GROUP)
    return await directory.direct_groups(principal.principal_id, principal.kind)


async def find_holders(emails: frozenset[str], directory: Directory, budget: float) -> Mapping[str, frozenset[str]]:
    """The ids of the live users who carry each address; nobody, when Graph gives no answer in time."""
    found = await _in_time(directory.find_users(sorted(emails)), budget) if emails else None
    users = {email: [user for user in each if not user.state.is_shut] for email, each in (found or {}).items()}
    return {email: frozenset(user.principal_id for user in each) for email, each in users.items()}


async def _describe(directory: Directory, principal: Principal) -> Principal:
    found = await directory.describe(principal.principal_id, principal.kind)
    return found or Principal(principal.principal_id, principal.kind, AccountState.DELETED)


async def _memberships(
    directory: Directory, principal_id: str, groups: frozenset[str], budget: float
) -> frozenset[str] | None:
    return await _in_time(directory.memberships(principal_id, groups), budget) if groups else groups


async def _reached(directory: Directory, group_id: str, held: frozenset[str], budget: float) -> frozenset[str] | None:
    """The governed groups that a group stands for or is nested in; itself for certain, whatever Graph answers."""
    above = await _memberships(directory, group_id, held - {group_id}, budget)
    if group_id in held:
        return (above or frozenset()) | {group_id}
    return above


async def _in_time(answer: Awaitable[_Value], budget: float) -> _Value | None:
    try:
        async with asyncio.timeout(budget):
            return await answer
    except (TimeoutError, RetryLaterError):
        return None
