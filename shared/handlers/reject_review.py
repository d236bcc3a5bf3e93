"""Reject a review: what nobody answered in time, or what its requester may not have any more, stays refused."""

from datetime import timedelta

from shared.domain.approval import Approval, ApprovalState, Outcome
from shared.domain.gateway import Review
from shared.domain.outcome import OWN_REASON
from shared.domain.reviews import Question, ReviewEvent, ReviewStatus
from shared.errors import RetryLaterError
from shared.handlers.apply_votes import close_as_shown, read_shown
from shared.handlers.end_grant import DONE, give_back
from shared.handlers.review_turn import ReviewTurn

PATIENCE = timedelta(minutes=10)
UNTAKEN = "; the gateway does not take the rejection"
LEFT = "the requester lost access in Entra"


async def reject_review(ours: ReviewTurn, question: Question, state: ApprovalState, reason: str) -> None:
    """Rejected at the gateway, and seen to be; somebody's answer that came first stands."""
    ours.check()
    refused: RetryLaterError | None = None
    try:
        await ours.ports.gateway.close_review(_as_held(question), f"{OWN_REASON}{reason}")
    except RetryLaterError as error:
        if error.reason != "review-still-open":
            raise
        refused = error
    shown = await read_shown(ours)
    if shown.review.status.is_granted:
        await close_as_shown(ours, shown)
    elif shown.review.status is not ReviewStatus.PENDING:
        await close_here(ours, state, reason)
    elif refused is not None and ours.ports.clock.now() >= ours.approval.expires_at + PATIENCE:
        # A review whose connection is gone can be neither approved nor rejected there: nobody needs to see it waiting.
        ours.ports.alerts.raise_alert("review-cannot-be-rejected", review_id=ours.approval.review_id)
        await close_here(ours, state, f"{reason}{UNTAKEN}")
    else:
        raise refused or RetryLaterError("rejection-not-shown", "the gateway still shows the review as pending")


async def close_here(ours: ReviewTurn, state: ApprovalState, reason: str) -> None:
    """The approval has ended by Tether's own decision, on record."""
    await ours.note(state, review=ours.approval.review_id, reason=reason, way="tether")
    ours.keep(ours.approval.closed(Outcome(state, ours.ports.clock.now(), reason=reason, way="tether")))
    await ours.save()


async def hold_to_outcome(ours: ReviewTurn, question: Question, event: ReviewEvent) -> None:
    """What was refused here stays refused, whatever a lost update did at the gateway; a grant may have ended early."""
    approval, status = ours.approval, question.review.status
    is_untaken = approval.outcome is not None and approval.outcome.reason.endswith(UNTAKEN)
    if approval.state is not ApprovalState.APPROVED and status is ReviewStatus.PENDING and not is_untaken:
        await _reject_again(ours, question)
    if _is_no_of_ours(approval) and status is ReviewStatus.APPROVED:
        # Two answers at the same moment: the gateway keeps the one that it writes last.
        ours.ports.alerts.raise_alert("granted-after-no", review_id=approval.review_id)
        await _reject_again(ours, question)
    if approval.state is not ApprovalState.APPROVED or approval.ended_at is not None:
        return
    if event.source == DONE:
        await give_back(ours)
    elif status is ReviewStatus.REVOKED:
        ours.keep(ended_at=ours.ports.clock.now())


async def _reject_again(ours: ReviewTurn, question: Question) -> None:
    await ours.ports.gateway.close_review(_as_held(question), f"{OWN_REASON}this was answered with no")
    await ours.note("rejected-again", review=ours.approval.review_id, shown=question.review.status)


def _is_no_of_ours(approval: Approval) -> bool:
    """Whether Tether itself saw the rejection through."""
    outcome = approval.outcome
    if outcome is None or outcome.way == "gateway":
        return False
    return outcome.state in (ApprovalState.DENIED, ApprovalState.EXPIRED) or outcome.reason == LEFT


def _as_held(question: Question) -> Review:
    review, session = question.review, question.session
    return Review(review.review_id, session.session_id, session.connection, review.type, pending=True)
