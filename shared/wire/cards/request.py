"""Request card: the question to the approvers, with what they need to answer it."""

from shared.domain.approval import Approval, Choice, Vote, assign
from shared.domain.click import LONGEST_REASON
from shared.wire.cards.about import approved_groups, groups, names, question, requester_facts, requester_warnings
from shared.wire.cards.command import command
from shared.wire.cards.elements import (
    Card,
    Element,
    banner,
    block,
    card,
    execute,
    fact,
    open_link,
    reason_input,
    refreshed,
    warning,
)
from shared.wire.cards.fit import fitting
from shared.wire.cards.text import quoted, said
from shared.wire.cards.words import chosen, moment

_MOST_VOTES = 6
_NAME = 64


def request_card(approval: Approval, token: str, link: str | None, *, break_glass: bool = False) -> Card:
    """The card of a request that waits. `break_glass` adds the button that approves by force."""
    return fitting(lambda longest: _request_card(approval, token, link, longest, break_glass=break_glass))


def given(approval: Approval) -> int:
    """How many of the needed approvals are there: those at the gateway, and those that wait to be sent."""
    waiting = [vote for vote in approval.votes if vote.choice is Choice.APPROVE and not vote.applied]
    approved = approved_groups(approval)
    unanswered = [group for group in approval.groups if group not in approved]
    return min(approval.needed, len(approved) + len(assign(waiting, unanswered)))


def _request_card(approval: Approval, token: str, link: str | None, longest: int, *, break_glass: bool) -> Card:
    body = [
        banner("emphasis", "Access request", question(approval)),
        *_warnings(approval),
        *requester_facts(approval.requester),
        fact("Asked", groups(approval)),
        fact("Approvals", *_votes(approval)),
        fact("Expires", block(said(moment(approval.expires_at)), spacing="None")),
        *command(approval, longest),
        reason_input(LONGEST_REASON, "Reason (needed to deny or for break-glass)", "Why? The requester will read it."),
    ]
    spoken = "Somebody asks for access and waits for approval."
    return card(spoken, body, _actions(token, link, break_glass=break_glass), refreshed(token))


def _actions(token: str, link: str | None, *, break_glass: bool) -> list[Element]:
    actions = [
        execute("Approve", "approve", token, style="positive", associatedInputs="none"),
        execute("Deny", "deny", token, style="destructive", associatedInputs="auto"),
        *open_link(link),
    ]
    if break_glass:
        actions.append(execute("Break glass", "break-glass", token, mode="secondary", associatedInputs="auto"))
    return actions


def _warnings(approval: Approval) -> list[Element]:
    warnings = requester_warnings(approval.requester)
    if approval.stuck:
        text = "No vote can decide this any more; only break-glass or Deny."
        warnings.append(warning("Stuck at the gateway.", said(text), style="attention"))
    if approval.escalated:
        warnings.append(warning("Escalated.", said("Nobody answered in time where it was asked first.")))
    return warnings


def _votes(approval: Approval) -> list[Element]:
    count = f"{given(approval)} of {approval.needed} needed"
    votes = [
        *(_vote(approval, vote) for vote in approval.votes),
        *(_vote(approval, vote, " (not seen at the gateway)") for vote in approval.unconfirmed),
    ]
    told = [said(", the gateway is being told")] if approval.deciding else []
    return [block(said(count, weight="Bolder"), *told, spacing="None"), *votes[:_MOST_VOTES]]


def _vote(approval: Approval, vote: Vote, note: str = "") -> Element:
    groups = (vote.group,) if vote.group else vote.groups
    return block(
        *quoted(vote.approver.name, _NAME),
        said(f" {chosen(vote.choice)} for "),
        *names(map(approval.title_of, groups), most=3),
        said(f", {moment(vote.at)}{note}", isSubtle=True),
        spacing="None",
    )
