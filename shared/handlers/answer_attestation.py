"""Answer an attestation: one person's reply, decided in one order and failing closed, on record before it is done."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.approval import Person
from shared.domain.posture.attestation import Attestation, Reply
from shared.domain.posture.rules import PostureRules
from shared.errors import RejectedError
from shared.ports import Ports, PosturePorts, Rules, SessionLog


@dataclass(frozen=True, slots=True)
class AttestationPorts:
    """Everything outside that attestations need."""

    around: Ports
    log: SessionLog

    @property
    def posture(self) -> PosturePorts:
        """Where attestations and exemptions are kept."""
        if self.around.posture is None:
            raise RejectedError("no-posture", "owners' cards are not set up")
        return self.around.posture


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
    attestation: Attestation, said: Said, ports: AttestationPorts, rules: AttestationRules
) -> Attestation:
    """The attestation after the reply; the same reply again changes nothing and gives the same.

    `attestation` is the one that the person saw, as it was read: whoever was faster makes this answer too late.

    Raises:
        AlreadyDecidedError: somebody else was faster, or the question is closed: show it as it is now.
        RejectedError: why not: `not-asked`, `approver-is-owner`, `owners-unknown`, `reason-missing`,
            `acceptance-too-long`, `acceptance-without-time`, `nothing-proposed`, `nothing-to-shrink`; and of Shrink:
            `used-since`, `still-in-use`, `last-admin-kept`, `break-glass-kept`, `own-identity-kept`, `administers`,
            `removal-would-skip-approval`, `access-control-is-off`.
        RetryLaterError: it is on record and will be finished, by the same click or by the clock.
    """
    raise NotImplementedError
