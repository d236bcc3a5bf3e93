"""Poll reviews: find what no webhook announced, and what was decided elsewhere."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from shared.domain.reviews import ReviewEvent
from shared.handlers.review_turn import needed
from shared.ports import Ports

PERIOD = 10
OVERDUE = timedelta(minutes=10)


async def poll_reviews(ports: Ports) -> int:
    """The number of looks enqueued: at pending reviews that are new, and at open approvals that are pending no more.

    Once a minute at those, too, whose next look is long overdue: its message has run out of attempts.
    """
    outside, now = needed(ports), ports.clock.now()
    pending = dict.fromkeys(await outside.reviews.pending())
    still_open = await outside.approvals.open_ones()
    known = dict.fromkeys(still_open.values())
    differing = [one for one in pending if one not in known] + [one for one in known if one not in pending]
    if now.second < PERIOD:
        differing += await _overdue(still_open, ports)
    looks = [ReviewEvent(one, "poll", now, ports.clock.new_id()) for one in dict.fromkeys(differing)]
    await ports.queue.send_review_events(looks)
    return len(looks)


async def _overdue(still_open: Mapping[str, str], ports: Ports) -> list[str]:
    read = await asyncio.gather(*(needed(ports).approvals.read(review_id) for review_id in still_open))
    latest = ports.clock.now() - OVERDUE
    return [
        approval.session_id
        for approval in read
        if approval is not None and approval.is_open and approval.look_at is not None and approval.look_at < latest
    ]
