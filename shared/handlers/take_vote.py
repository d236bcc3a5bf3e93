"""Take a vote: record first, act after, undo what could not be done.

A vote is on record before the gateway hears of it, and a look is on the queue that goes on where this process may die.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from shared.domain.approval import Choice, Vote, decide_votes
from shared.domain.outcome import as_shown
from shared.domain.reviews import Question, ReviewEvent, ReviewStatus
from shared.errors import ClaimedElsewhereError, RejectedError, RetryLaterError, UnknownOutcomeError
from shared.handlers.apply_votes import apply_votes, close_as_shown, read_back, read_shown
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
    before = ours.approval.vote_of(vote.approver.principal_id)
    voted = ours.approval.with_vote(vote)
    decided = decide_votes(voted, question.review) if vote.choice is Choice.APPROVE else voted
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
    await _look_later(ours)
    ours.keep(decided or voted)
    await ours.save()
    if decided is None:
        return
    try:
        await _act(ours, question, vote, token)
    except ClaimedElsewhereError:
        raise
    except (RetryLaterError, RejectedError) as error:
        if not await _is_done_all_the_same(ours):
            await undo(ours, [vote], error, before)
            raise


async def withdraw_votes(ours: ReviewTurn, of: Collection[str]) -> None:
    """The votes of these people do not count any more."""
    await ours.note("votes-withdrawn", review=ours.approval.review_id, of=sorted(of))
    ours.keep(ours.approval.without_votes_of(of))


async def resume_denial(ours: ReviewTurn, question: Question) -> bool:
    """Whether a denial that a dead process left on record is carried out now; a forced approval is never resumed."""
    forced = [vote for vote in ours.approval.votes if vote.choice is Choice.BREAK_GLASS]
    if forced:
        await undo(ours, forced, UnknownOutcomeError("process-died", "it may have been sent before"))
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
        question = await read_back(ours)
    else:
        await reviews.force(question, vote.reason)
        question = await read_back(ours)
    if not await close_as_shown(ours, question):
        if question.review.is_stuck and vote.choice is Choice.APPROVE:
            raise RejectedError("review-stuck")
        raise UnknownOutcomeError("gateway-did-not-obey", "the review is still pending")


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
    ours.keep(as_shown(ours.approval, question.review))
    return question.review.status is not ReviewStatus.PENDING and await close_as_shown(ours, question)


async def undo(
    ours: ReviewTurn, votes: Sequence[Vote], error: RetryLaterError | RejectedError, before: Vote | None = None
) -> None:
    """Nothing half-done: these votes do not count. What may have happened unseen is kept, to be credited later.

    `before` is the vote that the person had given before, and has again.
    """
    undone = [vote.approver.principal_id for vote in votes]
    cast = [vote for vote in ours.approval.votes if not vote.applied]
    if not any(vote.approver.principal_id in undone for vote in cast):
        return
    await ours.note("answer-undone", review=ours.approval.review_id, by=undone, because=error.reason)
    # Any of those that were on their way may be the one that arrived.
    sent = (vote for vote in cast if vote.group is not None or vote.choice is Choice.BREAK_GLASS)
    in_doubt = tuple(sent) if isinstance(error, UnknownOutcomeError) else ()
    without = ours.approval.without_votes_of(undone)
    ours.keep(
        without if before is None else without.with_vote(before),
        unconfirmed=(*ours.approval.unconfirmed, *in_doubt)[-8:],
    )
    await ours.save()
