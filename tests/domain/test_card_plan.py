"""Which copies of a card are wanted: who is asked where, who is reminded, who is alarmed and who is told the end."""

from dataclasses import replace

import pytest

from shared.domain.approval import Approval, ApprovalState, Choice, Outcome, Person
from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.card_plan import DONE, answers_of, wanted_copies
from shared.domain.principals import PrincipalKind
from shared.domain.routes import ApprovalRoutes, BreakGlass, Route
from tests.domain.approval_samples import RITA, approval, person
from tests.domain.samples import NOW

DBA, SECURITY, ONCALL, ALARM, LOUD = (f"19:{name}" for name in ("dba", "security", "oncall", "alarm", "loud"))
DBA_ROUTE = Route("dba", "a", DBA, escalation_channel=ONCALL)
ROUTES = ApprovalRoutes((DBA_ROUTE, Route("security", "b", SECURITY)), ALARM, break_glass=BreakGlass("c", LOUD))
QUIET = replace(ROUTES, break_glass=None)


def wanted(of: Approval, routes: ApprovalRoutes = ROUTES) -> list[tuple[str, str, int]]:
    return [(spec.audience.value, spec.place.id, spec.number) for spec in wanted_copies(of, routes)]


def ended(of: Approval, **how: object) -> Approval:
    return of.closed(replace(Outcome(ApprovalState.APPROVED, NOW), **how))  # type: ignore[arg-type]  # any field


def test_every_reviewer_group_is_asked_in_its_channel() -> None:
    assert wanted(approval()) == [("approvers", DBA, 0), ("approvers", SECURITY, 0)]


def test_channel_of_two_groups_is_asked_once() -> None:
    routes = replace(ROUTES, routes=(DBA_ROUTE, Route("security", "b", DBA)))

    assert wanted(approval(), routes) == [("approvers", DBA, 0)]


def test_group_without_a_route_alarms_the_security_channel_and_asks_nobody() -> None:
    known = replace(approval(groups=("sre",)), unasked=("sre",))

    assert wanted(known) == [("security", ALARM, 0)]


def test_people_with_cards_of_their_own_are_asked_there() -> None:
    spec = CopySpec(Audience.APPROVERS, Place(PlaceKind.PERSON, "ada"))

    assert spec in wanted_copies(replace(approval(), personal=("ada",)), ROUTES)


def test_escalation_asks_in_the_second_channel_where_there_is_one() -> None:
    assert wanted(replace(approval(), escalated=True)) == [
        ("approvers", DBA, 0),
        ("approvers", SECURITY, 0),
        ("approvers", ONCALL, 0),
    ]


def test_only_the_latest_reminder_is_wanted() -> None:
    reminders = [one for one in wanted(replace(approval(), reminders=3)) if one[0] == "reminder"]

    assert reminders == [("reminder", DBA, 3), ("reminder", SECURITY, 3)]


def test_stuck_review_alarms_the_security_channel() -> None:
    assert ("security", ALARM, 0) in wanted(replace(approval(), stuck=True))


def test_forced_approval_is_loud_in_the_channel_of_break_glass() -> None:
    assert ("security", LOUD, 0) in wanted(ended(approval(), forced=True))
    assert ("security", LOUD, 0) not in wanted(ended(approval()))
    assert ("security", LOUD, 0) not in wanted(ended(approval(), forced=True), QUIET)


def test_person_who_asked_is_told_the_end_and_not_before() -> None:
    assert ("requester", RITA.principal_id, 0) in wanted(ended(approval()))
    assert "requester" not in [audience for audience, _, _ in wanted(approval())]


@pytest.mark.parametrize(
    ("sponsors", "owners", "told"),
    [((person("sue"),), (person("otto"),), ["id-sue"]), ((), (person("otto"),), ["id-otto"]), ((), (), [])],
)
def test_sponsors_of_an_agent_are_told_the_end_or_else_its_owners(
    sponsors: tuple[Person, ...], owners: tuple[Person, ...], told: list[str]
) -> None:
    agent = replace(approval().requester, kind=PrincipalKind.SERVICE_PRINCIPAL, sponsors=sponsors, owners=owners)

    copies = wanted(ended(replace(approval(), requester=agent)))

    assert [place for audience, place, _ in copies if audience == "requester"] == told


def test_somebody_unknown_is_told_nothing() -> None:
    unknown = replace(approval().requester, principal_id=None)

    assert "requester" not in [audience for audience, _, _ in wanted(ended(replace(approval(), requester=unknown)))]


@pytest.mark.parametrize(
    ("audience", "routes", "answers"),
    [
        (Audience.APPROVERS, ROUTES, (Choice.APPROVE, Choice.DENY, Choice.BREAK_GLASS)),
        (Audience.APPROVERS, QUIET, (Choice.APPROVE, Choice.DENY)),
        (Audience.REQUESTER, ROUTES, (DONE,)),
        (Audience.SECURITY, ROUTES, ()),
        (Audience.REMINDER, ROUTES, ()),
    ],
)
def test_card_offers_its_audience_only_what_it_may_answer(
    audience: Audience, routes: ApprovalRoutes, answers: tuple[str, ...]
) -> None:
    assert answers_of(audience, routes) == answers
