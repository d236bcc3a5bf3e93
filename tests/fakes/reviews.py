"""The gateway's reviews in memory, with its traps: every group of a voter is marked, and the threshold is met exactly.

Reviews are shared with `FakeGateway`: what is closed there is closed here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.domain.gateway import IdentityRef, Review, ReviewType, Session
from shared.domain.reviews import GatewayReview, GatewaySession, Question, ReviewGroup, ReviewStatus
from shared.errors import RejectedError, UnknownOutcomeError
from tests.fakes.clock import FakeClock
from tests.fakes.entra import guid
from tests.fakes.faults import Faults
from tests.fakes.gateway import FakeGateway, Stream


@dataclass
class Voter:
    """A key, or a person at the gateway."""

    name: str
    groups: frozenset[str]
    subject: str = ""
    is_admin: bool = False


@dataclass
class FakeReviews:
    """Reviews that `ask` opens. `keys` are by the group they are for, `people` by their tokens.

    `faults` plans failures before a call does anything; `unheard` writes take effect without an answer; `overwritten`
    writes are answered but lost; `latency` is in seconds; `before_write` happens once, right before a write.
    """

    gateway: FakeGateway
    clock: FakeClock
    keys: dict[str, Voter] = field(default_factory=dict)
    break_glass: Voter | None = field(default_factory=lambda: Voter("tether:break-glass", frozenset({"break-glass"})))
    people: dict[str, Voter] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    unheard: int = 0
    overwritten: int = 0
    latency: float = 0.0
    before_write: Callable[[], Awaitable[object]] | None = None
    effects: list[tuple[str, str, str]] = field(default_factory=list)
    _reviews: dict[str, GatewayReview] = field(default_factory=dict)
    _sessions: dict[str, GatewaySession] = field(default_factory=dict)

    # --- what happens at the gateway ------------------------------------------------------------------------------

    def ask(
        self,
        ref: IdentityRef,
        *groups: str,
        connection: str = "pg1",
        review_type: ReviewType = ReviewType.JIT,
        min_approvals: int | None = None,
        seconds: float = 1800,
        command: str = "",
    ) -> Question:
        """A review that waits for these groups; each has its own right key unless the test took it away."""
        who = self.gateway.identities[ref]
        number = len(self._reviews) + 1
        review_id, session_id = guid(f"review {number}"), guid(f"reviewed session {number}")
        for group in groups:
            self.keys.setdefault(group, Voter(f"tether:{group}", frozenset({group})))
        self.gateway.streams[session_id] = Stream(
            Session(session_id, connection), who.session_user, shown_live=False, flows=False
        )
        self.gateway.reviews[review_id] = (
            Review(review_id, session_id, connection, review_type, pending=True),
            who.session_user,
            "PENDING",
        )
        self._reviews[review_id] = GatewayReview(
            review_id,
            session_id,
            review_type,
            ReviewStatus.PENDING,
            tuple(map(ReviewGroup, groups)),
            timedelta(seconds=seconds),
            self.clock.now(),
            min_approvals=min_approvals,
        )
        self._sessions[session_id] = GatewaySession(
            session_id, who.session_user, who.name, who.email, connection, "postgres", input=command
        )
        return self.shown(review_id)

    def vote(
        self, review_id: str, voter: Voter, status: ReviewStatus = ReviewStatus.APPROVED, reason: str = ""
    ) -> None:
        """Somebody answers at the gateway itself, as it counts answers."""
        review = self.shown(review_id).review
        if status is ReviewStatus.APPROVED and voter.subject == self._owner(review_id) and not voter.is_admin:
            raise RejectedError("own-request")
        if review.status not in (ReviewStatus.PENDING, ReviewStatus.APPROVED):
            return
        mine = [row.group for row in review.groups if row.group in voter.groups]
        if not mine and not voter.is_admin:
            raise RejectedError("reviewer-key-wrong")
        rows = tuple(
            replace(row, status=status, reviewed_by=voter.name, reviewer_email=voter.name) if row.group in mine else row
            for row in review.groups
        )
        voted = replace(review, groups=rows)
        if status is not ReviewStatus.APPROVED:
            self._save(replace(voted, status=status, rejection_reason=reason))
        elif len(voted.approved) == voted.needed:
            self._grant(voted)
        else:
            self._save(voted)

    def shown(self, review_id: str) -> Question:
        """The review as anybody reads it now."""
        status = ReviewStatus(self.gateway.reviews[review_id][2])
        known = self._reviews[review_id]
        reason = self.gateway.closed_because.get(review_id, known.rejection_reason)
        review = replace(known, status=status, rejection_reason=reason)
        return Question(review, self._sessions[review.session_id])

    def forget(self, review_id: str) -> None:
        """The gateway has it no longer."""
        del self._reviews[review_id]
        del self.gateway.reviews[review_id]

    # --- the port ---------------------------------------------------------------------------------------------------

    async def pending(self) -> Sequence[str]:
        await self._think("pending")
        shown = [self.shown(review_id).review for review_id in self._reviews]
        return [review.session_id for review in reversed(shown) if review.status is ReviewStatus.PENDING]

    async def read(self, ref: str) -> Question | None:
        await self._think("read")
        found = [id_ for id_, review in self._reviews.items() if ref in (id_, review.session_id)]
        return self.shown(found[0]) if found else None

    async def approve(self, question: Question, group: str, token: str | None = None) -> None:
        await self._think("approve")
        voter = self._voter(question, group, token)
        await self._write("approve", group, question, lambda id_: self.vote(id_, voter))

    async def deny(self, question: Question, group: str, reason: str, token: str | None = None) -> None:
        await self._think("deny")
        voter = self._voter(question, group, token)
        await self._write("deny", group, question, lambda id_: self.vote(id_, voter, ReviewStatus.REJECTED, reason))

    async def force(self, question: Question, reason: str) -> None:  # noqa: ARG002 - the port's
        await self._think("force")
        voter = self.break_glass
        if voter is None:
            raise RejectedError("no-key")
        if voter.is_admin or not voter.groups:
            raise RejectedError("reviewer-key-wrong")
        await self._write("force", min(voter.groups), question, lambda id_: self._force(id_, voter))

    def _voter(self, question: Question, group: str, token: str | None) -> Voter:
        person = self.people.get(token or "")
        asked = {row.group for row in question.review.groups}
        if person is not None and person.groups & asked == {group}:
            return person
        key = self.keys.get(group)
        if key is None:
            raise RejectedError("no-key", group)
        if key.groups != {group} or key.is_admin:
            raise RejectedError("reviewer-key-wrong", group)
        return key

    async def _think(self, method: str) -> None:
        await self.faults.meet(method)
        if self.latency:
            await asyncio.sleep(self.latency)

    async def _write(self, verb: str, group: str, question: Question, effect: Callable[[str], None]) -> None:
        if (meanwhile := self.before_write) is not None:
            self.before_write = None
            await meanwhile()
        review_id = question.review.review_id
        self.effects.append((verb, review_id, group))
        if self.overwritten > 0:
            self.overwritten -= 1
            return
        effect(review_id)
        if self.unheard > 0:
            self.unheard -= 1
            raise UnknownOutcomeError("gateway-unreachable")

    def _force(self, review_id: str, voter: Voter) -> None:
        review = self.shown(review_id).review
        if review.status in (ReviewStatus.PENDING, ReviewStatus.APPROVED):
            row = ReviewGroup(min(voter.groups), ReviewStatus.APPROVED, voter.name, voter.name)
            self._grant(replace(review, groups=(*review.groups, row)))

    def _grant(self, review: GatewayReview) -> None:
        revoke_at = self.clock.now() + review.duration
        self._save(replace(review, status=ReviewStatus.APPROVED, revoke_at=revoke_at))
        stream = self.gateway.streams[review.session_id]
        stream.shown_live = stream.flows = review.type is ReviewType.JIT

    def _save(self, review: GatewayReview) -> None:
        self._reviews[review.review_id] = review
        known, user, _ = self.gateway.reviews[review.review_id]
        self.gateway.reviews[review.review_id] = (
            replace(known, pending=review.status is ReviewStatus.PENDING, revoke_at=review.revoke_at),
            user,
            review.status.value,
        )

    def _owner(self, review_id: str) -> str:
        return self.gateway.reviews[review_id][1]
