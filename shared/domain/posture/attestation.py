"""Attestation: an identity that may have outlived its purpose, the people asked about it, and what they answered."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from shared.domain.approval import Person
from shared.domain.posture.finding import About, Finding

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


@dataclass(frozen=True, slots=True)
class UnusedGrant:
    """A gateway group of an identity that opens only what nobody has opened lately; `connections` are those."""

    identity: str
    group: str
    connections: tuple[str, ...]
    last_opened: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one identity: the findings as evidence, the worst first, and the grants it could lose.

    `people` are its owners or sponsors; nobody there means that the security team is asked at once.
    """

    about: About
    evidence: tuple[Finding, ...]
    people: tuple[Person, ...] = ()
    is_tier_0: bool = False
    unused: tuple[UnusedGrant, ...] = ()

    @property
    def attestation_id(self) -> str:
        """A UUID: the same for the same identity, in every report."""
        return str(uuid5(_NAMESPACE, f"{self.about.kind}|{self.about.object_id}"))


@dataclass(frozen=True, slots=True)
class Answered:
    """Who said what, when, why, and until when it holds."""

    reply: Reply
    by: Person
    at: datetime
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attestation:
    """The row of one identity. `round` counts how often it was asked about; `version` is opaque."""

    attestation_id: str
    question: Question
    asked_at: datetime
    report_id: str
    round: int = 1
    stage: Stage = Stage.ASKED
    answers: tuple[Answered, ...] = ()
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    version: str | None = None
