"""Show an attestation: every copy of its card is on its way; showing one again as it is changes nothing."""

from datetime import datetime

from shared.domain.card_copy import CardUpdate
from shared.domain.posture.attestation import Attestation
from shared.domain.posture.owner_cards import wanted_copies
from shared.handlers.review_turn import needed
from shared.ports import Ports


async def show_attestation(
    attestation: Attestation, correlation_id: str, ports: Ports, channel: str, at: datetime | None = None
) -> None:
    """One message per copy is on the queue, visible from `at` on: those wanted now, and those of earlier rounds."""
    known = [copy.spec for copy in await needed(ports).copies.all(attestation.attestation_id)]
    specs = dict.fromkeys((*wanted_copies(attestation, channel), *known))
    now = at or ports.clock.now()
    updates = [CardUpdate(attestation.attestation_id, spec, now, correlation_id) for spec in specs]
    await ports.queue.send_card_updates(updates, at)
