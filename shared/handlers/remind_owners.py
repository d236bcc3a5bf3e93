"""Remind owners: whoever is silent is reminded once, then the security team is asked instead.

What somebody said and nobody could carry out yet is finished here, too: a click has seconds, the clock has minutes.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.evidence import EvidenceEntry
from shared.domain.posture.attestation import Attestation, Due, Reply, due
from shared.domain.posture.owner_cards import security_copy
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.answer_attestation import CHAINS, AttestationRules, finish_answer, give_up_answer
from shared.handlers.card_subject import posture_needed
from shared.handlers.review_turn import needed
from shared.handlers.show_attestation import show_attestation
from shared.ports import Ports

SEND_AGAIN_WITHIN = timedelta(hours=3)
GIVE_UP_AFTER = timedelta(days=1)


async def remind_owners(ports: Ports, rules: AttestationRules) -> int:
    """How many attestations something was done about. Meant for an hourly tick; twice is as good as once.

    One that cannot be seen to now is left to the next tick, and does not keep the others waiting.
    """
    found = [one async for one in posture_needed(ports).attestations.open_ones()]
    done = 0
    for attestation in found:
        try:
            done += await _see_to(attestation, ports, rules)
        except AlreadyDecidedError:
            # Somebody has answered since it was read.
            continue
        except RetryLaterError as error:
            ports.alerts.raise_alert(
                "owner-not-reminded", attestation_id=attestation.attestation_id, because=error.reason
            )
    return done


async def _see_to(attestation: Attestation, ports: Ports, rules: AttestationRules) -> bool:
    now = ports.clock.now()
    if attestation.underway is not None:
        return await _finish(attestation, ports, rules)
    silence = due(attestation, rules.posture.owners, now)
    if silence is not None:
        attestation = await _mark(attestation, silence, now, ports)
        await _note(attestation, silence, now, ports)
        if silence is Due.ESCALATION and not rules.posture.channel:
            ports.alerts.raise_alert("nobody-answers", attestation_id=attestation.attestation_id)
    elif not _was_marked_lately(attestation, now) and not await _is_lost(attestation, ports, rules.posture.channel):
        return False
    # A tick may have died between the mark and the messages; a copy that is wanted twice is shown once.
    await show_attestation(attestation, ports.clock.new_id(), ports, rules.posture.channel)
    return silence is not None


async def _finish(attestation: Attestation, ports: Ports, rules: AttestationRules) -> bool:
    correlation_id = ports.clock.new_id()
    try:
        after = await finish_answer(attestation, correlation_id, ports, rules)
    except RejectedError as error:
        because, after = error.reason, await posture_needed(ports).attestations.read(attestation.attestation_id)
        ports.alerts.raise_alert("answer-withheld", attestation_id=attestation.attestation_id, because=because)
    except RetryLaterError as error:
        if not _is_in_vain(attestation, ports.clock.now()):
            raise
        after = await give_up_answer(attestation, error.reason, correlation_id, ports)
        ports.alerts.raise_alert("answer-given-up", attestation_id=attestation.attestation_id, because=error.reason)
    if after is not None:
        await show_attestation(after, correlation_id, ports, rules.posture.channel)
    return True


def _is_in_vain(attestation: Attestation, now: datetime) -> bool:
    """Whether the gateway has not obeyed for so long that somebody else may answer; only a Shrink depends on it."""
    said = attestation.underway
    return said is not None and said.reply is Reply.SHRINK and now - said.at >= GIVE_UP_AFTER


async def _mark(attestation: Attestation, silence: Due, now: datetime, ports: Ports) -> Attestation:
    """On record before anything is sent. Raises `AlreadyDecidedError` when somebody has saved since."""
    if silence is Due.REMINDER:
        return await posture_needed(ports).attestations.save(replace(attestation, reminded_at=now))
    return await posture_needed(ports).attestations.save(replace(attestation, escalated_at=now))


async def _note(attestation: Attestation, silence: Due, now: datetime, ports: Ports) -> None:
    what = "owners-reminded" if silence is Due.REMINDER else "attestation-escalated"
    details = {
        "attestation": attestation.attestation_id,
        "round": attestation.round,
        "people": [person.principal_id for person in attestation.question.people],
        "since": attestation.waits_since.isoformat(),
    }
    entry = EvidenceEntry(now, what, attestation.question.about.object_id, ports.clock.new_id(), details)
    # The head in the row stays behind by one entry, which the next one puts right.
    await ports.evidence.append(f"{CHAINS}{attestation.attestation_id}", attestation.chain, [entry])


async def _is_lost(attestation: Attestation, ports: Ports, channel: str) -> bool:
    """Whether the security team was to be asked and nobody ever began to: the tick died, and the app was down since."""
    if attestation.escalated_at is None or not channel:
        return False
    copy_id = security_copy(attestation, channel).copy_id
    return await needed(ports).copies.find(attestation.attestation_id, copy_id) is None


def _was_marked_lately(attestation: Attestation, now: datetime) -> bool:
    marks = (attestation.reminded_at, attestation.escalated_at)
    return any(at is not None and now - at < SEND_AGAIN_WITHIN for at in marks)
