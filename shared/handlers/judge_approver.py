"""Judge an approver: what somebody may answer, read from Entra at this moment and never from memory."""

import asyncio
from collections.abc import Collection, Mapping

from shared.domain.approval import Approval, Choice
from shared.domain.click import Clicker
from shared.domain.principals import Principal, PrincipalKind
from shared.domain.routes import ApprovalRoutes
from shared.errors import RejectedError
from shared.handlers.open_approval import resolved_routes
from shared.ports import ApprovalRules, Ports


async def judge_approver(person_id: str, groups: Collection[str], ports: Ports, asking: ApprovalRules) -> Clicker:
    """The person with the reviewer groups, of `groups`, for which they may answer now.

    Raises:
        RejectedError: `not-an-approver` when Entra does not know the person.
        RetryLaterError: Entra cannot be asked; nobody is entitled then.
    """
    routes = await resolved_routes(ports, asking)
    approvers = _approver_groups(groups, routes)
    forcing = routes.approver_group(routes.break_glass) if routes.break_glass is not None else None
    wanted = {*approvers.values(), *filter(None, (forcing,))}
    principal, held = await asyncio.gather(
        ports.directory.describe(person_id, PrincipalKind.USER), _memberships(person_id, wanted, ports)
    )
    if principal is None:
        raise RejectedError("not-an-approver", "Entra does not know this person")
    entitled = tuple(group for group in groups if approvers.get(group) in held)
    return Clicker(principal, entitled, forcing is not None and forcing in held)


async def read_voters(approval: Approval, ports: Ports, asking: ApprovalRules) -> Mapping[str, Clicker]:
    """Those whose votes are not effective yet, by object id, with the groups for which they may answer now."""
    waiting = [vote for vote in approval.votes if vote.choice is Choice.APPROVE and not vote.applied]
    if not waiting:
        return {}
    ids = [vote.approver.principal_id for vote in waiting]
    approvers = _approver_groups({g for vote in waiting for g in vote.groups}, await resolved_routes(ports, asking))
    described, held = await asyncio.gather(
        ports.directory.describe_many([Principal(one, PrincipalKind.USER) for one in ids]),
        ports.directory.memberships_of_many({one: list(approvers.values()) for one in ids}),
    )
    return {
        one: Clicker(described[one], tuple(group for group, of in approvers.items() if of in held[one]))
        for one in ids
        if one in described
    }


def _approver_groups(groups: Collection[str], routes: ApprovalRoutes) -> dict[str, str]:
    """The Entra group behind each reviewer group; a group that nobody stands behind is left out."""
    found = {group: routes.approver_group(route) for group in groups if (route := routes.route_for(group)) is not None}
    return {group: entra_group for group, entra_group in found.items() if entra_group}


async def _memberships(person_id: str, groups: Collection[str], ports: Ports) -> frozenset[str]:
    return await ports.directory.memberships(person_id, groups) if groups else frozenset()
