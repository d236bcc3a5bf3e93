"""Anchor: once a day, fix where every chain of evidence stands, so that none can be shortened unnoticed."""

from datetime import timedelta

from shared.handlers.answer_attestation import CHAINS as ATTESTATIONS
from shared.handlers.review_turn import CHAINS
from shared.ports import Ports


async def anchor_evidence(ports: Ports) -> int:
    """The number of chains in the anchor of the day that ended; an anchored day stays as it is."""
    day = (ports.clock.now() - timedelta(days=1)).date().isoformat()
    heads = {
        record.state.principal_id: record.state.chain
        async for record in ports.records.all()
        if record.state is not None and record.state.chain.entries
    }
    if ports.approval is not None:
        heads |= {f"{CHAINS}{one.review_id}": one.chain async for one in ports.approval.approvals.all()}
    if ports.posture is not None:
        # An attestation that nobody has answered yet has no chain.
        known = [one async for one in ports.posture.attestations.all() if one.chain.entries]
        heads |= {f"{ATTESTATIONS}{one.attestation_id}": one.chain for one in known}
    document = await ports.evidence.anchor(day, heads)
    return len(document["heads"])
