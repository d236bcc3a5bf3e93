"""Wake again: the next look at a request that waits, as a scheduled message."""

from datetime import timedelta

from shared.domain.reviews import ReviewEvent
from shared.domain.routes import Timing, reminders
from shared.handlers.review_turn import ReviewTurn

CLOCK = "clock"
EARLY = timedelta(seconds=1)


async def wake_again(ours: ReviewTurn, event: ReviewEvent) -> None:
    """Reminders, the second channel and the end of patience, each by one scheduled look."""
    approval, now = ours.approval, ours.ports.clock.now()
    timing = _timing(ours)
    moments = reminders(timing, approval.created_at)
    escalate_at = approval.created_at + timing.escalate_after
    ours.keep(reminders=sum(moment <= now for moment in moments), escalated=escalate_at <= now)
    upcoming = (moment for moment in (*moments, escalate_at, approval.expires_at) if moment > now)
    look_at = min(upcoming, default=approval.expires_at)
    # The message that was sent for this moment is in hand when it arrives early, as clocks differ.
    is_early = event.source == CLOCK and event.received_at == look_at
    if look_at != approval.look_at or is_early:
        look = ReviewEvent(approval.session_id, CLOCK, look_at, ours.ports.clock.new_id())
        at = max(look_at, now + EARLY) if is_early else look_at
        await ours.ports.queue.send_review_events([look], at + timedelta(milliseconds=50))
        ours.keep(look_at=look_at)


def _timing(ours: ReviewTurn) -> Timing:
    routes = [route for group in ours.approval.groups if (route := ours.rules.routes.route_for(group)) is not None]
    return min((route.timing for route in routes), key=lambda timing: timing.expire_after, default=Timing())
