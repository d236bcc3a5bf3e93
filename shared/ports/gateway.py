"""The gateway: who holds access there, and the questions that it asks."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from shared.domain.gateway import GatewayIdentity, Holdings, IdentityRef, Review, Roster, Session
from shared.domain.posture.gateway_view import Use
from shared.domain.reach import AccessPolicy
from shared.domain.reviews import Question


class Gateway(Protocol):
    """The access gateway's REST API, its traps absorbed."""

    async def roster(self) -> Roster:
        """Everybody at the gateway, at most a few seconds old."""

    async def access_policy(self) -> AccessPolicy:
        """Who reaches what, at most a few seconds old."""

    async def read_identity(self, ref: IdentityRef) -> GatewayIdentity | None:
        """One identity as it is now; `None` when the gateway does not have it."""

    async def write_identity(self, before: GatewayIdentity, after: GatewayIdentity) -> None:
        """Apply the difference to the whole object as it is now; repeating it changes nothing more."""

    async def holdings(self, identity: GatewayIdentity) -> Holdings:
        """Its live sessions, and its reviews that are pending or approved."""

    async def close_review(self, review: Review, reason: str) -> None:
        """Reject or revoke a review; closing a closed one is no error."""

    async def kill_session(self, session: Session) -> None:
        """Ask for the end of a live session. Only a later read proves it."""


class Reviews(Protocol):
    """The questions that the gateway holds, and the answers it takes, its traps absorbed."""

    async def pending(self) -> Sequence[str]:
        """The session ids of all pending reviews."""

    async def read(self, ref: str) -> Question | None:
        """A review and its session by either's id; `None` when the gateway does not have them."""

    async def approve(self, question: Question, group: str, token: str | None = None) -> None:
        """Give one group's approval, with its key or with the approver's own gateway token; only a read proves it.

        Raises:
            RejectedError: `no-key`, or `reviewer-key-wrong` when the key is not a member of exactly this group.
            UnknownOutcomeError: the gateway did not answer; it may have taken the approval.
        """

    async def deny(self, question: Question, group: str, reason: str, token: str | None = None) -> None:
        """Reject for one group; the same ways and errors as for `approve`."""

    async def force(self, question: Question, reason: str) -> None:
        """Approve by force, with the break-glass key; errors as for `approve`."""


class SignIn(Protocol):
    """The approver's own access to the gateway."""

    async def exchange(self, sso_token: str, person_id: str) -> str:
        """A token for the gateway on behalf of the person who signed in to Teams.

        Raises:
            RejectedError: `sign-in-refused` when the token is not this person's, `consent-needed`.
        """


class SessionLog(Protocol):
    """What was opened at the gateway, and when."""

    def uses(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, Use]]:
        """Every use in a span of time with the gateway's name of who it was (`GatewayIdentity.session_user`).

        Raises `RetryLaterError` before the end rather than leaving anything out.
        """
