"""Card subject: what is behind a card: an approval, an attestation, or a notice that says one thing for good."""

from dataclasses import replace

from shared.domain.approval import Approval
from shared.domain.card_copy import Audience, CardUpdate, CopySpec, Face, PlaceKind
from shared.domain.evidence import START
from shared.domain.posture.attestation import Attestation
from shared.domain.posture.owner_cards import wanted_copies
from shared.errors import RetryLaterError
from shared.handlers.review_turn import needed
from shared.ports import ApprovalRules, Ports, PosturePorts

CardSubject = Approval | Attestation | Face


async def read_subject(update: CardUpdate, ports: Ports) -> CardSubject | None:
    """What the copy is about, as it is now; `None` when there is no such thing."""
    if update.spec.audience is Audience.OWNER:
        return await posture_needed(ports).attestations.read(update.review_id)
    if update.spec.audience is Audience.NOTICE:
        return await posture_needed(ports).notices.read(update.review_id)
    return await needed(ports).approvals.read(update.review_id)


def seen_of(subject: CardSubject | None) -> CardSubject | None:
    """The subject without what no card shows."""
    if isinstance(subject, Approval):
        return replace(subject, claim=None, version=None, look_at=None)
    if isinstance(subject, Attestation):
        return replace(subject, underway=None, chain=START, version=None)
    return subject


def is_late(subject: CardSubject, spec: CopySpec, asking: ApprovalRules) -> bool:
    """Whether nobody has to be asked, reminded or told any more by a copy that is not there yet."""
    if isinstance(subject, Approval):
        return not subject.is_open and spec.audience in (Audience.APPROVERS, Audience.REMINDER)
    if isinstance(subject, Attestation):
        is_asked = subject.stage.is_open or spec.place.kind is PlaceKind.CHANNEL
        return not is_asked or spec not in wanted_copies(subject, asking.posture.channel)
    return False


def posture_needed(ports: Ports) -> PosturePorts:
    """The ports of owners' cards, where they are set up; a message about an attestation cannot exist elsewhere."""
    if ports.posture is None:
        raise RetryLaterError("posture-off", "set what Teams needs: owners' cards are shown there")
    return ports.posture
