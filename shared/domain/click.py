"""Click: whether a person's answer to a card counts, decided in one order and failing closed at each step."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.approval import Approval, Choice, Person, Vote
from shared.domain.principals import AccountState, Principal
from shared.domain.reviews import Question, ReviewStatus
from shared.errors import AlreadyDecidedError, RejectedError

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Clicker:
    """Who clicked, as Entra says at this moment: `entitled` are the review's groups for which they may answer."""

    principal: Principal
    entitled: tuple[str, ...]
    may_break_glass: bool = False

    @property
    def person(self) -> Person:
        """The same, as votes name people."""
        return Person(self.principal.principal_id, self.principal.display_name or self.principal.principal_id)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person chose, with the reason they wrote."""

    choice: Choice
    at: datetime
    reason: str = ""


def consider(approval: Approval, question: Question, clicker: Clicker, answer: Answer) -> Vote:
    """The vote that counts.

    Raises:
        AlreadyDecidedError: the approval has ended, at the gateway or here.
        RejectedError: why this answer of this person does not count; the reason is a word that the card explains.
    """
    if not approval.is_open or question.review.status is not ReviewStatus.PENDING or answer.at >= approval.expires_at:
        raise AlreadyDecidedError("already-decided")
    if question.session.input_digest != approval.input_digest:
        raise RejectedError("input-changed")
    if clicker.principal.state is not AccountState.ENABLED:
        raise RejectedError("approver-disabled")
    choice = answer.choice
    _check_rights(clicker, choice)
    _check_self(approval, question, clicker, choice)
    reason = answer.reason.strip()[:LONGEST_REASON]
    if choice is not Choice.APPROVE and not reason:
        raise RejectedError("reason-missing")
    if choice is Choice.APPROVE and approval.vote_of(clicker.principal.principal_id) is not None:
        raise RejectedError("voted-already")
    if choice is Choice.APPROVE:
        _check_use(question, clicker)
    return Vote(clicker.person, choice, answer.at, clicker.entitled, reason)


def still_counting(
    approval: Approval, question: Question, voters: Mapping[str, Clicker]
) -> tuple[Approval, frozenset[str]]:
    """The approval with each waiting vote left for the groups for which its person may still answer.

    And those whose votes count no more: they may answer for none, have voted at the gateway itself, or stand behind
    whoever asks. `voters` are those whose votes wait, by object id, as Entra says at this moment.
    """
    waiting = [vote for vote in approval.votes if vote.choice is Choice.APPROVE and not vote.applied]
    kept = {
        v.approver.principal_id: _narrowed(v, approval, question, voters.get(v.approver.principal_id)) for v in waiting
    }
    votes = tuple(kept.get(v.approver.principal_id) or v for v in approval.votes)
    return replace(approval, votes=votes), frozenset(one for one, vote in kept.items() if vote is None)


def _narrowed(vote: Vote, approval: Approval, question: Question, voter: Clicker | None) -> Vote | None:
    if voter is None or voter.principal.state is not AccountState.ENABLED or _has_voted_at_gateway(question, voter):
        return None
    groups = tuple(group for group in vote.groups if group in voter.entitled)
    if not groups or voter.principal.principal_id in approval.requester.own_ids:
        return None
    return replace(vote, groups=groups, group=vote.group if vote.group in groups else None)


def _check_rights(clicker: Clicker, choice: Choice) -> None:
    """An empty list of approvers means nobody: entitlement is a membership that Entra confirmed, never its absence."""
    if choice is Choice.BREAK_GLASS and not clicker.may_break_glass:
        raise RejectedError("not-break-glass")
    if choice is not Choice.BREAK_GLASS and not clicker.entitled:
        raise RejectedError("not-an-approver")


def _check_use(question: Question, clicker: Clicker) -> None:
    if question.review.is_stuck:
        raise RejectedError("review-stuck")
    if not set(clicker.entitled) & set(question.review.open_groups):
        raise RejectedError("group-answered")


def _check_self(approval: Approval, question: Question, clicker: Clicker, choice: Choice) -> None:
    """Nobody approves for themselves: by object id, admins and break-glass included. Denying one's own is fine."""
    if choice is Choice.DENY:
        return
    if approval.requester.principal_id is None:
        raise RejectedError("requester-unknown")
    if approval.requester.state.is_shut:
        raise RejectedError("requester-shut")
    if clicker.principal.principal_id in approval.requester.own_ids:
        raise RejectedError("own-request")
    if choice is Choice.APPROVE and _has_voted_at_gateway(question, clicker):
        raise RejectedError("voted-already")


def _has_voted_at_gateway(question: Question, clicker: Clicker) -> bool:
    emails = {row.reviewer_email.casefold() for row in question.review.groups if row.reviewer_email}
    return bool(emails & clicker.principal.emails)
