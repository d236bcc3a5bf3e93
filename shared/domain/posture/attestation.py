"""Attestation: an identity that may have outlived its purpose, the people asked about it, and what they answered."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from shared.domain.approval import Person
from shared.domain.card_copy import Audience, CopySpec, Place, PlaceKind
from shared.domain.evidence import START, ChainHead
from shared.domain.posture.exceptions import Tier
from shared.domain.posture.finding import About, Finding
from shared.domain.posture.rules import OwnerRules

_NAMESPACE = UUID("5f0c5bd4-0c56-4f0e-9d0a-2f3a5d1c7e11")


class Stage(StrEnum):
    """How far a question is. `PROPOSED`: an owner wants to keep it, and somebody who is no owner has to accept that."""

    ASKED = "asked"
    PROPOSED = "proposed"
    KEPT = "kept"
    SHRUNK = "shrunk"
    RETIRING = "retiring"
    SETTLED = "settled"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to answer."""
        return self in (Stage.ASKED, Stage.PROPOSED)


class Reply(StrEnum):
    """What a person may say: the first three about the identity, the others about an owner's wish to keep it."""

    KEEP = "keep"
    SHRINK = "shrink"
    RETIRE = "retire"
    ACCEPT = "accept"
    REFUSE = "refuse"


ABOUT_A_WISH = (Reply.ACCEPT, Reply.REFUSE)


class Role(StrEnum):
    """What somebody is to an identity. Who is an owner and an approver is an owner: nobody accepts their own risk."""

    OWNER = "owner"
    APPROVER = "approver"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class UnusedGrant:
    """A gateway group of an identity that opens only what nobody has opened lately; `connections` are those.

    `identity` is `kind/key` as `IdentityRef` writes it; of a machine identity `group` is the connection itself.
    `principal_id` is whose it is. Once it was taken, `entra_groups` (object ids) are those that stand for it: whoever
    is not taken out of them in Entra has it again with the next sign-in. `left_out` counts connections.
    """

    identity: str
    group: str
    connections: tuple[str, ...]
    last_opened: datetime | None = None
    principal_id: str = ""
    entra_groups: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one identity: the findings as evidence, the worst first, and the grants it could lose.

    `people` are its owners or sponsors who can be asked; nobody there means that the security team is asked at once.
    `owners` are all of them by object id, asked or not, `owner_groups` those of them that are groups: none of them may
    accept the risk, and while `owners` is `None`, because Entra did not say, nobody may. `left_out` counts findings
    that did not fit; until `seen_until` the gateway's sessions were read.
    """

    about: About
    evidence: tuple[Finding, ...]
    people: tuple[Person, ...] = ()
    is_tier_0: bool = False
    unused: tuple[UnusedGrant, ...] = ()
    owners: frozenset[str] | None = None
    owner_groups: frozenset[str] = frozenset()
    left_out: int = 0
    seen_until: datetime | None = None

    @property
    def attestation_id(self) -> str:
        """A UUID: the same for the same identity, in every report."""
        return str(uuid5(_NAMESPACE, f"{self.about.kind}|{self.about.object_id}"))

    @property
    def tier(self) -> Tier:
        """How long it may be kept at most."""
        return Tier.TIER_0 if self.is_tier_0 else Tier.OTHER

    @property
    def owner_ids(self) -> frozenset[str]:
        """Everybody known to own it or to be asked about it."""
        return (self.owners or frozenset()) | {person.principal_id for person in self.people}


@dataclass(frozen=True, slots=True)
class Answered:
    """Who said what, when, why, and until when it holds; `role` is what they were to the identity then."""

    reply: Reply
    by: Person
    at: datetime
    reason: str = ""
    until: datetime | None = None
    role: Role = Role.OWNER


@dataclass(frozen=True, slots=True)
class Attestation:
    """The row of one identity. `round` counts how often it was asked about; `version` is opaque.

    `answers` are those of this round, in order. `underway` was said and is on record, and has to be carried out still.
    `taken` are the grants that Shrink took away.
    """

    attestation_id: str
    question: Question
    asked_at: datetime
    report_id: str
    round: int = 1
    stage: Stage = Stage.ASKED
    answers: tuple[Answered, ...] = ()
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    underway: Answered | None = None
    taken: tuple[UnusedGrant, ...] = ()
    chain: ChainHead = START
    version: str | None = None

    @property
    def last_answer(self) -> Answered | None:
        """What was said last."""
        return self.answers[-1] if self.answers else None

    @property
    def waits_since(self) -> datetime:
        """Since when somebody has to answer: the question, or the refusal that asked it again."""
        last = self.last_answer
        return last.at if last is not None and last.reply is Reply.REFUSE else self.asked_at

    @property
    def is_with_security(self) -> bool:
        """Whether the security team has to answer: nobody else can, an owner waits for them, or was silent."""
        return not self.question.people or self.stage is not Stage.ASKED or self.escalated_at is not None

    @property
    def wishes(self) -> tuple[Answered, ...]:
        """On what terms somebody wanted to keep it, the last first: that is the one which can be accepted."""
        return tuple(one for one in reversed(self.answers) if one.reply is Reply.KEEP)

    @property
    def kept_until(self) -> datetime | None:
        """Until when it is kept, or would be if the owner's wish were accepted."""
        return self.wishes[0].until if self.wishes else None


def ask(
    question: Question, report_id: str, at: datetime, before: Attestation | None, rules: OwnerRules
) -> Attestation | None:
    """The question's row, asked for the first time or once more; `None` while the one before is enough.

    An open question stays as it was asked; somebody who has just said Shrink or Retire has time to do the rest.
    """
    if before is None:
        return Attestation(question.attestation_id, question, at, report_id)
    if before.report_id == report_id or rests(before, at, rules):
        return None
    return Attestation(
        before.attestation_id,
        question,
        at,
        report_id,
        before.round + 1,
        chain=before.chain,
        version=before.version,
    )


def rests(attestation: Attestation, at: datetime, rules: OwnerRules) -> bool:
    """Whether nobody is to be asked about it again yet."""
    if attestation.stage.is_open or attestation.underway is not None:
        return True
    last = attestation.last_answer
    is_being_done = attestation.stage in (Stage.SHRUNK, Stage.RETIRING) and last is not None
    return is_being_done and last is not None and at - last.at < rules.escalate_after


def settle(attestation: Attestation) -> Attestation:
    """The attestation once its findings are gone: nobody has to answer any more."""
    return replace(attestation, stage=Stage.SETTLED) if attestation.stage.is_open else attestation


def reminder_copies(attestation: Attestation) -> tuple[CopySpec, ...]:
    """One more card for each of its people, in the same place: a card is numbered by its round, a reminder below 0."""
    places = (Place(PlaceKind.PERSON, person.principal_id) for person in attestation.question.people)
    return tuple(CopySpec(Audience.OWNER, place, -attestation.round) for place in places)


class Due(StrEnum):
    """What silence leads to."""

    REMINDER = "reminder"
    ESCALATION = "escalation"


def due(attestation: Attestation, rules: OwnerRules, now: datetime) -> Due | None:
    """What has to happen now because nobody answered."""
    if attestation.stage is not Stage.ASKED or attestation.is_with_security or attestation.underway is not None:
        return None
    silent = now - attestation.waits_since
    if silent >= rules.escalate_after:
        return Due.ESCALATION
    return Due.REMINDER if silent >= rules.remind_after and attestation.reminded_at is None else None
