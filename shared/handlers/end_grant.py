"""End a grant: whoever asked is done before the time is up."""

from datetime import datetime, timedelta

from shared.domain.approval import Approval, ApprovalState
from shared.domain.gateway import GatewayIdentity, Holdings, Review, Session
from shared.domain.reviews import ReviewEvent
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.review_turn import ReviewTurn, review_turn
from shared.handlers.show_cards import show_cards
from shared.ports import ApprovalRules, Ports

ROUNDS = 6
DONE = "done"
LOOK_AFTER = timedelta(seconds=20)


async def end_grant(
    approval: Approval, person_id: str, correlation_id: str, ports: Ports, asking: ApprovalRules
) -> Approval:
    """The approval whose grant was given back: revoked at the gateway, its sessions ended, both read back.

    A look is on the queue that goes on where this process, or the gateway, may fail.

    Raises:
        AlreadyDecidedError: it has ended already.
        RejectedError: `not-yours`, or `nothing-to-end`.
        RetryLaterError: the gateway does not answer, or does not show the end.
    """
    _check(approval, person_id, ports.clock.now())
    async with review_turn(approval, correlation_id, ports, asking) as ours:
        await ours.note("ending", review=approval.review_id, by=person_id)
        now = ports.clock.now()
        look = ReviewEvent(approval.session_id, DONE, now, correlation_id)
        await ports.queue.send_review_events([look], now + LOOK_AFTER)
        await give_back(ours)
    await show_cards(ours.approval, correlation_id, ports, asking)
    return ours.approval


async def give_back(ours: ReviewTurn) -> None:
    """The gateway shows no grant and no session of the requester for this connection any more; repeating is harmless.

    A review hides its session once it is closed: it is closed when its session is seen to have ended.
    """
    approval, gateway = ours.approval, ours.ports.gateway
    identity = await _requester_identity(approval, ours.ports)
    ended: set[str] = set()
    for _ in range(ROUNDS):
        holdings = await gateway.holdings(identity)
        sessions, grants = _sessions(holdings, approval), _grants(holdings, approval)
        if not sessions and not grants:
            break
        ours.check()
        for session in sessions:
            await gateway.kill_session(session)
        live = {session.session_id for session in sessions}
        for review in (one for one in grants if one.session_id not in live):
            await gateway.close_review(review, "Tether: the requester is done")
        ended |= live
    else:
        raise RetryLaterError("end-not-shown", "the gateway still shows the grant")
    await ours.note("ended", review=approval.review_id, sessions=sorted(ended))
    ours.keep(ended_at=ours.ports.clock.now(), sessions_ended=len(ended))
    await ours.save()


def _check(approval: Approval, person_id: str, now: datetime) -> None:
    if person_id not in approval.requester.own_ids:
        raise RejectedError("not-yours")
    if approval.ended_at is not None:
        raise AlreadyDecidedError("ended")
    ends_at = approval.outcome.expires_at if approval.outcome is not None else None
    if approval.state is not ApprovalState.APPROVED or (ends_at is not None and now >= ends_at):
        raise RejectedError("nothing-to-end")


def _sessions(holdings: Holdings, approval: Approval) -> list[Session]:
    return [session for session in holdings.sessions if session.connection == approval.connection]


def _grants(holdings: Holdings, approval: Approval) -> list[Review]:
    """Every approved review for the connection: revoking one alone would bring an older one back to life."""
    return [r for r in holdings.reviews if not r.pending and r.connection == approval.connection]


async def _requester_identity(approval: Approval, ports: Ports) -> GatewayIdentity:
    roster = await ports.gateway.roster()
    found = next((one for one in roster.identities if one.session_user == approval.requester.subject), None)
    if found is None:
        raise RejectedError("nothing-to-end", "the requester is no longer at the gateway")
    return found
