"""What Tether remembers about a principal between messages."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.evidence import START, ChainHead
from shared.domain.ledger import Ledger
from shared.domain.principals import Principal


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose turn it is, and until when; an expired claim is nobody's."""

    owner: str
    expires_at: datetime

    def is_held(self, now: datetime) -> bool:
        """Whether others must still keep away."""
        return now < self.expires_at


@dataclass(frozen=True, slots=True)
class PrincipalState:
    """The claimed row of one principal: what was taken, where its evidence ends, when it is looked at next.

    `unproven_since` is set from the moment a revocation is decided until it has been read back, so that whoever comes
    after a crash knows what is left to prove. `version` is opaque: a save succeeds only while nobody else saved since.
    """

    principal_id: str
    claim: Claim | None = None
    ledger: Ledger = ()
    chain: ChainHead = START
    follow_up_at: datetime | None = None
    unproven_since: datetime | None = None
    version: str | None = None

    def released(self) -> "PrincipalState":
        """The same state, free for the next worker."""
        return replace(self, claim=None)


@dataclass(frozen=True, slots=True)
class PrincipalRecord:
    """What is stored: the principal as last read from Entra (if ever), and its state (if ever claimed)."""

    facts: Principal | None = None
    state: PrincipalState | None = None
