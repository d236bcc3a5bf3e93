"""Receive a gateway event: whatever it says, the review is looked at; what it does not say, the poll finds."""

from shared.domain.reviews import ReviewEvent
from shared.ports import Ports
from shared.wire.gateway_events import GatewayEvent


async def receive_gateway_event(event: GatewayEvent, ports: Ports) -> None:
    """A look at the session's review is durable, if the event is about one."""
    if event.session_id is not None:
        look = ReviewEvent(event.session_id, "webhook", ports.clock.now(), ports.clock.new_id())
        await ports.queue.send_review_events([look])
