"""Outcome: how the gateway says that a review ended, and whose answer that was."""

from dataclasses import replace
from datetime import datetime

from shared.domain.approval import Approval, ApprovalState, Choice, Outcome, Vote
from shared.domain.reviews import GatewayReview, ReviewStatus

OWN_REASON = "Tether: "


def outcome_at_gateway(approval: Approval, review: GatewayReview, at: datetime) -> Outcome | None:
    """The end of a review, credited to the people whose votes Tether carried, if it did; `None` while it is pending."""
    if review.status is ReviewStatus.PENDING:
        return None
    if review.status.is_granted:
        return _granted(approval, review, at)
    if review.status is ReviewStatus.REJECTED:
        return _rejected(approval, review, at)
    return Outcome(ApprovalState.WITHDRAWN, at, reason=review.rejection_reason, way="gateway")


def as_shown(approval: Approval, review: GatewayReview) -> Approval:
    """The approval with those votes marked as applied that the gateway shows as given.

    A vote without an answer that turns out to have arrived counts for its group, and its person has no other.
    """
    for vote in approval.unconfirmed:
        now = approval.vote_of(vote.approver.principal_id)
        if now is not None and now.choice is not Choice.APPROVE:
            continue
        taken = {other.group for other in approval.votes}
        if _is_shown(vote, review) and vote.group not in taken and not _is_a_persons(vote.group, review):
            others = tuple(other for other in approval.unconfirmed if other != vote)
            approval = replace(approval.with_vote(vote), unconfirmed=others)
    votes = tuple(replace(v, applied=v.applied or _is_shown(v, review)) for v in approval.votes)
    ours = {vote.group for vote in votes if vote.choice is Choice.APPROVE}
    elsewhere = tuple(sorted(group for group in review.approved if group not in ours))
    return replace(approval, votes=votes, answered=elsewhere)


def _possibly_heard(approval: Approval, review: GatewayReview) -> tuple[Vote, ...]:
    """The votes without an answer that may stand behind what the gateway shows: Tether's keys are no people."""
    if all(_is_a_persons(group, review) for group in review.approved):
        return ()
    return tuple(vote for vote in approval.unconfirmed if not _is_a_persons(vote.group, review))


def _is_a_persons(group: str | None, review: GatewayReview) -> bool:
    """Whether a person gave this group's approval at the gateway itself; a key has a name instead of an address."""
    return any(row.group == group and "@" in row.reviewer_email for row in review.groups)


def _is_shown(vote: Vote, review: GatewayReview) -> bool:
    """Whether this approval is there; a denial for a group that has approved before is not there by that."""
    return vote.choice is Choice.APPROVE and vote.group in review.approved


def _granted(approval: Approval, review: GatewayReview, at: datetime) -> Outcome:
    """What is on record counts before what nobody could see the effect of."""
    for cast in (approval.votes, _possibly_heard(approval, review)):
        forced = next((vote for vote in cast if vote.choice is Choice.BREAK_GLASS), None)
        if forced is not None:
            return _approved(review, at, forced, forced=True)
        credited = [vote for vote in cast if vote.choice is Choice.APPROVE and vote.group in review.approved]
        if credited:
            return _approved(review, at, *credited)
    by = tuple(dict.fromkeys(row.reviewed_by for row in review.groups if row.reviewed_by))
    return Outcome(ApprovalState.APPROVED, at, by, way="gateway", expires_at=review.revoke_at)


def _approved(review: GatewayReview, at: datetime, *votes: Vote, forced: bool = False) -> Outcome:
    by = tuple(dict.fromkeys(vote.approver.name for vote in votes))
    reason = votes[0].reason if forced else ""
    return Outcome(ApprovalState.APPROVED, at, by, reason, forced=forced, expires_at=review.revoke_at)


def _rejected(approval: Approval, review: GatewayReview, at: datetime) -> Outcome:
    cast = (*approval.votes, *approval.unconfirmed)
    denied = next((vote for vote in cast if vote.choice is Choice.DENY), None)
    if denied is not None:
        return Outcome(ApprovalState.DENIED, at, (denied.approver.name,), denied.reason)
    if review.rejection_reason.startswith(OWN_REASON):
        # Tether said no for nobody, and did not live to write it down.
        state = ApprovalState.EXPIRED if at >= approval.expires_at else ApprovalState.WITHDRAWN
        return Outcome(state, at, reason=review.rejection_reason.removeprefix(OWN_REASON), way="tether")
    rejecting = (row.reviewed_by for row in review.groups if row.status is ReviewStatus.REJECTED and row.reviewed_by)
    return Outcome(ApprovalState.DENIED, at, tuple(dict.fromkeys(rejecting)), review.rejection_reason, way="gateway")
