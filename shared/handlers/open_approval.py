"""Open an approval: what Tether has to know about a review before anybody is asked."""

import asyncio
from dataclasses import replace

from shared.domain.approval import Approval, Person
from shared.domain.identity_map import is_object_id
from shared.domain.principals import PrincipalKind
from shared.domain.reviews import GatewaySession, Question
from shared.domain.routes import ApprovalRoutes, Route, Timing
from shared.handlers.identify_requester import identify_requester
from shared.ports import ApprovalRules, Ports, Rules

EXCERPT = 2000
MOST_APPROVERS = 21


async def open_approval(question: Question, ports: Ports, rules: Rules, asking: ApprovalRules) -> Approval:
    """A new approval, not stored yet: who asks, which groups are asked where, and until when."""
    review, session = question.review, question.session
    routes = await resolved_routes(ports, asking)
    groups = tuple(row.group for row in review.groups)
    asked = [route for group in groups if (route := routes.route_for(group)) is not None]
    requester, personal, mentions, titles = await asyncio.gather(
        identify_requester(question, ports, rules),
        _personal(asked, routes, ports),
        _mentions(asked, ports),
        _titles(groups, ports),
    )
    expire_after = min((route.timing.expire_after for route in asked), default=Timing().expire_after)
    approval = Approval(
        review.review_id,
        review.session_id,
        review.type,
        session.connection,
        review.duration,
        requester,
        groups,
        review.needed,
        review.created_at,
        review.created_at + expire_after,
        answered=tuple(sorted(review.approved)),
        titles=titles,
        unasked=tuple(group for group in groups if not _can_be_asked(group, routes)),
        personal=tuple(person for person in personal if person not in requester.own_ids),
        mentions=tuple(person for person in mentions if person.principal_id not in requester.own_ids),
    )
    return with_input(approval, session)


def with_input(approval: Approval, session: GatewaySession) -> Approval:
    """The approval of this command."""
    return replace(
        approval,
        excerpt=session.input[:EXCERPT],
        input_size=len(session.input),
        input_digest=session.input_digest,
    )


async def resolved_routes(ports: Ports, asking: ApprovalRules) -> ApprovalRoutes:
    """The routes with the object ids of their approver groups, as Entra says now."""
    names = asking.routes.display_names
    return asking.routes.resolved(await ports.directory.group_ids(names)) if names else asking.routes


def _can_be_asked(group: str, routes: ApprovalRoutes) -> bool:
    """Whether the group has a route, and that one names a group which Entra knows."""
    route = routes.route_for(group)
    return route is not None and routes.approver_group(route) is not None


async def _personal(asked: list[Route], routes: ApprovalRoutes, ports: Ports) -> tuple[str, ...]:
    holders: dict[str, None] = {}
    for route in asked:
        group = routes.approver_group(route)
        if route.personal_cards and group is not None:
            people = await ports.directory.members(group, MOST_APPROVERS)
            holders |= dict.fromkeys(route.personal_card_holders([person.principal_id for person in people]))
    return tuple(holders)


async def _titles(groups: tuple[str, ...], ports: Ports) -> tuple[tuple[str, str], ...]:
    """What people call the groups that the gateway knows by object id only."""
    by_id = [group for group in groups if is_object_id(group)]
    found = await asyncio.gather(*(ports.directory.describe(group, PrincipalKind.GROUP) for group in by_id))
    return tuple((group, one.display_name) for group, one in zip(by_id, found, strict=True) if one and one.display_name)


async def _mentions(asked: list[Route], ports: Ports) -> tuple[Person, ...]:
    ids = dict.fromkeys(person for route in asked for person in route.mention)
    found = await asyncio.gather(*(ports.directory.describe(one, PrincipalKind.USER) for one in ids))
    return tuple(
        Person(one.principal_id, one.display_name) for one in found if one is not None and not one.state.is_shut
    )
