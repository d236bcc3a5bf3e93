"""Requester card: what those who asked, or who stand behind an agent, are told."""

from shared.domain.approval import Approval, ApprovalState
from shared.domain.gateway import ReviewType
from shared.wire.cards.about import question
from shared.wire.cards.command import command_hash
from shared.wire.cards.decided import decision_facts
from shared.wire.cards.elements import Card, Element, banner, block, card, execute, fact, open_link, refreshed
from shared.wire.cards.text import said
from shared.wire.cards.words import moment

_FACES = {
    ApprovalState.PENDING: ("emphasis", "Your request waits", "The reviewers have been asked."),
    ApprovalState.APPROVED: ("good", "Your request is approved", "Connect now. Give access back when you are done."),
    ApprovalState.DENIED: ("attention", "Your request is denied", "You may ask again with what was missing."),
    ApprovalState.EXPIRED: ("warning", "Your request has expired", "Nobody answered in time. You may ask again."),
    ApprovalState.WITHDRAWN: ("warning", "Your request is withdrawn", "There is nothing left to decide."),
}
_RUN_IT = "Run it now: the approval is for this one command. In the command line it continues by itself."


def requester_card(approval: Approval, token: str | None, link: str | None) -> Card:
    """The news for the requester, or for an agent's sponsors. With a `token`, a running grant can be given back."""
    style, title, hint = _face(approval)
    body = [
        banner(style, title, question(approval)),
        block(said(hint), spacing="Medium"),
        *_facts(approval),
        *command_hash(approval),
    ]
    actions = [*_done(approval, token), *open_link(link)]
    refresh = refreshed(token, userIds=[]) if token else None
    return card(f"{title}.", body, actions, refresh)


def _face(approval: Approval) -> tuple[str, str, str]:
    style, title, hint = _FACES[approval.state]
    if approval.state is not ApprovalState.APPROVED:
        return style, title, hint
    if approval.ended_at is not None:
        return "emphasis", "Your access has ended", "It was given back before its time. Thank you."
    if approval.type is ReviewType.ONETIME:
        return style, title, _RUN_IT
    return style, title, hint


def _facts(approval: Approval) -> list[Element]:
    if approval.outcome is None:
        return [fact("Expires", block(said(moment(approval.expires_at)), spacing="None"))]
    return decision_facts(approval, approval.outcome)


def _done(approval: Approval, token: str | None) -> list[Element]:
    is_running = approval.state is ApprovalState.APPROVED and approval.ended_at is None
    if not token or not is_running or approval.type is not ReviewType.JIT:
        return []
    return [execute("I'm done", "done", token, style="positive", associatedInputs="none")]
