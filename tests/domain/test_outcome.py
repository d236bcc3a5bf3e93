"""How a review ended, and whose answer that was: what is on record first, the gateway's own names otherwise."""

from dataclasses import replace

import pytest

from shared.domain.approval import ApprovalState, Choice
from shared.domain.outcome import OWN_REASON, as_shown, outcome_at_gateway
from shared.domain.reviews import ReviewGroup, ReviewStatus
from tests.domain.approval_samples import approval, review, vote
from tests.domain.samples import NOW, later

GRANTED = [ReviewStatus.APPROVED, ReviewStatus.PROCESSING, ReviewStatus.EXECUTED]


def test_pending_review_has_no_outcome() -> None:
    assert outcome_at_gateway(approval(), review(), NOW) is None


@pytest.mark.parametrize("status", GRANTED)
def test_grant_is_credited_to_those_whose_votes_are_shown(status: ReviewStatus) -> None:
    known = approval(vote("ada", "dba", group="dba"), vote("ben", "dba"), vote("cleo", "security", group="security"))
    shown = replace(review("dba", "security", status=status), revoke_at=later(1800))

    outcome = outcome_at_gateway(known, shown, later(5))

    assert outcome is not None
    assert (outcome.state, outcome.by, outcome.way) == (ApprovalState.APPROVED, ("ada", "cleo"), "teams")
    assert (outcome.at, outcome.expires_at, outcome.forced, outcome.reason) == (later(5), later(1800), False, "")


def test_forced_grant_is_credited_with_its_reason() -> None:
    known = approval(vote("ada", "dba", group="dba"), vote("eve", choice=Choice.BREAK_GLASS))

    outcome = outcome_at_gateway(known, review("dba", status=ReviewStatus.APPROVED), NOW)

    assert outcome is not None
    assert (outcome.by, outcome.forced, outcome.reason) == (("eve",), True, "because")


def test_vote_whose_effect_nobody_saw_is_credited_when_it_shows() -> None:
    known = replace(approval(), unconfirmed=(vote("ada", "dba", group="dba"),))

    outcome = outcome_at_gateway(known, review("dba", needed=1, status=ReviewStatus.APPROVED), NOW)

    assert outcome is not None
    assert (outcome.by, outcome.way) == (("ada",), "teams")


def test_grant_that_nobody_here_gave_is_the_gateways() -> None:
    shown = review("dba", "security", status=ReviewStatus.APPROVED, by="root")

    outcome = outcome_at_gateway(approval(vote("ben", "ops")), shown, NOW)

    assert outcome is not None
    assert (outcome.state, outcome.by, outcome.way) == (ApprovalState.APPROVED, ("root",), "gateway")


@pytest.mark.parametrize("seen", [True, False])
def test_denial_is_credited_with_its_reason(seen: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    denial = vote("ada", "dba", choice=Choice.DENY, group="dba")
    known = approval(denial) if seen else replace(approval(), unconfirmed=(denial,))

    outcome = outcome_at_gateway(known, review(status=ReviewStatus.REJECTED), NOW)

    assert outcome is not None
    assert (outcome.state, outcome.by, outcome.reason, outcome.way) == (
        ApprovalState.DENIED,
        ("ada",),
        "because",
        "teams",
    )


def test_denial_that_nobody_here_gave_is_the_gateways() -> None:
    rows = (ReviewGroup("dba", ReviewStatus.REJECTED, "root"), ReviewGroup("security", ReviewStatus.PENDING, "x"))
    shown = replace(review(status=ReviewStatus.REJECTED, rejection_reason="no"), groups=rows)

    outcome = outcome_at_gateway(approval(vote("ada", "dba")), shown, NOW)

    assert outcome is not None
    assert (outcome.by, outcome.reason, outcome.way) == (("root",), "no", "gateway")


@pytest.mark.parametrize(
    ("at", "state"), [(later(60), ApprovalState.WITHDRAWN), (approval().expires_at, ApprovalState.EXPIRED)]
)
def test_rejection_of_our_own_is_known_by_its_reason(at: object, state: ApprovalState) -> None:
    shown = review(status=ReviewStatus.REJECTED, rejection_reason=f"{OWN_REASON}it was time")

    outcome = outcome_at_gateway(approval(), shown, at)  # type: ignore[arg-type]  # drawn above

    assert outcome is not None
    assert (outcome.state, outcome.reason, outcome.way) == (state, "it was time", "tether")


@pytest.mark.parametrize("status", [ReviewStatus.REVOKED, ReviewStatus.UNKNOWN])
def test_anything_else_is_a_withdrawal(status: ReviewStatus) -> None:
    outcome = outcome_at_gateway(approval(vote("ada", "dba", group="dba")), review("dba", status=status), NOW)

    assert outcome is not None
    assert (outcome.state, outcome.way) == (ApprovalState.WITHDRAWN, "gateway")


def test_votes_are_applied_once_the_gateway_shows_them() -> None:
    known = approval(vote("ada", "dba", group="dba"), vote("cleo", "security", group="security"), vote("ben", "dba"))

    seen = as_shown(known, review("dba"))

    assert [one.applied for one in seen.votes] == [True, False, False]
    assert seen.answered == ()


def test_vote_once_applied_stays_applied() -> None:
    applied = vote("ada", "dba", group="dba", applied=True)

    assert as_shown(approval(applied), review()).votes == (applied,)


def test_groups_that_answered_without_us_are_known() -> None:
    seen = as_shown(approval(vote("ada", "dba", group="dba")), review("dba", "security"))

    assert seen.answered == ("security",)


def test_vote_that_arrived_after_all_counts_and_is_the_persons_only_one() -> None:
    doubted, again = vote("dora", "dba", "security", group="dba"), vote("dora", "dba", "security")
    known = replace(approval(again), unconfirmed=(doubted,))

    seen = as_shown(known, review("dba"))

    assert seen.votes == (replace(doubted, applied=True),)
    assert seen.unconfirmed == ()
    assert seen.answered == ()


def test_vote_in_doubt_that_shows_does_not_undo_what_its_person_said_since() -> None:
    denial = vote("dora", "dba", "security", choice=Choice.DENY, group="dba")
    known = replace(approval(denial), unconfirmed=(vote("dora", "dba", "security", group="security"),))

    assert as_shown(known, review("security")).votes == (denial,)


def test_vote_in_doubt_stays_in_doubt_while_nothing_shows_it() -> None:
    denial = vote("ben", "dba", choice=Choice.DENY, group="dba")
    doubted = vote("dora", "dba", group="dba")
    known = replace(approval(vote("ada", "dba", group="dba")), unconfirmed=(denial, doubted))

    assert as_shown(known, review("dba")).unconfirmed == (denial, doubted)
