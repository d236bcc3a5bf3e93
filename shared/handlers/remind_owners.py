"""Remind owners: whoever is silent is reminded once, then the security team is asked instead.

What somebody said and nobody could carry out yet is finished here, too: a click has seconds, the clock has minutes.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.card_copy import CardUpdate, CopySpec
from shared.domain.evidence import EvidenceEntry
from shared.domain.posture.attestation import Attestation, Due, due, reminder_copies
from shared.domain.posture.owner_cards import wanted_copies
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.answer_attestation import CHAINS, AttestationPorts, AttestationRules, finish_answer

SEND_AGAIN_WITHIN = timedelta(hours=3)
GIVE_UP_AFTER = timedelta(days=1)


async def remind_owners(ports: AttestationPorts, rules: AttestationRules) -> int:
    """How many attestations something was done about. Meant for an hourly tick; twice is as good as once.

    One that cannot be seen to now is left to the next tick, and does not keep the others waiting.
    """
    found = [one async for one in ports.posture.attestations.open_ones()]
    done = 0
    for attestation in found:
        try:
            done += await _see_to(attestation, ports, rules)
        except AlreadyDecidedError:
            # Somebody has answered since it was read.
            continue
        except RetryLaterError as error:
            ports.around.alerts.raise_alert(
                "owner-not-reminded", attestation_id=attestation.attestation_id, because=error.reason
            )
    return done


async def _see_to(attestation: Attestation, ports: AttestationPorts, rules: AttestationRules) -> bool:
    now = ports.around.clock.now()
    if attestation.underway is not None:
        return await _finish(attestation, ports, rules)
    silence = due(attestation, rules.posture.owners, now)
    if silence is not None:
        attestation = await _mark(attestation, silence, now, ports)
        await _note(attestation, silence, now, ports)
        if silence is Due.ESCALATION and not rules.posture.channel:
            ports.around.alerts.raise_alert("nobody-answers", attestation_id=attestation.attestation_id)
    elif not _was_marked_lately(attestation, now):
        return False
    # A tick may have died between the mark and the messages; a copy that is wanted twice is shown once.
    await _show(attestation, rules, ports)
    return silence is not None


async def _finish(attestation: Attestation, ports: AttestationPorts, rules: AttestationRules) -> bool:
    underway, correlation_id = attestation.underway, ports.around.clock.new_id()
    try:
        after = await finish_answer(attestation, correlation_id, ports, rules)
    except RejectedError as error:
        because, after = error.reason, await ports.posture.attestations.read(attestation.attestation_id)
        ports.around.alerts.raise_alert("answer-withheld", attestation_id=attestation.attestation_id, because=because)
    except RetryLaterError as error:
        if underway is not None and ports.around.clock.now() - underway.at < GIVE_UP_AFTER:
            raise
        # Somebody else may answer now; what was asked for in vain is on the evidence, and on somebody's desk.
        after = await ports.posture.attestations.save(replace(attestation, underway=None))
        ports.around.alerts.raise_alert(
            "answer-given-up", attestation_id=attestation.attestation_id, because=error.reason
        )
    if after is not None:
        await _show(after, rules, ports)
    return True


async def _mark(attestation: Attestation, silence: Due, now: datetime, ports: AttestationPorts) -> Attestation:
    """On record before anything is sent. Raises `AlreadyDecidedError` when somebody has saved since."""
    if silence is Due.REMINDER:
        return await ports.posture.attestations.save(replace(attestation, reminded_at=now))
    return await ports.posture.attestations.save(replace(attestation, escalated_at=now))


async def _note(attestation: Attestation, silence: Due, now: datetime, ports: AttestationPorts) -> None:
    what = "owners-reminded" if silence is Due.REMINDER else "attestation-escalated"
    details = {
        "attestation": attestation.attestation_id,
        "round": attestation.round,
        "people": [person.principal_id for person in attestation.question.people],
        "since": attestation.waits_since.isoformat(),
    }
    entry = EvidenceEntry(now, what, attestation.question.about.object_id, ports.around.clock.new_id(), details)
    # The head in the row stays behind by one entry, which the next one puts right.
    await ports.around.evidence.append(f"{CHAINS}{attestation.attestation_id}", attestation.chain, [entry])


def _was_marked_lately(attestation: Attestation, now: datetime) -> bool:
    marks = (attestation.reminded_at, attestation.escalated_at)
    return any(at is not None and now - at < SEND_AGAIN_WITHIN for at in marks)


async def _show(attestation: Attestation, rules: AttestationRules, ports: AttestationPorts) -> None:
    """Every copy that is wanted is on its way, and every one that was shown before is put right."""
    around = ports.around
    if around.approval is None:
        return
    known = [copy.spec for copy in await around.approval.copies.all(attestation.attestation_id)]
    specs: list[CopySpec] = [*wanted_copies(attestation, rules.posture.channel)]
    if attestation.reminded_at is not None and attestation.stage.is_open:
        specs += reminder_copies(attestation)
    now, correlation_id = around.clock.now(), around.clock.new_id()
    updates = [CardUpdate(attestation.attestation_id, one, now, correlation_id) for one in dict.fromkeys(specs + known)]
    await around.queue.send_card_updates(updates)
