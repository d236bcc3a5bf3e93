"""Apply votes: the gateway is told what was decided here, and shows it before anybody says so."""

from shared.domain.approval import Vote
from shared.domain.outcome import as_shown, outcome_at_gateway
from shared.domain.reviews import Question, ReviewStatus
from shared.errors import RetryLaterError, UnknownOutcomeError
from shared.handlers.review_turn import ReviewTurn

ROUNDS = 3


async def apply_votes(ours: ReviewTurn, question: Question, token: str | None = None) -> Question:
    """The review after every deciding vote was given and seen; `token` is the last approver's own, where there is one.

    A vote that the gateway took and then lost to a concurrent write is given again while the review is pending.

    Raises:
        RetryLaterError: the gateway does not answer.
        UnknownOutcomeError: it does not answer after a vote was sent, or does not show it after three rounds.
        RejectedError: it will never take one of them.
    """
    for vote in ours.approval.deciding:
        for _ in range(ROUNDS):
            if not _is_wanted(question, vote):
                break
            ours.check()
            await ours.outside.reviews.approve(question, vote.group or "", token)
            question = await read_back(ours)
        if _is_wanted(question, vote):
            raise UnknownOutcomeError("vote-not-shown", f"the gateway does not show the approval of {vote.group}")
        ours.keep(as_shown(ours.approval, question.review))
    return question


async def read_shown(ours: ReviewTurn) -> Question:
    """The review as the gateway shows it now."""
    found = await ours.outside.reviews.read(ours.approval.session_id)
    if found is None:
        raise RetryLaterError("review-vanished", "the gateway no longer shows the review")
    return found


async def read_back(ours: ReviewTurn) -> Question:
    """The same after a write. Raises `UnknownOutcomeError` when nobody can see what became of it."""
    try:
        return await read_shown(ours)
    except RetryLaterError as error:
        raise UnknownOutcomeError(error.reason, error.detail, retry_after=error.retry_after) from error


async def close_as_shown(ours: ReviewTurn, question: Question) -> bool:
    """Whether the gateway shows the end of the review; the approval has ended the same way then, on record."""
    outcome = outcome_at_gateway(ours.approval, question.review, ours.ports.clock.now())
    if outcome is None:
        return False
    ours.keep(as_shown(ours.approval, question.review))
    await ours.note(
        outcome.state,
        review=ours.approval.review_id,
        by=list(outcome.by),
        way=outcome.way,
        forced=outcome.forced,
        reason=outcome.reason,
        shown=question.review.status,
    )
    if outcome.forced:
        ours.ports.alerts.raise_alert("break-glass", review_id=ours.approval.review_id, by=list(outcome.by))
    ours.keep(ours.approval.closed(outcome))
    await ours.save()
    return True


def _is_wanted(question: Question, vote: Vote) -> bool:
    review = question.review
    return review.status is ReviewStatus.PENDING and vote.group in review.open_groups
