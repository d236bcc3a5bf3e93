"""Poll reviews: find what no webhook announced, and what was decided elsewhere."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.approval import Approval
from shared.domain.reviews import POLL, ReviewEvent
from shared.handlers.review_turn import needed
from shared.ports import Ports

PERIOD = 10
OVERDUE = timedelta(minutes=10)


async def poll_reviews(ports: Ports) -> int:
    """The number of looks enqueued: at pending reviews that are new, and at open approvals that are pending no more.

    Once a minute at those, too, whose next look is long overdue or was never planned, as its message has run out of
    attempts; and at those in which votes wait for others, or of which nobody knows who asks.
    """
    outside, now = needed(ports), ports.clock.now()
    pending = dict.fromkeys(await outside.reviews.pending())
    still_open = await outside.approvals.open_ones()
    known = dict.fromkeys(still_open.values())
    differing = [one for one in pending if one not in known] + [one for one in known if one not in pending]
    if now.second < PERIOD:
        differing += await _due(still_open, ports)
    looks = [ReviewEvent(one, POLL, now, ports.clock.new_id()) for one in dict.fromkeys(differing)]
    await ports.queue.send_review_events(looks)
    return len(looks)


async def _due(still_open: Mapping[str, str], ports: Ports) -> list[str]:
    read = await asyncio.gather(*(needed(ports).approvals.read(review_id) for review_id in still_open))
    now = ports.clock.now()
    return [session_id for session_id, known in zip(still_open.values(), read, strict=True) if _is_due(known, now)]


def _is_due(known: Approval | None, now: datetime) -> bool:
    if known is None:
        return True
    is_at_work = known.claim is not None and known.claim.is_held(now)
    if not known.is_open or is_at_work:
        return False
    is_overdue = known.look_at is None or known.look_at < now - OVERDUE
    return is_overdue or bool(known.votes) or known.requester.principal_id is None
