"""Outcome: how the gateway says that a review ended, and whose answer that was."""

from datetime import datetime

from shared.domain.approval import Approval, ApprovalState, Choice, Outcome, Vote
from shared.domain.reviews import GatewayReview, ReviewStatus


def outcome_at_gateway(approval: Approval, review: GatewayReview, at: datetime) -> Outcome | None:
    """The end of a review, credited to the people whose votes Tether carried, if it did; `None` while it is pending."""
    if review.status is ReviewStatus.PENDING:
        return None
    if review.status.is_granted:
        return _granted(approval, review, at)
    if review.status is ReviewStatus.REJECTED:
        return _rejected(approval, review, at)
    return Outcome(ApprovalState.WITHDRAWN, at, reason=review.rejection_reason, way="gateway")


def marked_applied(approval: Approval, review: GatewayReview) -> tuple[Vote, ...]:
    """The votes, those marked that the gateway shows as given."""
    return tuple(
        Vote(v.approver, v.choice, v.at, v.groups, v.reason, v.group, v.applied or v.group in review.approved)
        for v in approval.votes
    )


def answered_elsewhere(approval: Approval, review: GatewayReview) -> tuple[str, ...]:
    """The groups that have approved at the gateway without a vote of ours."""
    ours = {vote.group for vote in approval.votes}
    return tuple(sorted(group for group in review.approved if group not in ours))


def _granted(approval: Approval, review: GatewayReview, at: datetime) -> Outcome:
    """What is on record counts before what nobody could see the effect of."""
    for cast in (approval.votes, approval.unconfirmed):
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
    rejecting = (row.reviewed_by for row in review.groups if row.status is ReviewStatus.REJECTED and row.reviewed_by)
    return Outcome(ApprovalState.DENIED, at, tuple(dict.fromkeys(rejecting)), review.rejection_reason, way="gateway")
