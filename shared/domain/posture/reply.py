"""Reply: whose word counts about an identity, and what it leads to. Nobody who owns it ever excepts anything."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.posture.attestation import Answered, Attestation, Reply, Role, Stage
from shared.domain.posture.exceptions import Acceptance, Terms, accept
from shared.domain.posture.inventory import Known, Unknown
from shared.errors import AlreadyDecidedError, RejectedError


def consider(attestation: Attestation, answered: Answered) -> Attestation:
    """The attestation after an answer whose effects are there.

    Raises:
        AlreadyDecidedError: the question is closed.
        RejectedError: not theirs to say, or without a reason, an end or anything to say it about.
    """
    if not attestation.stage.is_open:
        raise AlreadyDecidedError("already-decided", attestation.stage)
    if answered.role is Role.NOBODY:
        raise RejectedError("not-asked", answered.by.principal_id)
    stage = _stage_after(attestation, answered)
    acceptances(attestation, answered)
    return replace(
        attestation,
        stage=stage,
        answers=(*attestation.answers, _completed(attestation, answered)),
        reminded_at=None if stage is Stage.ASKED else attestation.reminded_at,
        underway=None,
    )


def acceptances(attestation: Attestation, answered: Answered) -> tuple[Acceptance, ...]:
    """The exemptions that an answer leads to: one for each finding when the risk is accepted, else none.

    Raises `RejectedError` where `accept` does; the same answer leads to the same exemptions however often it is asked.
    """
    if answered.role is not Role.APPROVER or answered.reply not in (Reply.KEEP, Reply.ACCEPT):
        return ()
    question = attestation.question
    reason, until = _terms(attestation, _completed(attestation, answered))
    terms = Terms(reason, answered.at, until)
    # Whoever proposed it stays one of those who want to keep it, whatever Entra says of them since.
    wished = {one.by.principal_id for one in attestation.answers if one.role is Role.OWNER}
    owners = Known(question.owner_ids | wished) if question.owners is not None else Unknown("owners-not-read")
    return tuple(accept(finding, answered.by, terms, owners, question.tier) for finding in question.evidence)


def is_repeated(attestation: Attestation, answered: Answered) -> bool:
    """Whether the last word was this one already, of the same person, and it stands."""
    last = attestation.last_answer
    if last is None or (last.by.principal_id, last.reply) != (answered.by.principal_id, answered.reply):
        return False
    is_same = last.reason == answered.reason.strip() and answered.until in (None, last.until)
    return is_same or not attestation.stage.is_open


def _stage_after(attestation: Attestation, answered: Answered) -> Stage:
    is_proposed = attestation.stage is Stage.PROPOSED
    if answered.reply in (Reply.ACCEPT, Reply.REFUSE):
        if answered.role is not Role.APPROVER:
            raise RejectedError("approver-is-owner", answered.by.principal_id)
        if not is_proposed:
            raise RejectedError("nothing-proposed", attestation.stage)
        return Stage.KEPT if answered.reply is Reply.ACCEPT else Stage.ASKED
    if answered.reply is Reply.RETIRE:
        return Stage.RETIRING
    if answered.reply is Reply.SHRINK:
        if not attestation.question.unused:
            raise RejectedError("nothing-to-shrink", "every group opens something that is used")
        return Stage.SHRUNK
    return Stage.KEPT if answered.role is Role.APPROVER else Stage.PROPOSED


def _completed(attestation: Attestation, answered: Answered) -> Answered:
    """The answer with its end, where it has one."""
    if answered.reply is Reply.KEEP:
        until = answered.until or answered.at + attestation.question.tier.value
        _check_terms(answered.reason, answered.at, until, attestation.question.tier.value)
        return replace(answered, reason=answered.reason.strip(), until=until)
    if answered.reply is Reply.REFUSE and not answered.reason.strip():
        raise RejectedError("reason-missing", "a refusal says why")
    if answered.reply is Reply.ACCEPT and attestation.stage is Stage.PROPOSED:
        _check_terms("accepted", answered.at, attestation.kept_until or answered.at, attestation.question.tier.value)
    return replace(answered, reason=answered.reason.strip(), until=None)


def _check_terms(reason: str, at: datetime, until: datetime, longest: timedelta) -> None:
    if not reason.strip():
        raise RejectedError("reason-missing", "whoever keeps it says why")
    if until <= at:
        raise RejectedError("acceptance-without-time", "it ends before it begins")
    if until - at > longest:
        raise RejectedError("acceptance-too-long", f"at most {longest.days} days")


def _terms(attestation: Attestation, answered: Answered) -> tuple[str, datetime]:
    """Why and until when: in the approver's words, or as the owner proposed it."""
    if answered.reply is Reply.KEEP:
        return answered.reason, answered.until or answered.at
    proposed = next((one for one in reversed(attestation.answers) if one.reply is Reply.KEEP), None)
    if proposed is None:
        raise RejectedError("nothing-proposed", attestation.stage)
    return proposed.reason, proposed.until or answered.at
