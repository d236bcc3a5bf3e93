"""Decided card: how a request ended, for those who were asked."""

from shared.domain.approval import Approval, ApprovalState, Outcome
from shared.domain.click import LONGEST_REASON
from shared.wire.cards.about import names, question, requester_facts
from shared.wire.cards.command import command_hash
from shared.wire.cards.elements import Card, Element, banner, block, card, fact, open_link, refreshed
from shared.wire.cards.text import quoted, said
from shared.wire.cards.words import counted, moment

_HEADINGS = {
    ApprovalState.PENDING: ("emphasis", "Access request"),
    ApprovalState.APPROVED: ("good", "Approved"),
    ApprovalState.DENIED: ("attention", "Denied"),
    ApprovalState.EXPIRED: ("warning", "Expired"),
    ApprovalState.WITHDRAWN: ("warning", "Withdrawn"),
}
_MEANINGS = {
    ApprovalState.APPROVED: "Checked at the gateway: the approval is in force.",
    ApprovalState.DENIED: "The gateway refuses the request.",
    ApprovalState.EXPIRED: "Nobody answered in time; the gateway refuses the request.",
    ApprovalState.WITHDRAWN: "There is nothing left to decide.",
}


def decided_card(approval: Approval, link: str | None, *, token: str = "") -> Card:
    """The card of a request that has ended: no inputs, no buttons but the link. `token` serves a refresh by hand."""
    outcome = approval.outcome or Outcome(approval.state, approval.created_at)
    style, title = _face(approval, outcome)
    body = [
        banner(style, title, question(approval)),
        *_meaning(approval, outcome),
        *decision_facts(approval, outcome),
        *requester_facts(approval.requester),
        *command_hash(approval),
    ]
    spoken = f"Access request: {title.lower()}."
    return card(spoken, body, open_link(link), refreshed(token, userIds=[]))


def decision_facts(approval: Approval, outcome: Outcome) -> list[Element]:
    """Who decided, why, when, until when it holds, and whether it was given back."""
    facts: list[Element] = []
    if outcome.by:
        facts.append(fact("By", block(*names(outcome.by), spacing="None")))
    if outcome.reason:
        facts.append(fact("Reason", block(*quoted(outcome.reason, LONGEST_REASON), spacing="None")))
    label = "Decided" if outcome.state in (ApprovalState.APPROVED, ApprovalState.DENIED) else "Ended"
    facts.append(fact(label, block(said(moment(outcome.at)), spacing="None")))
    if outcome.expires_at is not None:
        facts.append(fact("Until", block(said(moment(outcome.expires_at)), spacing="None")))
    if approval.ended_at is not None:
        closed = f"{moment(approval.ended_at)}; {counted(approval.sessions_ended, 'session')} ended"
        facts.append(fact("Given back", block(said(closed), spacing="None")))
    return facts


def _face(approval: Approval, outcome: Outcome) -> tuple[str, str]:
    style, title = _HEADINGS[outcome.state]
    if outcome.forced:
        return "attention", "Break-glass: approved by force"
    if approval.ended_at is not None:
        return "emphasis", "Approved, and given back"
    if outcome.way == "gateway":
        return style, f"{title} at the gateway"
    return style, title


def _meaning(approval: Approval, outcome: Outcome) -> list[Element]:
    is_over = approval.ended_at is not None
    lines = [_MEANINGS[outcome.state]] if outcome.state in _MEANINGS and not is_over else []
    if outcome.forced:
        lines.append("The reviewer groups were not waited for. The security channel has been told.")
    elif outcome.way == "gateway":
        lines.append("It was decided outside Teams, in the gateway's web page, its command line or Slack.")
    return [block(said(" ".join(lines)), spacing="Medium")] if lines else []
