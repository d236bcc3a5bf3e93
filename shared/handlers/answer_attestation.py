"""Answer an attestation: one person's reply, decided in one order and failing closed, on record before it is done.

The row is the order: an answer is put there first, by compare-and-swap, then it is carried out, then the row shows the
outcome. Whoever comes after a crash, the same click or the clock, finds what was said and carries it out; all of that
may be repeated.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.approval import Person
from shared.domain.evidence import EvidenceEntry
from shared.domain.posture.attestation import (
    ABOUT_A_WISH,
    Answered,
    Attestation,
    Reply,
    Stage,
    UnusedGrant,
)
from shared.domain.posture.reply import acceptances, consider, is_repeated
from shared.domain.posture.rules import PostureRules
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError, RejectedError
from shared.handlers.card_subject import posture_needed
from shared.handlers.judge_role import Owners, owners_now, role_of
from shared.handlers.shrink_reach import shrink_reach
from shared.ports import Ports, Rules

CHAINS = "attestations/"
ATTEMPTS = 4
_EXCEPTS = (Reply.KEEP, Reply.ACCEPT)
"""What nobody may say of their own: who owns it is read once more, as a question may be old."""


@dataclass(frozen=True, slots=True)
class AttestationRules:
    """What the operator decided about attestations: the reports' rules, and the guards of the gateway."""

    posture: PostureRules
    gateway: Rules


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody clicked: `until` is an aware moment, `None` for as long as the tier allows."""

    reply: Reply
    person: Person
    reason: str = ""
    until: datetime | None = None
    correlation_id: str = ""


async def answer_attestation(
    attestation: Attestation, said: Said, ports: Ports, rules: AttestationRules
) -> Attestation:
    """The attestation after the reply; the same reply again changes nothing and gives the same.

    `attestation` is the one that the person saw, as it was read: whoever was faster makes this answer too late.

    Raises:
        AlreadyDecidedError: somebody else was faster, or the question is closed: show it as it is now.
        RejectedError: why not: `not-asked`, `approver-is-owner`, `owners-unknown`, `reason-missing`,
            `acceptance-too-long`, `acceptance-without-time`, `nothing-proposed`, `nothing-to-shrink`, `outdated-card`
            when the wish has other terms by now; and of Shrink: `used-since`, `still-in-use`, `opens-more`,
            `last-admin-kept`, `break-glass-kept`, `own-identity-kept`, `administers`, `removal-would-skip-approval`,
            `access-control-is-off`.
        RetryLaterError: nothing was done, or it is on record and will be finished, by the same click or by the clock.
    """
    seen = attestation
    for _ in range(ATTEMPTS):
        after = await _answer(attestation, said, ports, rules)
        if after is not None:
            return after
        attestation = await _read_again(seen, said.reply, ports)
    raise ClaimedElsewhereError(seen.attestation_id)


async def finish_answer(
    attestation: Attestation, correlation_id: str, ports: Ports, rules: AttestationRules
) -> Attestation | None:
    """The attestation after what was underway was carried out; `None` when somebody else has saved since.

    Raises:
        RejectedError: it cannot be done, and is not underway any more.
        RetryLaterError: it is underway still.
    """
    return await _finish("attestation-resumed", attestation, correlation_id, ports, rules)


async def give_up_answer(
    attestation: Attestation, because: str, correlation_id: str, ports: Ports
) -> Attestation | None:
    """The attestation with room for another answer; `None` when somebody else has saved since."""
    return await _withdraw("attestation-given-up", attestation, because, correlation_id, ports)


async def _finish(
    how: str, attestation: Attestation, correlation_id: str, ports: Ports, rules: AttestationRules
) -> Attestation | None:
    answered = attestation.underway
    if answered is None:
        return attestation
    attestation = await _note(how, attestation, answered, correlation_id, ports)
    try:
        after = consider(replace(attestation, underway=None), answered)
        taken = await _carry_out(attestation, answered, correlation_id, ports, rules)
    except RejectedError as error:
        await _withdraw("attestation-withheld", attestation, error.reason, correlation_id, ports)
        raise
    attestation = await _note(
        f"attestation-{after.stage}",
        attestation,
        answered,
        correlation_id,
        ports,
        after=after.stage,
        taken=[f"{one.identity} {one.group}" for one in taken],
    )
    return await _save(replace(after, taken=taken, chain=attestation.chain), ports)


async def _withdraw(
    what: str, attestation: Attestation, because: str, correlation_id: str, ports: Ports
) -> Attestation | None:
    """On the evidence, and not underway any more."""
    if attestation.underway is not None:
        attestation = await _note(what, attestation, attestation.underway, correlation_id, ports, because=because)
    return await _save(replace(attestation, underway=None), ports)


async def _answer(attestation: Attestation, said: Said, ports: Ports, rules: AttestationRules) -> Attestation | None:
    """The attestation after the reply; `None` when somebody else has saved since it was read."""
    if attestation.underway is not None:
        # What was said before this click is done before it, or given up.
        return await _finish_before(attestation, said, ports, rules)
    question = attestation.question
    owners = Owners(question.owner_ids, question.owner_groups)
    if said.reply in _EXCEPTS:
        owners = await owners_now(question.about, owners, ports.directory)
    role, person = await role_of(said.person, owners, rules.posture.approvers, ports.directory)
    answered = Answered(said.reply, person, ports.clock.now(), said.reason, said.until, role)
    if is_repeated(attestation, answered):
        return attestation
    consider(attestation, answered)
    recorded = await _save(replace(attestation, underway=answered), ports)
    if recorded is None:
        return None
    return await _finish("attestation-answered", recorded, said.correlation_id, ports, rules)


async def _finish_before(
    attestation: Attestation, said: Said, ports: Ports, rules: AttestationRules
) -> Attestation | None:
    """The end of what is underway if it is this reply; else `None`, so that this one is judged by what came of it."""
    underway = attestation.underway
    is_it = underway is not None and (underway.by.principal_id, underway.reply) == (_id(said.person), said.reply)
    try:
        after = await finish_answer(attestation, said.correlation_id, ports, rules)
    except RejectedError:
        if is_it:
            raise
        return None
    return after if is_it else None


def _id(person: Person) -> str:
    return person.principal_id.lower()


async def _carry_out(
    attestation: Attestation,
    answered: Answered,
    correlation_id: str,
    ports: Ports,
    rules: AttestationRules,
) -> tuple[UnusedGrant, ...]:
    """What an answer leads to outside of its row is there; the grants that were taken."""
    accepted = acceptances(replace(attestation, underway=None), answered)
    if accepted:
        await posture_needed(ports).exemptions.put(accepted)
    if answered.reply is not Reply.SHRINK:
        return ()
    shrunk = await shrink_reach(attestation, ports, posture_needed(ports).log, rules.gateway, correlation_id)
    return shrunk.taken


async def _note(
    what: str,
    attestation: Attestation,
    answered: Answered,
    correlation_id: str,
    ports: Ports,
    **details: object,
) -> Attestation:
    """The attestation with its evidence appended."""
    question = attestation.question
    said: dict[str, object] = {
        "attestation": attestation.attestation_id,
        "round": attestation.round,
        "by": answered.by.principal_id,
        "role": answered.role,
        "reply": answered.reply,
        "reason": answered.reason,
        "said_at": answered.at.isoformat(),
        "until": answered.until.isoformat() if answered.until else None,
        "findings": [one.finding_id for one in question.evidence],
        "before": attestation.stage,
    }
    at, about = ports.clock.now(), question.about.object_id
    entry = EvidenceEntry(at, what, about, correlation_id, {**said, **details})
    chain = f"{CHAINS}{attestation.attestation_id}"
    return replace(attestation, chain=await ports.evidence.append(chain, attestation.chain, [entry]))


async def _save(attestation: Attestation, ports: Ports) -> Attestation | None:
    """The attestation with its new version; `None` when somebody else has saved since it was read."""
    try:
        return await posture_needed(ports).attestations.save(attestation)
    except AlreadyDecidedError:
        return None


async def _read_again(seen: Attestation, reply: Reply, ports: Ports) -> Attestation:
    """The attestation as it is now, as long as it is the question that was seen, and the wish that is answered."""
    now = await posture_needed(ports).attestations.read(seen.attestation_id)
    if now is None or now.round != seen.round:
        raise AlreadyDecidedError("already-decided", "it was asked about anew")
    if reply in ABOUT_A_WISH and now.stage is Stage.PROPOSED and now.wishes[:1] != seen.wishes[:1]:
        raise RejectedError("outdated-card", "its owner wishes something else by now")
    return now
