"""Whose answer counts, and the word for why not; the first reason in the order of decision is the one that is told."""

from dataclasses import replace

import pytest

from shared.domain.approval import Approval, ApprovalState, Choice, Outcome, Person
from shared.domain.click import LONGEST_REASON, Answer, Clicker, consider
from shared.domain.principals import AccountState
from shared.domain.reviews import ReviewStatus
from shared.errors import AlreadyDecidedError, RejectedError
from tests.domain.approval_samples import WAITING, ada, approval, question, review, vote
from tests.domain.samples import ADA, NOW, later

APPROVER = Clicker(ada(), ("dba",))
BREAKER = Clicker(ada(), (), may_break_glass=True)
YES, NO, FORCE = (Answer(choice, later(60), "because") for choice in Choice)


def own(known: Approval, **people: tuple[Person, ...]) -> Approval:
    return replace(known, requester=replace(known.requester, **people))  # type: ignore[arg-type]  # sponsors or owners


def refused(*given: object) -> str:
    with pytest.raises(RejectedError) as refusal:
        consider(*given)  # type: ignore[arg-type]  # a shorthand
    return refusal.value.reason


def test_approval_of_somebody_entitled_counts_for_their_groups() -> None:
    counted = consider(approval(), question(), APPROVER, YES)

    assert (counted.approver, counted.choice, counted.groups) == (Person(ADA, "Ada"), Choice.APPROVE, ("dba",))
    assert (counted.at, counted.reason, counted.group, counted.applied) == (later(60), "because", None, False)


def test_person_without_a_name_is_called_by_object_id() -> None:
    assert Clicker(replace(ada(), display_name=""), ()).person == Person(ADA, ADA)


@pytest.mark.parametrize(
    ("known", "asked", "at"),
    [
        (approval().closed(Outcome(ApprovalState.DENIED, NOW)), question(), later(60)),
        (approval(), question(review(status=ReviewStatus.APPROVED)), later(60)),
        (approval(), question(review(status=ReviewStatus.UNKNOWN)), later(60)),
        (approval(), question(), approval().expires_at),
    ],
    ids=["ended here", "ended at the gateway", "in a state nobody knows", "expired"],
)
def test_answer_after_the_end_finds_it_decided(known: Approval, asked: object, at: object) -> None:
    with pytest.raises(AlreadyDecidedError):
        consider(known, asked, APPROVER, replace(YES, at=at))  # type: ignore[arg-type]  # drawn above


@pytest.mark.parametrize("answer", [YES, NO, FORCE])
def test_command_that_changed_underneath_is_never_answered(answer: Answer) -> None:
    changed = question(session=replace(WAITING, input="drop table invoices"))

    assert refused(approval(), changed, replace(APPROVER, may_break_glass=True), answer) == "input-changed"


@pytest.mark.parametrize("state", [state for state in AccountState if state is not AccountState.ENABLED])
def test_account_that_is_not_seen_to_be_enabled_may_answer_nothing(state: AccountState) -> None:
    clicker = replace(APPROVER, principal=ada(state))

    assert refused(approval(), question(), clicker, NO) == "approver-disabled"


@pytest.mark.parametrize("answer", [YES, NO])
def test_nobody_is_entitled_who_is_in_no_approver_group(answer: Answer) -> None:
    assert refused(approval(), question(), BREAKER, answer) == "not-an-approver"


def test_break_glass_is_for_its_own_group_only() -> None:
    assert refused(approval(), question(), APPROVER, FORCE) == "not-break-glass"


@pytest.mark.parametrize("answer", [YES, FORCE])
@pytest.mark.parametrize("part", ["itself", "sponsors", "owners"])
def test_nobody_approves_for_themselves_not_even_by_force(answer: Answer, part: str) -> None:
    known = approval()
    if part == "itself":
        known = replace(known, requester=replace(known.requester, principal_id=ADA))
    else:
        known = own(known, **{part: (Person(ADA, "Ada"),)})

    assert refused(known, question(), replace(APPROVER, may_break_glass=True), answer) == "own-request"


def test_own_request_may_be_denied() -> None:
    known = replace(approval(), requester=replace(approval().requester, principal_id=ADA))

    assert consider(known, question(), APPROVER, NO).choice is Choice.DENY


@pytest.mark.parametrize("answer", [YES, FORCE])
def test_nobody_approves_for_somebody_unknown(answer: Answer) -> None:
    known = replace(approval(), requester=replace(approval().requester, principal_id=None))

    assert refused(known, question(), replace(APPROVER, may_break_glass=True), answer) == "requester-unknown"


def test_somebody_unknown_may_be_denied() -> None:
    known = replace(approval(), requester=replace(approval().requester, principal_id=None))

    assert consider(known, question(), APPROVER, NO).choice is Choice.DENY


@pytest.mark.parametrize("answer", [NO, FORCE])
@pytest.mark.parametrize("reason", ["", "  \n "])
def test_denial_and_force_want_a_reason(answer: Answer, reason: str) -> None:
    clicker = replace(APPROVER, may_break_glass=True)

    assert refused(approval(), question(), clicker, replace(answer, reason=reason)) == "reason-missing"


def test_approval_wants_no_reason_and_a_long_one_is_cut() -> None:
    assert consider(approval(), question(), APPROVER, replace(YES, reason="")).reason == ""
    assert len(consider(approval(), question(), APPROVER, replace(YES, reason="x" * 9999)).reason) == LONGEST_REASON


def test_person_has_one_vote() -> None:
    known = approval(replace(vote("ada", "dba"), approver=Person(ADA, "Ada")))

    assert refused(known, question(), APPROVER, YES) == "voted-already"


def test_person_who_approved_may_still_deny() -> None:
    known = approval(replace(vote("ada", "dba"), approver=Person(ADA, "Ada")))

    assert consider(known, question(), APPROVER, NO).choice is Choice.DENY


def test_vote_given_at_the_gateway_itself_is_the_persons_only_one() -> None:
    clicker = Clicker(ada(AccountState.ENABLED, "ada@example.com"), ("security",))

    assert refused(approval(), question(review("dba", by="Ada@Example.com")), clicker, YES) == "voted-already"


def test_vote_for_a_group_that_has_answered_is_refused() -> None:
    assert refused(approval(), question(review("dba")), APPROVER, YES) == "group-answered"


def test_vote_in_a_stuck_review_is_refused_and_denial_is_not() -> None:
    stuck = question(review("security", needed=1))

    assert refused(approval(), stuck, APPROVER, YES) == "review-stuck"
    assert consider(approval(), stuck, APPROVER, NO).choice is Choice.DENY
    assert consider(approval(), stuck, BREAKER, FORCE).choice is Choice.BREAK_GLASS
