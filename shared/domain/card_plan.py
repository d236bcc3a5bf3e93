"""Card plan: which copies of a card an approval wants now."""

from collections.abc import Iterator

from shared.domain.approval import Approval, Choice
from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.principals import PrincipalKind
from shared.domain.routes import ApprovalRoutes, Route

DONE = "done"
# A sponsor may be a group of everybody.
MOST_TOLD = 20


def wanted_copies(approval: Approval, routes: ApprovalRoutes) -> tuple[CopySpec, ...]:
    """Every copy, each once: channels first, then people, reminders, security, and whoever asked."""
    asked = tuple(route for group in approval.groups if (route := routes.route_for(group)) is not None)
    specs = (
        *_to_approvers(approval, asked),
        *_reminders(approval, asked),
        *_to_security(approval, routes),
        *_to_requester(approval),
    )
    return tuple(dict.fromkeys(specs))


def answers_of(audience: Audience, routes: ApprovalRoutes) -> tuple[str, ...]:
    """What a card for this audience lets people answer: a token is good for these answers only."""
    if audience is Audience.REQUESTER:
        return (DONE,)
    if audience is not Audience.APPROVERS:
        return ()
    choices = (Choice.APPROVE, Choice.DENY)
    return (*choices, Choice.BREAK_GLASS) if routes.break_glass else choices


def _to_approvers(approval: Approval, asked: tuple[Route, ...]) -> Iterator[CopySpec]:
    for route in asked:
        yield CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, route.channel))
    for person in approval.personal:
        yield CopySpec(Audience.APPROVERS, Place(PlaceKind.PERSON, person))
    if approval.escalated:
        for channel in filter(None, (route.escalation_channel for route in asked)):
            yield CopySpec(Audience.APPROVERS, Place(PlaceKind.CHANNEL, channel))


def _reminders(approval: Approval, asked: tuple[Route, ...]) -> Iterator[CopySpec]:
    """The latest only: after an outage nobody is reminded of everything that was missed."""
    if approval.reminders:
        for route in asked:
            yield CopySpec(Audience.REMINDER, Place(PlaceKind.CHANNEL, route.channel), approval.reminders)


def _to_security(approval: Approval, routes: ApprovalRoutes) -> Iterator[CopySpec]:
    if approval.outcome is not None and approval.outcome.forced and routes.break_glass is not None:
        yield CopySpec(Audience.SECURITY, Place(PlaceKind.CHANNEL, routes.break_glass.channel))
    if approval.stuck or approval.unasked:
        yield CopySpec(Audience.SECURITY, Place(PlaceKind.CHANNEL, routes.security_channel))


def _to_requester(approval: Approval) -> Iterator[CopySpec]:
    """A person is told; for an agent, its sponsors are, or else its owners."""
    if approval.outcome is None:
        return
    requester = approval.requester
    people = requester.sponsors or requester.owners
    is_person = requester.kind is PrincipalKind.USER and requester.principal_id is not None
    told = [requester.principal_id or ""] if is_person else [person.principal_id for person in people[:MOST_TOLD]]
    for person in told:
        yield CopySpec(Audience.REQUESTER, Place(PlaceKind.PERSON, person))
