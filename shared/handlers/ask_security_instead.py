"""Ask security instead: the team hears of an identity none of whose people can be reached in Teams."""

from dataclasses import replace

from shared.domain.card_copy import CardCopy, CardUpdate, CopyState, PlaceKind
from shared.domain.posture.attestation import Attestation
from shared.domain.posture.owner_cards import security_copy, wanted_copies
from shared.errors import AlreadyDecidedError, RetryLaterError
from shared.handlers.card_subject import posture_needed
from shared.handlers.review_turn import needed
from shared.ports import ApprovalRules, Ports


async def ask_security_instead(lost: CardCopy, update: CardUpdate, ports: Ports, asking: ApprovalRules) -> None:
    """The security team's card is on its way, unless somebody else may still answer, or nobody has to.

    Raises `RetryLaterError` (`attestation-contended`) when the attestation changed meanwhile.
    """
    channel = asking.posture.channel
    attestation = await posture_needed(ports).attestations.read(lost.review_id)
    if attestation is None or not attestation.stage.is_open or not channel:
        return
    if lost.spec.place.kind is not PlaceKind.PERSON or await _is_somebody_left(attestation, lost, ports):
        return
    if attestation.escalated_at is None:
        try:
            await posture_needed(ports).attestations.save(replace(attestation, escalated_at=ports.clock.now()))
        except AlreadyDecidedError as error:
            raise RetryLaterError("attestation-contended", error.detail) from error
    await ports.queue.send_card_updates([replace(update, spec=security_copy(attestation, channel), attempt=0)])


async def _is_somebody_left(attestation: Attestation, lost: CardCopy, ports: Ports) -> bool:
    known = {copy.spec: copy.state for copy in await needed(ports).copies.all(attestation.attestation_id)}
    asked = (spec for spec in wanted_copies(attestation, "") if spec.number > 0 and spec.place != lost.spec.place)
    return any(known.get(spec) is not CopyState.LOST for spec in asked)
