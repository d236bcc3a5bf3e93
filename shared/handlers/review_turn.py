"""A review's turn: the time in which one worker, a click included, and nobody else decides about one review."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from shared.domain.approval import Approval
from shared.domain.evidence import EvidenceEntry
from shared.domain.records import Claim
from shared.errors import AlreadyDecidedError, ClaimedElsewhereError, RetryLaterError
from shared.ports import ApprovalPorts, ApprovalRules, Ports

CHAINS = "reviews/"
WAIT_SECONDS = 0.05
ABANDON_SECONDS = 0.5


class ReviewTurn:
    """What a worker knows and writes down while the review is its own."""

    def __init__(self, approval: Approval, correlation_id: str, ports: Ports, rules: ApprovalRules) -> None:
        self.approval = approval
        self.ports = ports
        self.rules = rules
        self._correlation_id = correlation_id
        self._saved = approval

    @property
    def outside(self) -> ApprovalPorts:
        """What approvals need from outside."""
        return needed(self.ports)

    async def claim(self) -> None:
        """Take the claim. Raises `ClaimedElsewhereError` while somebody else holds it, or has just saved."""
        now = self.ports.clock.now()
        held = self.approval.claim
        if held is not None and held.is_held(now):
            raise ClaimedElsewhereError(self.approval.review_id)
        claim = Claim(self.ports.clock.new_id(), now + timedelta(seconds=self.rules.claim_seconds))
        self._deadline = claim.expires_at
        wanted = replace(self.approval, claim=claim)
        store = self.outside.approvals
        self.approval = await (store.create(wanted) if wanted.version is None else store.save(wanted))
        self._saved = self.approval

    async def is_claimed_now(self) -> bool:
        """Whether the claim could be taken at once."""
        try:
            await self.claim()
        except ClaimedElsewhereError:
            return False
        return True

    def check(self) -> None:
        """Stop a worker that comes back late: the claim may be somebody else's by now."""
        if self.ports.clock.now() >= self._deadline:
            raise ClaimedElsewhereError(self.approval.review_id)

    async def note(self, what: str, **details: object) -> None:
        """Append to the review's evidence."""
        requester = self.approval.requester
        entry = EvidenceEntry(
            self.ports.clock.now(), what, requester.principal_id or requester.subject, self._correlation_id, details
        )
        chain = f"{CHAINS}{self.approval.review_id}"
        head = await self.ports.evidence.append(chain, self.approval.chain, [entry])
        self.keep(chain=head)

    def keep(self, approval: Approval | None = None, **changes: object) -> None:
        """Change what is known; durable with the next save."""
        self.approval = replace(approval or self.approval, **changes)  # type: ignore[arg-type]

    async def save(self) -> None:
        """Make it durable."""
        self.check()
        self.approval = await self.outside.approvals.save(self.approval)
        self._saved = self.approval

    async def abandon(self) -> None:
        """Let the next worker in, without anything that was kept since the last save: it belonged to what failed."""
        self.approval = replace(self._saved, chain=self.approval.chain)
        try:
            # Somebody may wait for the answer to a click; a claim that stays ends by itself.
            async with asyncio.timeout(ABANDON_SECONDS):
                await self.release()
        except TimeoutError:
            self.ports.alerts.raise_alert("claim-not-released", review_id=self.approval.review_id)

    async def release(self) -> None:
        """Let the next worker in; when somebody has taken over, the claim is theirs already."""
        try:
            self.approval = await self.outside.approvals.save(self.approval.released())
        except ClaimedElsewhereError:
            self.ports.alerts.raise_alert("claim-lost", review_id=self.approval.review_id)


def needed(ports: Ports) -> ApprovalPorts:
    """The ports of approvals, where they are set up; a message about a review cannot exist elsewhere."""
    if ports.approval is None:
        raise RetryLaterError("approvals-off", "set APPROVAL_ROUTES_FILE and the settings that belong to it")
    return ports.approval


@asynccontextmanager
async def review_turn(
    approval: Approval, correlation_id: str, ports: Ports, rules: ApprovalRules
) -> AsyncIterator[ReviewTurn]:
    """A claimed turn that ends well before its claim does; an approval without a version is created with it.

    Raises:
        ClaimedElsewhereError: somebody else is at it.
        RetryLaterError: `took-too-long` when the work did not fit into the turn.
    """
    ours = ReviewTurn(approval, correlation_id, ports, rules)
    await ours.claim()
    async with _claimed(ours):
        yield ours


@asynccontextmanager
async def next_turn(
    approval: Approval, correlation_id: str, ports: Ports, rules: ApprovalRules
) -> AsyncIterator[ReviewTurn]:
    """The same as soon as the review is free: who clicks while another click is decided waits for it.

    Raises:
        AlreadyDecidedError: it has ended, maybe by the other click: an end is written once.
    """
    ours = ReviewTurn(approval, correlation_id, ports, rules)
    _check_open(approval)
    while not await ours.is_claimed_now():
        await asyncio.sleep(WAIT_SECONDS * (0.5 + ports.clock.jitter()))
        ours.approval = await ours.outside.approvals.read(approval.review_id) or approval
        _check_open(ours.approval)
    async with _claimed(ours):
        yield ours


def _check_open(approval: Approval) -> None:
    if not approval.is_open:
        raise AlreadyDecidedError("already-decided")


@asynccontextmanager
async def _claimed(ours: ReviewTurn) -> AsyncIterator[None]:
    finished = False
    try:
        async with asyncio.timeout(ours.rules.work_seconds):
            yield
            finished = True
    except TimeoutError as error:
        raise RetryLaterError("took-too-long", f"more than {ours.rules.work_seconds:.0f} s") from error
    finally:
        await (ours.release() if finished else ours.abandon())
