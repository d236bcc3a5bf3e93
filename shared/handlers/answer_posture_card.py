"""Answer a posture card: a click on an owner's card or a digest, checked in one order and failing closed."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.approval import Person
from shared.domain.card_copy import Audience, CardCopy, CopySpec
from shared.domain.card_token import CardToken, Shown
from shared.domain.posture.attestation import ABOUT_A_WISH, Attestation, Reply, Stage
from shared.domain.posture.owner_cards import answers_on, digest_copy, is_outdated, seen_digests
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.answer_attestation import AttestationRules, Said, answer_attestation
from shared.handlers.card_click import Click, learn_from
from shared.handlers.card_subject import posture_needed
from shared.handlers.faces import owner_card_of
from shared.handlers.show_attestation import show_attestation
from shared.wire.activities import card_answer, message_answer
from shared.wire.cards.sentences import sentence

LOOK_AFTER = timedelta(seconds=20)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def answer_posture_card(token: CardToken, copy: CardCopy | None, click: Click) -> dict[str, Any]:
    """The invoke's answer: the owner's card as it is now, or for a digest a sentence.

    Raises:
        RejectedError: why the click does not count; the reason has a sentence.
        RetryLaterError: it could not be decided now.
    """
    attestation, spec = await _opened(token, copy, click)
    if copy is not None:
        await learn_from(click, copy)
    if not click.is_refresh:
        attestation = await _answered(attestation, spec, token, click)
    if spec.audience is Audience.NOTICE:
        return message_answer(sentence(attestation.stage))
    return card_answer(owner_card_of(attestation, spec, click.activity.conversation_id, click.asking))


async def _opened(token: CardToken, copy: CardCopy | None, click: Click) -> tuple[Attestation, CopySpec]:
    """What a token stands for, its seal checked against this conversation and this evidence.

    A digest is one copy for all that it names, so its tokens name a copy that no attestation has.
    """
    attestation = await posture_needed(click.ports).attestations.read(token.review_id)
    spec = copy.spec if copy is not None else digest_copy(click.asking.posture.channel)
    if attestation is None or token.copy_id != spec.copy_id:
        raise RejectedError("forged-token", "no such card")
    if is_outdated(spec, attestation):
        raise RejectedError("outdated-card", "it was asked again since")
    now, *earlier = (
        Shown(click.activity.conversation_id, answers_on(spec), one) for one in seen_digests(attestation, spec)
    )
    try:
        click.asking.tokens.check(token, now)
    except RejectedError as error:
        if not any(_is_sealed(token, one, click) for one in earlier):
            # The evidence under a digest may have changed since; nobody can tell that from a forgery.
            raise RejectedError("outdated-card" if copy is None else error.reason, error.detail) from error
        if click.action.verb in ABOUT_A_WISH and attestation.stage is Stage.PROPOSED and not click.is_refresh:
            raise RejectedError("outdated-card", "the wish that it shows is not the last one") from error
    return attestation, spec


def _is_sealed(token: CardToken, shown: Shown, click: Click) -> bool:
    try:
        click.asking.tokens.check(token, shown)
    except RejectedError:
        return False
    return True


async def _answered(attestation: Attestation, spec: CopySpec, token: CardToken, click: Click) -> Attestation:
    """The attestation after this answer, or after the one that was faster; its cards are on their way."""
    ports, rules, channel = click.ports, _rules(click), click.asking.posture.channel
    said, clicked_at = _said(spec, token, click), ports.clock.now()
    # Whoever dies before telling everybody has told the clock: the security team may have to see it then.
    later = replace(attestation, stage=Stage.PROPOSED)
    await show_attestation(later, click.correlation_id, ports, channel, clicked_at + LOOK_AFTER)
    try:
        attestation = await answer_attestation(attestation, said, ports, rules)
    except AlreadyDecidedError:
        attestation = await posture_needed(ports).attestations.read(attestation.attestation_id) or attestation
    await _tell_everybody(attestation, click)
    took = (ports.clock.now() - clicked_at).total_seconds()
    ports.alerts.measure("click-to-decision", took, choice=said.reply)
    return attestation


def _said(spec: CopySpec, token: CardToken, click: Click) -> Said:
    action = click.action
    if action.verb not in answers_on(spec):
        raise RejectedError("forged-token", "this card does not offer that answer")
    if token.expires_at <= click.ports.clock.now():
        raise RejectedError("outdated-card", "its time is over")
    person = Person(click.person_id, click.activity.person.name or click.person_id)
    return Said(Reply(action.verb), person, action.reason, _until(action.until), click.correlation_id)


def _until(chosen: str) -> datetime | None:
    """The first moment of a day, in UTC; `None` where nothing was chosen."""
    if not chosen:
        return None
    try:
        day = datetime.fromisoformat(chosen) if _DAY.fullmatch(chosen) else None
    except ValueError:
        day = None
    if day is None:
        raise RejectedError("day-unclear", "not a day of the calendar")
    return day.replace(tzinfo=UTC)


def _rules(click: Click) -> AttestationRules:
    if click.asking.guards is None:
        raise RetryLaterError("posture-off", "owners' cards are answered under the gateway's guards only")
    return AttestationRules(click.asking.posture, click.asking.guards)


async def _tell_everybody(attestation: Attestation, click: Click) -> None:
    """What was answered stands, whether it can be shown at once or not: messages that show it are on the queue."""
    try:
        await show_attestation(attestation, click.correlation_id, click.ports, click.asking.posture.channel)
    except RetryLaterError as error:
        click.ports.alerts.raise_alert("cards-late", review_id=attestation.attestation_id, because=error.reason)
