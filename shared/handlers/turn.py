"""A turn: the time in which one worker, and nobody else, acts on one principal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from shared.domain.evidence import EvidenceEntry
from shared.domain.ledger import Ledger
from shared.domain.principals import Principal, PrincipalChange
from shared.domain.records import Claim, PrincipalState
from shared.errors import ClaimedElsewhereError, RetryLaterError
from shared.ports import Ports, Rules


class Turn:
    """What a worker knows and writes down while the claim is its own."""

    def __init__(self, change: PrincipalChange, principal: Principal, ports: Ports, rules: Rules) -> None:
        self.change = change
        self.principal = principal
        self.ports = ports
        self.rules = rules
        self.revoked = False

    async def claim(self, known: PrincipalState) -> None:
        """Take the claim on the state as it was read a moment ago or, if that has changed since, as it is now."""
        now = self.ports.clock.now()
        claim = Claim(self.ports.clock.new_id(), now + timedelta(seconds=self.rules.claim_seconds))
        try:
            self.state = await self._claim_known(replace(known, claim=claim), known.claim)
        except ClaimedElsewhereError:
            self.state = await self.ports.records.claim(known.principal_id, claim.owner, now, claim.expires_at)
        self._deadline = claim.expires_at

    async def _claim_known(self, wanted: PrincipalState, held: Claim | None) -> PrincipalState:
        if held is not None and held.is_held(self.ports.clock.now()):
            raise ClaimedElsewhereError(wanted.principal_id)
        return await self.ports.records.save(wanted)

    def check(self) -> None:
        """Stop a worker that comes back late: the claim may be somebody else's by now."""
        if self.ports.clock.now() >= self._deadline:
            raise ClaimedElsewhereError(self.principal.principal_id)

    async def note(self, what: str, **details: object) -> None:
        """Append to the principal's evidence."""
        entry = EvidenceEntry(
            self.ports.clock.now(), what, self.principal.principal_id, self.change.correlation_id, details
        )
        head = await self.ports.evidence.append(self.principal.principal_id, self.state.chain, [entry])
        self.state = replace(self.state, chain=head)

    async def save(self) -> None:
        """Make the state durable."""
        self.check()
        self.state = await self.ports.records.save(self.state)

    def keep(self, ledger: Ledger) -> None:
        """Change the ledger; durable with the next save."""
        self.state = replace(self.state, ledger=ledger)

    async def release(self) -> None:
        """Let the next worker in; when somebody has taken over, the claim is theirs already."""
        try:
            self.state = await self.ports.records.save(self.state.released())
        except ClaimedElsewhereError:
            self.ports.alerts.raise_alert("claim-lost", principal_id=self.principal.principal_id)


@asynccontextmanager
async def turn(
    change: PrincipalChange, principal: Principal, ports: Ports, rules: Rules, known: PrincipalState
) -> AsyncIterator[Turn]:
    """A claimed turn that ends well before its claim does, whatever happens in it.

    Raises:
        RetryLaterError: `took-too-long` when the work did not fit into the turn.
    """
    ours = Turn(change, principal, ports, rules)
    await ours.claim(known)
    try:
        async with asyncio.timeout(rules.work_seconds):
            yield ours
    except TimeoutError as error:
        raise RetryLaterError("took-too-long", f"more than {rules.work_seconds:.0f} s") from error
    finally:
        await ours.release()
