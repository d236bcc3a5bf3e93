"""The gateway's reviews in our words, together with the sessions they are about.

Shapes: the gateway's published OpenAPI document, corrected by what its code does: nanoseconds, `null` for empty lists.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.domain.gateway import ReviewType
from shared.domain.reviews import GatewayReview, GatewaySession, Question, ReviewGroup, ReviewStatus
from shared.wire.gateway import LenientBody

Strings = list[str] | None
_STATUSES: Mapping[str, ReviewStatus] = {status.value: status for status in ReviewStatus}
Nanoseconds = Annotated[int, Field(ge=0, le=10**18)]


class _ReviewerBody(LenientBody):
    name: str | None = ""
    email: str | None = ""


class _GroupBody(LenientBody):
    group: str
    status: str | None = None
    reviewed_by: _ReviewerBody | None = None


class ReviewBody(LenientBody):
    """A review as it is read alone."""

    id: UUID
    session: UUID
    type: str
    status: str
    access_duration: Nanoseconds = 0
    created_at: AwareDatetime
    revoke_at: AwareDatetime | None = None
    access_request_rule_name: str | None = None
    min_approvals: int | None = None
    rejection_reason: str | None = ""
    review_groups_data: list[_GroupBody] | None = None

    @property
    def needs_connection(self) -> bool:
        """Whether the connection says how many approvals it takes, because no rule does."""
        return self.min_approvals is None and not self.access_request_rule_name


class _ScriptBody(LenientBody):
    data: str | None = ""


class _EmbeddedReview(LenientBody):
    status: str | None = None


class SessionRow(LenientBody):
    """A session as a list of pending reviews names it."""

    id: UUID
    review: _EmbeddedReview | None = None

    @property
    def is_pending(self) -> bool:
        """Whether its review waits for an answer, whatever the list was asked for."""
        return self.review is not None and self.review.status == ReviewStatus.PENDING


class SessionBody(SessionRow):
    """A session; `user` is the e-mail address of a person, and the name of a key."""

    connection: str
    user_id: str
    user: str | None = ""
    user_name: str | None = ""
    type: str | None = ""
    verb: str | None = ""
    script: _ScriptBody | None = None


class ConnectionBody(LenientBody):
    """A connection: how many groups have to approve; `null` means all of them."""

    min_review_approvals: int | None = None


class UserInfoBody(LenientBody):
    """Who a credential is to the gateway."""

    id: str = ""
    status: str | None = "active"
    role: str | None = ""
    is_admin: bool = False
    groups: Strings = None

    def holds_exactly(self, group: str) -> bool:
        """Whether a vote of this identity counts for this group and for nothing else."""
        return set(self.groups or ()) == {group} and not self.is_privileged

    @property
    def is_privileged(self) -> bool:
        """Whether it may do more at the gateway than its groups say."""
        return self.is_admin or self.role == "admin"

    def votes_once(self, group: str, asked: set[str]) -> bool:
        """Whether a vote of this person counts for this one of the asked groups only: each of theirs is answered."""
        return self.status == "active" and asked.intersection(self.groups or ()) == {group}


def question(review: ReviewBody, session: SessionBody, min_approvals: int | None) -> Question:
    """A review and its session."""
    return Question(_review(review, min_approvals), _session(session))


def _review(body: ReviewBody, min_approvals: int | None) -> GatewayReview:
    return GatewayReview(
        review_id=str(body.id),
        session_id=str(body.session),
        type=ReviewType.ONETIME if body.type == ReviewType.ONETIME else ReviewType.JIT,
        status=_status(body.status),
        groups=tuple(map(_group, body.review_groups_data or ())),
        duration=timedelta(microseconds=body.access_duration // 1000),
        created_at=body.created_at,
        revoke_at=body.revoke_at,
        min_approvals=min_approvals,
        rejection_reason=body.rejection_reason or "",
    )


def _group(body: _GroupBody) -> ReviewGroup:
    reviewer = body.reviewed_by or _ReviewerBody()
    return ReviewGroup(body.group, _status(body.status), reviewer.name or reviewer.email or "", reviewer.email or "")


def _session(body: SessionBody) -> GatewaySession:
    user = body.user or ""
    return GatewaySession(
        session_id=str(body.id),
        subject=body.user_id,
        name=body.user_name or user or body.user_id,
        email=user if "@" in user else "",
        connection=body.connection,
        connection_type=body.type or "",
        verb=body.verb or "connect",
        input=(body.script.data if body.script else "") or "",
    )


def _status(text: str | None) -> ReviewStatus:
    return _STATUSES.get(text or "", ReviewStatus.UNKNOWN)
