"""Reviews: the questions that the gateway holds, and the sessions that wait for the answers."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.gateway import ReviewType


class ReviewStatus(StrEnum):
    """The gateway's states of a review; there is none for an expired grant: that stays approved until `revoke_at`."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    REVOKED = "REVOKED"
    PROCESSING = "PROCESSING"
    EXECUTED = "EXECUTED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_granted(self) -> bool:
        """Whether somebody said yes: what was approved may have been executed since."""
        return self in (ReviewStatus.APPROVED, ReviewStatus.PROCESSING, ReviewStatus.EXECUTED)


@dataclass(frozen=True, slots=True)
class ReviewGroup:
    """One reviewer group's row: its answer, and who gave it (a key's name when Tether did)."""

    group: str
    status: ReviewStatus = ReviewStatus.PENDING
    reviewed_by: str = ""
    reviewer_email: str = ""


@dataclass(frozen=True, slots=True)
class GatewayReview:
    """A review as it is now. `min_approvals` is `None` when every group must approve."""

    review_id: str
    session_id: str
    type: ReviewType
    status: ReviewStatus
    groups: tuple[ReviewGroup, ...]
    duration: timedelta
    created_at: datetime
    revoke_at: datetime | None = None
    min_approvals: int | None = None
    rejection_reason: str = ""

    @property
    def needed(self) -> int:
        """How many groups must approve; the gateway counts groups, not people."""
        every = len(self.groups)
        return every if self.min_approvals is None else min(every, self.min_approvals)

    @property
    def approved(self) -> frozenset[str]:
        """The groups that have approved."""
        return frozenset(row.group for row in self.groups if row.status is ReviewStatus.APPROVED)

    @property
    def open_groups(self) -> tuple[str, ...]:
        """The groups that have not answered, in the gateway's order."""
        return tuple(row.group for row in self.groups if row.status is ReviewStatus.PENDING)

    @property
    def missing(self) -> int:
        """How many more groups must approve."""
        return max(0, self.needed - len(self.approved))

    @property
    def is_stuck(self) -> bool:
        """Whether no further vote can decide it: the gateway compares with `==`, and the count is past that."""
        return self.status is ReviewStatus.PENDING and self.missing == 0


@dataclass(frozen=True, slots=True)
class GatewaySession:
    """The session that a review is about. `subject` is who opened it at the gateway, `input` the whole command."""

    session_id: str
    subject: str
    name: str
    email: str
    connection: str
    connection_type: str = ""
    verb: str = "connect"
    input: str = ""

    @property
    def input_digest(self) -> str:
        """SHA-256 of the whole input, in hexadecimal."""
        return hashlib.sha256(self.input.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Question:
    """A review together with its session."""

    review: GatewayReview
    session: GatewaySession


POLL = "poll"
"""The source of looks that the poll asks for again for as long as there is a reason."""


class ReviewEventKind(StrEnum):
    """Why to look: at one review, or at all that somebody who lost access has a part in."""

    LOOK = "look"
    LEAVER = "leaver"


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """The message *look at this review*. `ref` is the id of a review or of its session, or a principal who left."""

    ref: str
    source: str
    received_at: datetime
    correlation_id: str
    kind: ReviewEventKind = ReviewEventKind.LOOK
    attempt: int = 0

    def retried(self) -> "ReviewEvent":
        """The same message with one more attempt counted."""
        return ReviewEvent(self.ref, self.source, self.received_at, self.correlation_id, self.kind, self.attempt + 1)
