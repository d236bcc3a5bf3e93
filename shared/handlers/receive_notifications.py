"""Receive what Graph sends: check it, make it durable, and let the queue do the rest."""

import asyncio
from collections import Counter

from shared.domain.client_state import ClientStateKeys
from shared.errors import RejectedError, RetryLaterError
from shared.ports import Ports
from shared.wire.graph_notifications import Delivery, parse_notifications

LARGEST_BODY = 1024 * 1024
# Graph waits 3 s, and delays or drops everything when too many answers are later than that.
ANSWER_WITHIN = 2.5


async def receive_notifications(body: bytes, keys: ClientStateKeys, ports: Ports) -> int:
    """The number of authentic notifications, all of them enqueued.

    Raises:
        RejectedError: `body-too-large`, `malformed-notifications`, or `forged-client-state` when no item is authentic.
        RetryLaterError: the queue cannot be reached; Graph sends again.
    """
    if len(body) > LARGEST_BODY:
        raise RejectedError("body-too-large", f"at most {LARGEST_BODY} bytes")
    delivery = Delivery(body, ports.clock.now(), ports.clock.new_id())
    found = parse_notifications(delivery, keys)
    for reason, count in Counter(found.refused).items():
        ports.alerts.raise_alert(reason, count=count, correlation_id=delivery.correlation_id)
    if not found.authentic:
        raise RejectedError("forged-client-state", "no notification of this delivery is authentic")
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            await asyncio.gather(ports.queue.send(found.changes), ports.queue.send_directory_events(found.events))
    except TimeoutError as error:
        raise RetryLaterError("queue-unreachable", "the queue did not answer in time for Graph") from error
    return found.authentic
