"""Tell of a leaver: approvals hear at once when somebody who asks, or has answered, loses access."""

from shared.domain.principals import PrincipalChange
from shared.domain.reviews import ReviewEvent, ReviewEventKind
from shared.errors import RetryLaterError
from shared.ports import Ports


async def tell_of_leaver(change: PrincipalChange, ports: Ports) -> None:
    """A look at everything in which this principal has a part is on the queue, if anything waits for an answer.

    That this is missed must cost nothing: who lost access is refused, and not counted, at the moment of the decision.
    """
    if ports.approval is None:
        return
    event = ReviewEvent(
        change.principal_id, "revocation", ports.clock.now(), change.correlation_id, ReviewEventKind.LEAVER
    )
    try:
        if await ports.approval.approvals.open_ones():
            await ports.queue.send_review_events([event])
    except RetryLaterError as error:
        ports.alerts.raise_alert("leaver-not-told", principal_id=change.principal_id, because=error.reason)
