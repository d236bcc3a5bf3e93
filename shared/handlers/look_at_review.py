"""Look at a review: read the truth at the gateway, converge on it, and decide when to look again."""

from dataclasses import replace

from shared.domain.approval import Approval, ApprovalState, decide_votes
from shared.domain.click import still_counting
from shared.domain.outcome import as_shown
from shared.domain.reviews import Question, ReviewEvent, ReviewEventKind, ReviewStatus
from shared.errors import RejectedError, RetryLaterError
from shared.handlers.apply_votes import apply_votes, close_as_shown
from shared.handlers.identify_requester import identify_requester, requester_now
from shared.handlers.judge_approver import read_voters
from shared.handlers.open_approval import open_approval, with_input
from shared.handlers.reject_review import LEFT, close_here, hold_to_outcome, reject_review
from shared.handlers.review_turn import ReviewTurn, needed, review_turn
from shared.handlers.show_cards import show_cards
from shared.handlers.take_vote import resume_denial, undo, withdraw_votes
from shared.handlers.wake_again import wake_again
from shared.ports import ApprovalRules, Ports, Rules

VANISHED_AFTER = 3
EXPIRED = "nobody answered in time"


async def look_at_review(event: ReviewEvent, ports: Ports, rules: Rules, asking: ApprovalRules) -> None:
    """Everybody sees how the review stands, and what had to be done about it has been.

    Raises:
        ClaimedElsewhereError: a click, or another look, is at it.
        RetryLaterError: something could not be read, written or proven; what could be done has been.
    """
    if event.kind is ReviewEventKind.LEAVER:
        await _look_at_all_of(event, ports)
        return
    outside = needed(ports)
    question = await outside.reviews.read(event.ref)
    approval = await _known(event, question, ports)
    if question is None:
        if approval is not None and approval.is_open:
            await _close_vanished(event, approval, ports, asking)
        return
    if approval is None:
        if question.review.status is not ReviewStatus.PENDING:
            return
        approval = await open_approval(question, ports, rules, asking)
    elif approval.is_open and approval.requester.principal_id is None:
        approval = await _recognised(approval, question, ports, rules)
    async with review_turn(approval, event.correlation_id, ports, asking) as ours:
        await _converge(ours, question, event)
    # Whoever ended it may have died before anybody was shown.
    await show_cards(ours.approval, event.correlation_id, ports, asking)


async def _look_at_all_of(event: ReviewEvent, ports: Ports) -> None:
    """Somebody lost access: look at every open review in which they ask or have answered."""
    outside = needed(ports)
    looks = []
    for review_id, session_id in (await outside.approvals.open_ones()).items():
        approval = await outside.approvals.read(review_id)
        if approval is not None and concerns(approval, event.ref):
            looks.append(replace(event, ref=session_id, kind=ReviewEventKind.LOOK, source="leaver", attempt=0))
    await ports.queue.send_review_events(looks)


def concerns(approval: Approval, principal_id: str) -> bool:
    """Whether somebody has a part in an open approval that ends with their access."""
    return approval.is_open and (
        approval.requester.principal_id == principal_id or approval.vote_of(principal_id) is not None
    )


async def _known(event: ReviewEvent, question: Question | None, ports: Ports) -> Approval | None:
    outside = needed(ports)
    if question is not None:
        return await outside.approvals.read(question.review.review_id)
    still_open = await outside.approvals.open_ones()
    review_id = next((r for r, session_id in still_open.items() if event.ref in (r, session_id)), None)
    return None if review_id is None else await outside.approvals.read(review_id)


async def _recognised(approval: Approval, question: Question, ports: Ports, rules: Rules) -> Approval:
    """The approval of somebody who may be known by now; while nobody can tell, they stay unknown."""
    try:
        return replace(approval, requester=await identify_requester(question, ports, rules))
    except RetryLaterError:
        return approval


async def _close_vanished(event: ReviewEvent, approval: Approval, ports: Ports, asking: ApprovalRules) -> None:
    """Gone for good is only what stays gone: the gateway has replicas."""
    if event.attempt < VANISHED_AFTER:
        raise RetryLaterError("review-vanished", "the gateway does not show the review")
    async with review_turn(approval, event.correlation_id, ports, asking) as ours:
        await close_here(ours, ApprovalState.WITHDRAWN, "the gateway no longer has the review")
    await show_cards(ours.approval, event.correlation_id, ports, asking)


