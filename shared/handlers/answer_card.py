"""Answer a card: one person's click, decided in one order and failing closed at each step, answered in time."""

import asyncio
from typing import Any

from shared.domain.activities import Activity
from shared.domain.approval import Approval, Choice
from shared.domain.card_copy import Audience, CardCopy
from shared.domain.card_plan import DONE, answers_of
from shared.domain.card_token import CardToken, Shown, parse_card_token
from shared.domain.click import Answer, consider, still_counting
from shared.domain.outcome import as_shown
from shared.domain.reviews import ReviewEvent
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.answer_posture_card import answer_posture_card
from shared.handlers.apply_votes import close_as_shown, read_shown
from shared.handlers.card_click import Click, learn_from
from shared.handlers.end_grant import end_grant
from shared.handlers.faces import card_of
from shared.handlers.identify_requester import requester_now
from shared.handlers.judge_approver import judge_approver, read_voters
from shared.handlers.review_turn import needed, next_turn
from shared.handlers.show_cards import show_cards
from shared.handlers.take_vote import take_vote, withdraw_votes
from shared.ports import ApprovalRules, Ports
from shared.wire.activities import card_answer, login_request, message_answer
from shared.wire.cards.sentences import sentence

Json = dict[str, Any]


class _SignInNeededError(Exception):
    """Teams shall send the same click again, with the person's token."""


async def answer_card(activity: Activity, ports: Ports, asking: ApprovalRules) -> Json:
    """The invoke's answer, always well-formed: the card as it is now, or a sentence that says why nothing happened."""
    if activity.action is None:
        return message_answer(sentence("unknown-card"))
    click = Click(activity, activity.action, ports.clock.new_id(), ports, asking)
    try:
        async with asyncio.timeout(asking.click_seconds):
            return await _answer(click)
    except _SignInNeededError:
        return login_request("gateway", asking.sign_in_resource, None, click.correlation_id)
    except TimeoutError:
        ports.alerts.raise_alert("click-too-slow", verb=activity.action.verb)
        return message_answer(sentence("still-working"))
    except RejectedError as error:
        ports.alerts.measure("click-refused", 0.0, because=error.reason)
        return message_answer(sentence(error.reason))
    except RetryLaterError as error:
        ports.alerts.raise_alert("click-not-decided", because=error.reason)
        return message_answer(sentence("gateway-down" if error.reason.startswith("gateway-") else "try-again"))


async def _answer(click: Click) -> Json:
    token, outside = parse_card_token(click.action.token), needed(click.ports)
    found, copy = await asyncio.gather(
        outside.approvals.read(token.review_id), outside.copies.find(token.review_id, token.copy_id)
    )
    if found is None and click.ports.posture is not None:
        return await answer_posture_card(token, copy, click)
    return await _answer_approval(*_opened(found, copy, token, click), click)


async def _answer_approval(approval: Approval, copy: CardCopy, click: Click) -> Json:
    await learn_from(click, copy)
    verb, asking = click.action.verb, click.asking
    if click.is_refresh:
        return _card(approval, copy, click)
    if verb not in answers_of(copy.spec.audience, asking.routes):
        raise RejectedError("forged-token", "this card does not offer that answer")
    try:
        if verb == DONE:
            approval = await end_grant(approval, click.person_id, click.correlation_id, click.ports, asking)
        else:
            approval = await _vote(approval, Choice(verb), click)
    except AlreadyDecidedError:
        approval = await needed(click.ports).approvals.read(approval.review_id) or approval
    return _card(approval, copy, click)


def _opened(
    approval: Approval | None, copy: CardCopy | None, token: CardToken, click: Click
) -> tuple[Approval, CardCopy]:
    """What a token stands for, its seal checked against this conversation and this command."""
    if approval is None or copy is None:
        raise RejectedError("forged-token", "no such card")
    answers = answers_of(copy.spec.audience, click.asking.routes)
    click.asking.tokens.check(token, Shown(click.activity.conversation_id, answers, approval.input_digest))
    return approval, copy


def _card(approval: Approval, copy: CardCopy, click: Click) -> Json:
    if copy.spec.audience is Audience.REMINDER:
        return message_answer(sentence("already-decided"))
    return card_answer(card_of(approval, copy.spec, click.activity.conversation_id, click.asking))


async def _vote(approval: Approval, choice: Choice, click: Click) -> Approval:
    """The approval after this answer: one more vote, or the end."""
    ports, asking = click.ports, click.asking
    answer = Answer(choice, ports.clock.now(), click.action.reason)
    if _is_repeated(approval, choice, click):
        return approval
    token = await _own_token(approval, choice, click)
    async with next_turn(approval, click.correlation_id, ports, asking) as ours:
        if _is_repeated(ours.approval, choice, click):
            return ours.approval
        question, clicker, voters, requester = await asyncio.gather(
            read_shown(ours),
            judge_approver(click.person_id, ours.approval.groups, ports, asking),
            read_voters(ours.approval, ports, asking),
            requester_now(ours.approval.requester, ports),
        )
        if await close_as_shown(ours, question):
            await _tell_everybody(ours.approval, click)
            raise AlreadyDecidedError("already-decided")
        ours.keep(as_shown(ours.approval, question.review), requester=requester)
        if question.session.input_digest != ours.approval.input_digest:
            await _look_now(ours.approval, click)
        vote = consider(ours.approval, question, clicker, answer)
        kept, lost = still_counting(ours.approval, question, voters)
        ours.keep(kept)
        if lost:
            await withdraw_votes(ours, lost)
        await take_vote(ours, question, vote, token)
    await _tell_everybody(ours.approval, click)
    took = (ports.clock.now() - answer.at).total_seconds()
    ports.alerts.measure("click-to-decision", took, choice=choice)
    return ours.approval


def _is_repeated(approval: Approval, choice: Choice, click: Click) -> bool:
    """Teams repeats a click whose answer it did not see: whoever has voted sees the card."""
    mine = approval.vote_of(click.person_id)
    return mine is not None and mine.choice is choice


async def _look_now(approval: Approval, click: Click) -> None:
    """The cards do not show what is asked any more: somebody makes new ones."""
    look = ReviewEvent(approval.session_id, "click", click.ports.clock.now(), click.correlation_id)
    await click.ports.queue.send_review_events([look])


async def _tell_everybody(approval: Approval, click: Click) -> None:
    """What was decided stands, whether it can be shown at once or not: a look that shows it is on the queue."""
    try:
        await show_cards(approval, click.correlation_id, click.ports, click.asking)
    except RetryLaterError as error:
        click.ports.alerts.raise_alert("cards-late", review_id=approval.review_id, because=error.reason)


async def _own_token(approval: Approval, choice: Choice, click: Click) -> str | None:
    """The person's own token for the gateway, where approvers sign in and one answer is enough.

    With several answers to give, the gateway would count all groups of a person at once: keys carry those.
    """
    sign_in = needed(click.ports).sign_in
    if sign_in is None or approval.needed != 1 or choice is Choice.BREAK_GLASS:
        return None
    if click.action.sso_token is None:
        raise _SignInNeededError
    return await sign_in.exchange(click.action.sso_token, click.person_id)
