"""End a grant: whoever asked is done before the time is up."""

from datetime import datetime

from shared.domain.approval import Approval, ApprovalState
from shared.domain.gateway import GatewayIdentity, Holdings, Review
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.review_turn import review_turn
from shared.handlers.show_cards import show_cards
from shared.ports import ApprovalRules, Ports


async def end_grant(
    approval: Approval, person_id: str, correlation_id: str, ports: Ports, asking: ApprovalRules
) -> Approval:
    """The approval whose grant was given back: revoked at the gateway, its sessions ended, both read back.

    Raises:
        AlreadyDecidedError: it has ended already.
        RejectedError: `not-yours`, or `nothing-to-end`.
        RetryLaterError: the gateway does not answer, or does not show the end.
    """
    _check(approval, person_id, ports.clock.now())
    async with review_turn(approval, correlation_id, ports, asking) as ours:
        await ours.note("ending", review=approval.review_id, by=person_id)
        identity = await _requester_identity(approval, ports)
        before = await ports.gateway.holdings(identity)
        sessions = [session for session in before.sessions if session.connection == approval.connection]
        for review in _grants(before, approval):
            await ports.gateway.close_review(review, "Tether: the requester is done")
        for session in sessions:
            await ports.gateway.kill_session(session)
        after = await ports.gateway.holdings(identity)
        left = {session.session_id for session in after.sessions} & {session.session_id for session in sessions}
        if left or list(_grants(after, approval)):
            raise RetryLaterError("end-not-shown", "the gateway still shows the grant")
        ours.keep(ended_at=ports.clock.now(), sessions_ended=len(sessions))
        await ours.note("ended", review=approval.review_id, sessions=[session.session_id for session in sessions])
        await ours.save()
    await show_cards(ours.approval, correlation_id, ports, asking)
    return ours.approval


def _check(approval: Approval, person_id: str, now: datetime) -> None:
    if person_id not in approval.requester.own_ids:
        raise RejectedError("not-yours")
    if approval.ended_at is not None:
        raise AlreadyDecidedError("ended")
    ends_at = approval.outcome.expires_at if approval.outcome is not None else None
    if approval.state is not ApprovalState.APPROVED or (ends_at is not None and now >= ends_at):
        raise RejectedError("nothing-to-end")


def _grants(holdings: Holdings, approval: Approval) -> list[Review]:
    """Every approved review for the connection: revoking one alone would bring an older one back to life."""
    return [r for r in holdings.reviews if not r.pending and r.connection == approval.connection]


async def _requester_identity(approval: Approval, ports: Ports) -> GatewayIdentity:
    roster = await ports.gateway.roster()
    found = next((one for one in roster.identities if one.session_user == approval.requester.subject), None)
    if found is None:
        raise RejectedError("nothing-to-end", "the requester is no longer at the gateway")
    return found