async def _converge(ours: ReviewTurn, question: Question, event: ReviewEvent) -> None:
    if ours.approval.chain.entries == 0:
        await _note_request(ours, question, event)
    if not ours.approval.is_open:
        await hold_to_outcome(ours, question, event)
        return
    ours.keep(as_shown(ours.approval, question.review))
    if await close_as_shown(ours, question):
        _measure(ours, event)
        return
    if (why := await _over(ours, event)) is not None:
        await reject_review(ours, question, *why)
        return
    if question.session.input_digest != ours.approval.input_digest:
        await _ask_anew(ours, question)
    await _count_votes(ours, question, event)
    if ours.approval.is_open:
        await _warn_if_stuck(ours, question)
        await wake_again(ours, event)


async def _note_request(ours: ReviewTurn, question: Question, event: ReviewEvent) -> None:
    approval = ours.approval
    await ours.note(
        "requested",
        review=approval.review_id,
        session=approval.session_id,
        connection=approval.connection,
        duration=approval.duration.total_seconds(),
        requester=approval.requester.subject,
        groups=list(approval.groups),
        needed=approval.needed,
        input=approval.input_digest,
        source=event.source,
    )
    if approval.unasked:
        ours.ports.alerts.raise_alert("nobody-to-ask", review_id=approval.review_id, groups=list(approval.unasked))
    ours.ports.alerts.measure("request-to-discovery", (event.received_at - question.review.created_at).total_seconds())


async def _ask_anew(ours: ReviewTurn, question: Question) -> None:
    """Whoever has answered was asked about another command."""
    before = ours.approval
    kept = tuple(vote for vote in before.votes if vote.applied)
    digest = question.session.input_digest
    await ours.note("input-changed", review=before.review_id, before=before.input_digest, input=digest)
    ours.ports.alerts.raise_alert("input-changed", review_id=before.review_id)
    ours.keep(with_input(replace(before, votes=kept, chain=ours.approval.chain), question.session))
    await ours.save()


async def _over(ours: ReviewTurn, event: ReviewEvent) -> tuple[ApprovalState, str] | None:
    """Why nobody needs to answer any more, if so."""
    if ours.ports.clock.now() >= ours.approval.expires_at:
        return ApprovalState.EXPIRED, EXPIRED
    if event.source == "leaver" or ours.approval.votes:
        ours.keep(requester=await requester_now(ours.approval.requester, ours.ports))
        if ours.approval.requester.principal_id is not None and ours.approval.requester.state.is_shut:
            return ApprovalState.WITHDRAWN, LEFT
    return None


async def _count_votes(ours: ReviewTurn, question: Question, event: ReviewEvent) -> None:
    """Votes of people who may no longer answer are withdrawn; those that are enough take effect.

    Here arrives what a click left behind when its process died, and what others decided at the gateway meanwhile.
    """
    try:
        await _carry_out(ours, question, event)
    except RejectedError as error:
        # Nobody will ever carry these: they must not stand in the way of those that can be.
        await undo(ours, [vote for vote in ours.approval.votes if vote.group is not None], error)
        ours.ports.alerts.raise_alert("votes-undone", review_id=ours.approval.review_id, because=error.reason)


async def _carry_out(ours: ReviewTurn, question: Question, event: ReviewEvent) -> None:
    if await resume_denial(ours, question):
        return
    decided = decide_votes(ours.approval, question.review)
    if decided is None and event.source != "leaver":
        return
    voters = await read_voters(ours.approval, ours.ports, ours.rules)
    kept, lost = still_counting(ours.approval, question, voters)
    ours.keep(kept)
    if lost:
        await withdraw_votes(ours, lost)
    decided = decide_votes(ours.approval, question.review)
    if decided is None:
        return
    ours.keep(decided)
    await ours.save()
    question = await apply_votes(ours, question)
    await close_as_shown(ours, question)


async def _warn_if_stuck(ours: ReviewTurn, question: Question) -> None:
    if question.review.is_stuck and not ours.approval.stuck:
        ours.keep(stuck=True)
        await ours.note("stuck", review=ours.approval.review_id, approved=sorted(question.review.approved))
        ours.ports.alerts.raise_alert("review-stuck", review_id=ours.approval.review_id)


def _measure(ours: ReviewTurn, event: ReviewEvent) -> None:
    took = (ours.ports.clock.now() - event.received_at).total_seconds()
    ours.ports.alerts.measure("decided-to-shown", took, source=event.source)
