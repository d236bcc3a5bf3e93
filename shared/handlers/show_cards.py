"""Show cards: every copy that an approval wants is on its way; showing one again as it is changes nothing."""

from shared.domain.approval import Approval
from shared.domain.card_copy import CardUpdate
from shared.domain.card_plan import wanted_copies
from shared.handlers.open_approval import resolved_routes
from shared.handlers.review_turn import needed
from shared.ports import ApprovalRules, Ports


async def show_cards(approval: Approval, correlation_id: str, ports: Ports, asking: ApprovalRules) -> None:
    """One message per copy is on the queue: those wanted now, and those that were shown before."""
    known = [copy.spec for copy in await needed(ports).copies.all(approval.review_id)]
    specs = dict.fromkeys((*wanted_copies(approval, await resolved_routes(ports, asking)), *known))
    now = ports.clock.now()
    await ports.queue.send_card_updates([CardUpdate(approval.review_id, spec, now, correlation_id) for spec in specs])
