"""Take a vote: record first, act after, undo what could not be done.

A vote is on record before the gateway hears of it, and a look is on the queue that goes on where this process may die.
"""

from dataclasses import replace
from datetime import timedelta

from shared.domain.approval import Choice, Vote, decide_votes
from shared.domain.outcome import marked_applied
from shared.domain.reviews import Question, ReviewEvent, ReviewStatus
from shared.errors import ClaimedElsewhereError, RejectedError, RetryLaterError, UnknownOutcomeError
from shared.handlers.apply_votes import apply_votes, close_as_shown, read_shown
from shared.handlers.review_turn import ReviewTurn

LOOK_AFTER = timedelta(seconds=20)


async def take_vote(ours: ReviewTurn, question: Question, vote: Vote, token: str | None) -> None:
    """The vote counts; when it is enough, the gateway has obeyed and shows it.

    Raises:
        RetryLaterError: the gateway did not answer or obey; the vote is not counted then.
        RejectedError: the gateway will never take it from Tether.
    """
    if vote.choice is not Choice.APPROVE:
        vote = replace(vote, group=next(iter(vote.groups), None))
    ours.keep(ours.approval.with_vote(vote))
    decided = decide_votes(ours.approval, question.review) if vote.choice is Choice.APPROVE else ours.approval
    await ours.note(
        "answered",
        review=ours.approval.review_id,
        by=vote.approver.principal_id,
        choice=vote.choice,
        groups=list(vote.groups),
        reason=vote.reason,
        input=ours.approval.input_digest,
        enough=decided is not None,
    )
    if decided is None:
        await ours.save()
        return
    ours.keep(decided)
    await ours.save()
    await _look_later(ours)
    try:
        await _act(ours, question, vote, token)
    except ClaimedElsewhereError:
        raise
    except (RetryLaterError, RejectedError) as error:
        if not await _is_done_all_the_same(ours):
            await _undo(ours, vote, error)
            raise


async def resume_denial(ours: ReviewTurn, question: Question) -> bool:
    """Whether a denial that a dead process left on record is carried out now; a forced approval is never resumed."""
    ours.keep(votes=tuple(vote for vote in ours.approval.votes if vote.choice is not Choice.BREAK_GLASS))
    denial = next((vote for vote in ours.approval.votes if vote.choice is Choice.DENY), None)
    if denial is None:
        return False
    await _act(ours, question, denial, None)
    return True


async def _act(ours: ReviewTurn, question: Question, vote: Vote, token: str | None) -> None:
    """At the gateway, and read back."""
    ours.check()
    reviews = ours.outside.reviews
    if vote.choice is Choice.APPROVE:
        question = await apply_votes(ours, question, token)
    elif vote.choice is Choice.DENY:
        await reviews.deny(question, vote.group or "", vote.reason, token)
        question = await read_shown(ours)
    else:
        await reviews.force(question, vote.reason)
        question = await read_shown(ours)
        ours.ports.alerts.raise_alert("break-glass", review_id=ours.approval.review_id, by=vote.approver.principal_id)
    if not await close_as_shown(ours, question):
        if question.review.is_stuck and vote.choice is Choice.APPROVE:
            raise RejectedError("review-stuck")
        raise RetryLaterError("gateway-did-not-obey", "the review is still pending")


async def _look_later(ours: ReviewTurn) -> None:
    now = ours.ports.clock.now()
    event = ReviewEvent(ours.approval.session_id, "click", now, ours.ports.clock.new_id())
    await ours.ports.queue.send_review_events([event], now + LOOK_AFTER)


async def _is_done_all_the_same(ours: ReviewTurn) -> bool:
    """Whether the gateway obeyed although it did not say so."""
    try:
        question = await read_shown(ours)
    except (RetryLaterError, RejectedError):
        return False
    ours.keep(votes=marked_applied(ours.approval, question.review))
    return question.review.status is not ReviewStatus.PENDING and await close_as_shown(ours, question)


async def _undo(ours: ReviewTurn, vote: Vote, error: RetryLaterError | RejectedError) -> None:
    """Nothing half-done: the vote does not count. What may have happened unseen is remembered, to be credited later."""
    cast = ours.approval.vote_of(vote.approver.principal_id)
    if cast is None or cast.applied:
        return
    await ours.note(
        "answer-undone", review=ours.approval.review_id, by=vote.approver.principal_id, because=error.reason
    )
    unconfirmed = (
        (*ours.approval.unconfirmed, cast) if isinstance(error, UnknownOutcomeError) else ours.approval.unconfirmed
    )
    ours.keep(ours.approval.without_votes_of([vote.approver.principal_id]), unconfirmed=unconfirmed[-5:])
    await ours.save()
