"""Security card: what the security channel must hear of at once."""

from shared.domain.approval import Approval
from shared.wire.cards.about import groups, names, question, requester_facts
from shared.wire.cards.command import command_hash
from shared.wire.cards.decided import decision_facts
from shared.wire.cards.elements import Card, Element, banner, block, card, fact, open_link
from shared.wire.cards.text import said
from shared.wire.cards.words import ended

_FORCED = "Somebody approved this by force, without the reviewer groups. Check that it was right."
_STUCK = "The gateway counts past its threshold: no vote can decide this any more. Deny it, or use break-glass."
_UNROUTED = "No Teams channel is configured for a reviewer group, so nobody was asked there. Add a route for it."


def security_card(approval: Approval, link: str | None) -> Card:
    """The loud notice: break-glass, a stuck review, or reviewer groups that nobody can be asked for."""
    style, title, meaning = _face(approval)
    body = [banner(style, title, question(approval)), block(said(meaning), spacing="Medium")]
    if approval.unasked:
        body.append(fact("No route", block(*names(map(approval.title_of, approval.unasked)), spacing="None")))
    body += [fact("Asked", groups(approval)), *_decision(approval), *requester_facts(approval.requester)]
    return card(f"{title}.", [*body, *command_hash(approval)], open_link(link))


def _face(approval: Approval) -> tuple[str, str, str]:
    if approval.outcome is not None and approval.outcome.forced:
        return "attention", "Break-glass was used", _FORCED
    if approval.outcome is not None:
        return "emphasis", "No longer waiting", f"The request is {ended(approval.state)}."
    if approval.stuck:
        return "attention", "A request is stuck", _STUCK
    if approval.unasked:
        return "warning", "Nobody can be asked", _UNROUTED
    return "warning", "A request needs attention", "It waits for an answer."


def _decision(approval: Approval) -> list[Element]:
    return [] if approval.outcome is None else decision_facts(approval, approval.outcome)
