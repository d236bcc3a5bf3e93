"""What one vote does to a review: the gateway's transition table, with its silent no-ops and its exact threshold."""

from datetime import timedelta

from sandbox.gateway.records import Identity, Review, ReviewGroup
from sandbox.gateway.state import GatewayState
from sandbox.gateway.wire import RefusalError, now

DENIALS = ("REJECTED", "REVOKED")


def vote(state: GatewayState, review: Review, caller: Identity, status: str) -> None:
    """Apply an ordinary vote of the caller to the review, in place."""
    check_transition(state, review, caller, status)
    mine = [row for row in review.groups if row.group in caller.groups]
    for row in mine:
        _mark(row, caller, status)
    if not mine:
        _vote_without_group(state, review, caller, status)
    if status in DENIALS:
        review.status = status
    elif sum(row.status == "APPROVED" for row in review.groups) == _approvals_needed(review):
        review.status = "APPROVED"
    _extend(review)


def force(state: GatewayState, review: Review, caller: Identity, status: str, allowed: list[str]) -> None:
    """Apply a forced decision of a caller who holds one of the allowed groups, in place."""
    check_transition(state, review, caller, status)
    group = next((group for group in caller.groups if group in allowed), None)
    if group is None:
        raise RefusalError(400, "not eligible for review")
    row = next((row for row in review.groups if row.group == group), None)
    if row is None:
        row = ReviewGroup(group)
        review.groups.append(row)
    _mark(row, caller, status)
    row.forced_review = True
    review.status = status
    _extend(review)


def check_transition(state: GatewayState, review: Review, caller: Identity, status: str) -> None:
    """Nothing when the caller may ask for this status now; refused as the gateway refuses it otherwise."""
    if status not in ("APPROVED", *DENIALS):
        raise RefusalError(500, "failed updating review status: unknown status")
    if review.status not in ("PENDING", "APPROVED"):
        raise RefusalError(400, "review is in wrong state")
    if status == "APPROVED" and review.owner == caller.subject and not state.is_admin(caller):
        raise RefusalError(400, "unable to self approve review")
    if status == "REVOKED" and review.status != "APPROVED":
        raise RefusalError(400, "review is in wrong state")
    if status == "REVOKED" and review.type != "jit":
        raise RefusalError(500, "failed updating review status: review not found")


def _approvals_needed(review: Review) -> int:
    groups = len(review.groups)
    return groups if review.min_approvals is None else min(groups, review.min_approvals)


def _vote_without_group(state: GatewayState, review: Review, caller: Identity, status: str) -> None:
    admin = state.is_admin(caller)
    if not admin and review.owner != caller.subject:
        raise RefusalError(400, "not eligible for review")
    if status in DENIALS:
        row = ReviewGroup(state.admin_group if admin else next(iter(caller.groups), ""))
        _mark(row, caller, status)
        review.groups.append(row)


def _mark(row: ReviewGroup, caller: Identity, status: str) -> None:
    row.status, row.review_date = status, now()
    who = {"id": caller.subject, "name": caller.name, "email": caller.email, "slack_id": caller.slack_id}
    row.reviewed_by = who


def _extend(review: Review) -> None:
    if review.status == "APPROVED":
        review.revoke_at = now() + timedelta(seconds=review.access_duration_seconds)
