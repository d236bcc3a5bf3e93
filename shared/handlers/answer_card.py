"""Answer a card: one person's click, decided in one order and failing closed at each step, answered in time."""

import asyncio
from typing import Any

from shared.domain.activities import Activity, CardAction
from shared.domain.approval import Approval, Choice
from shared.domain.card_copy import Audience, CardCopy
from shared.domain.card_plan import DONE, answers_of
from shared.domain.card_token import Shown, parse_card_token
from shared.domain.click import Answer, consider
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.apply_votes import close_as_shown, read_shown
from shared.handlers.end_grant import end_grant
from shared.handlers.faces import card_of
from shared.handlers.judge_approver import drop_lost_votes, judge_approver
from shared.handlers.review_turn import needed, next_turn
from shared.handlers.show_cards import show_cards
from shared.handlers.take_vote import take_vote
from shared.ports import ApprovalRules, Ports
from shared.wire.activities import card_answer, login_request, message_answer
from shared.wire.cards.sentences import sentence

Json = dict[str, Any]
REFRESH = "refresh"


async def answer_card(activity: Activity, ports: Ports, asking: ApprovalRules) -> Json:
    """The invoke's answer, always well-formed: the card as it is now, or a sentence that says why nothing happened."""
    action = activity.action
    if action is None:
        return message_answer(sentence("unknown-card"))
    correlation_id = ports.clock.new_id()
    try:
        async with asyncio.timeout(asking.click_seconds):
            return await _answer(activity, action, correlation_id, ports, asking)
    except TimeoutError:
        return message_answer(sentence("still-working"))
    except RejectedError as error:
        ports.alerts.measure("click-refused", 0.0, because=error.reason)
        return message_answer(sentence(error.reason))
    except RetryLaterError as error:
        ports.alerts.raise_alert("click-not-decided", because=error.reason)
        return message_answer(sentence("gateway-down" if error.reason.startswith("gateway-") else "try-again"))


async def _answer(
    activity: Activity, action: CardAction, correlation_id: str, ports: Ports, asking: ApprovalRules
) -> Json:
    approval, copy = await _opened(activity, action, ports, asking)
    copy = await _learn(copy, activity, ports)
    if action.verb == REFRESH or action.automatic:
        return _card(approval, copy, activity, asking)
    if action.verb not in answers_of(copy.spec.audience, asking.routes):
        raise RejectedError("forged-token", "this card does not offer that answer")
    person_id = activity.person.object_id or ""
    try:
        if action.verb == DONE:
            approval = await end_grant(approval, person_id, correlation_id, ports, asking)
        else:
            approval = await _vote(approval, activity, action, correlation_id, ports, asking)
    except AlreadyDecidedError:
        approval = await needed(ports).approvals.read(approval.review_id) or approval
    except _SignInNeededError:
        return login_request("gateway", asking.sign_in_resource, None, correlation_id)
    return _card(approval, copy, activity, asking)


class _SignInNeededError(Exception):
    """Teams shall send the same click again, with the person's token."""


async def _opened(
    activity: Activity, action: CardAction, ports: Ports, asking: ApprovalRules
) -> tuple[Approval, CardCopy]:
    """What a token stands for, its seal checked against this conversation and this command."""
    token = parse_card_token(action.token)
    outside = needed(ports)
    approval, copy = await asyncio.gather(
        outside.approvals.read(token.review_id), outside.copies.find(token.review_id, token.copy_id)
    )
    if approval is None or copy is None:
        raise RejectedError("forged-token", "no such card")
    answers = answers_of(copy.spec.audience, asking.routes)
    asking.tokens.check(token, Shown(activity.conversation_id, answers, approval.input_digest))
    return approval, copy


async def _learn(copy: CardCopy, activity: Activity, ports: Ports) -> CardCopy:
    """A post whose answer was lost is known once somebody looks at it; not knowing it yet stops nobody."""
    seen = copy.seen(activity.conversation_id, activity.reply_to or "")
    if seen == copy:
        return copy
    try:
        return await needed(ports).copies.save(seen)
    except (AlreadyDecidedError, RetryLaterError):
        return seen


def _card(approval: Approval, copy: CardCopy, activity: Activity, asking: ApprovalRules) -> Json:
    if copy.spec.audience is Audience.REMINDER:
        return message_answer(sentence("already-decided"))
    return card_answer(card_of(approval, copy.spec, activity.conversation_id, asking))


async def _vote(
    approval: Approval,
    activity: Activity,
    action: CardAction,
    correlation_id: str,
    ports: Ports,
    asking: ApprovalRules,
) -> Approval:
    """The approval after this answer: one more vote, or the end."""
    answer = Answer(Choice(action.verb), ports.clock.now(), action.reason)
    person_id = activity.person.object_id or ""
    mine = approval.vote_of(person_id)
    if mine is not None and mine.choice is answer.choice:
        # Teams repeats a click whose answer it did not see: whoever has voted sees the card.
        return approval
    token = await _own_token(approval, action, person_id, ports, asking)
    async with next_turn(approval, correlation_id, ports, asking) as ours:
        question, clicker, (kept, lost) = await asyncio.gather(
            read_shown(ours),
            judge_approver(person_id, ours.approval.groups, ports, asking),
            drop_lost_votes(ours.approval, ports, asking),
        )
        if await close_as_shown(ours, question):
            raise AlreadyDecidedError("already-decided")
        vote = consider(ours.approval, question, clicker, answer)
        if lost:
            await ours.note("votes-withdrawn", review=approval.review_id, of=list(lost))
            ours.keep(kept)
        await take_vote(ours, question, vote, token)
    await show_cards(ours.approval, correlation_id, ports, asking)
    took = (ports.clock.now() - answer.at).total_seconds()
    ports.alerts.measure("click-to-decision", took, choice=answer.choice)
    return ours.approval


async def _own_token(
    approval: Approval, action: CardAction, person_id: str, ports: Ports, asking: ApprovalRules
) -> str | None:
    """The person's own token for the gateway, where approvers sign in and one answer is enough.

    With several answers to give, the gateway would count all groups of a person at once: keys carry those.
    """
    sign_in = needed(ports).sign_in
    if sign_in is None or approval.needed != 1 or action.verb == Choice.BREAK_GLASS:
        return None
    if action.sso_token is None:
        raise _SignInNeededError
    return await sign_in.exchange(action.sso_token, person_id)
