"""Faces: what each copy of a card says now."""

from typing import Any

from shared.domain.approval import Approval, ApprovalState
from shared.domain.card_copy import Audience, CopySpec, Face
from shared.domain.card_plan import answers_of
from shared.domain.card_token import Shown
from shared.domain.posture.attestation import Attestation
from shared.domain.posture.owner_cards import answers_on, seen_digests, token_expires_at
from shared.handlers.card_subject import CardSubject
from shared.ports import ApprovalRules
from shared.wire.cards.activities import activity, reminder
from shared.wire.cards.attestation import attestation_card, attestation_headline
from shared.wire.cards.decided import decided_card
from shared.wire.cards.request import request_card
from shared.wire.cards.requester import requester_card
from shared.wire.cards.security import security_card


def face_of(subject: CardSubject, spec: CopySpec, conversation_id: str, asking: ApprovalRules) -> Face:
    """The activity that shows a copy in its conversation; the same as long as nothing changes."""
    if isinstance(subject, Face):
        return subject
    if isinstance(subject, Attestation):
        card = owner_card_of(subject, spec, conversation_id, asking)
        return activity(card, attestation_headline(subject, spec))
    if spec.audience is Audience.REMINDER:
        return reminder(subject, subject.mentions, spec.number)
    return activity(card_of(subject, spec, conversation_id, asking), _summary(subject, spec))


def owner_card_of(
    attestation: Attestation, spec: CopySpec, conversation_id: str, asking: ApprovalRules
) -> dict[str, Any]:
    """The card of a copy of an attestation, its buttons bound to the conversation and to what it shows."""
    link = asking.report_url.format(report_id=attestation.report_id) if asking.report_url else None
    shown = Shown(conversation_id, answers_on(spec), seen_digests(attestation, spec)[0])
    expires_at = token_expires_at(attestation.asked_at)
    token = asking.tokens.issue(attestation.attestation_id, spec.copy_id, expires_at, shown)
    return attestation_card(attestation, spec, token, link)


def card_of(approval: Approval, spec: CopySpec, conversation_id: str, asking: ApprovalRules) -> dict[str, Any]:
    """The card of a copy, its buttons bound to the conversation."""
    link = asking.review_url.format(session_id=approval.session_id) if asking.review_url else None
    token = _token(approval, spec, conversation_id, asking)
    if spec.audience is Audience.SECURITY:
        return security_card(approval, link)
    if spec.audience is Audience.REQUESTER:
        return requester_card(approval, token, link)
    if approval.is_open:
        return request_card(approval, token, link, break_glass=asking.routes.break_glass is not None)
    return decided_card(approval, link, token=token)


def _token(approval: Approval, spec: CopySpec, conversation_id: str, asking: ApprovalRules) -> str:
    shown = Shown(conversation_id, answers_of(spec.audience, asking.routes), approval.input_digest)
    ends_at = approval.outcome.expires_at if approval.outcome is not None else None
    is_for_grant = spec.audience is Audience.REQUESTER and ends_at is not None
    expires_at = ends_at if is_for_grant and ends_at is not None else approval.expires_at
    return asking.tokens.issue(approval.review_id, spec.copy_id, expires_at, shown)


def _summary(approval: Approval, spec: CopySpec) -> str:
    """What a phone's notification says; the name is made harmless with the rest of the activity."""
    who, where = approval.requester.name, approval.connection
    if spec.audience is Audience.SECURITY:
        return f"Needs your eyes: {who} on {where}"
    if approval.is_open:
        return f"{who} asks for {where}"
    words = {ApprovalState.APPROVED: "approved", ApprovalState.DENIED: "denied", ApprovalState.EXPIRED: "expired"}
    return f"{who} on {where}: {words.get(approval.state, 'withdrawn')}"
