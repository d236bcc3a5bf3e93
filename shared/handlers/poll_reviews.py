"""Poll reviews: find what no webhook announced, and what was decided elsewhere."""

from shared.domain.reviews import ReviewEvent
from shared.handlers.review_turn import needed
from shared.ports import Ports


async def poll_reviews(ports: Ports) -> int:
    """The number of looks enqueued: at pending reviews that are new, and at open approvals that are pending no more."""
    outside, now = needed(ports), ports.clock.now()
    pending = dict.fromkeys(await outside.reviews.pending())
    known = dict.fromkeys((await outside.approvals.open_ones()).values())
    differing = [one for one in pending if one not in known] + [one for one in known if one not in pending]
    await ports.queue.send_review_events(ReviewEvent(one, "poll", now, ports.clock.new_id()) for one in differing)
    return len(differing)
