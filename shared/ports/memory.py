"""What Tether remembers, in Storage; the evidence, too."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from shared.domain.approval import Approval, PastDecision
from shared.domain.card_copy import CardCopy, Conversation, CopySpec, Face
from shared.domain.evidence import ChainHead, EvidenceEntry
from shared.domain.principals import Principal
from shared.domain.records import PrincipalRecord, PrincipalState
from shared.domain.sweep import Hold


class PrincipalRecords(Protocol):
    """What Tether remembers; every write of a state is a compare-and-swap."""

    async def read(self, principal_id: str) -> PrincipalRecord:
        """What is stored about one principal."""

    def all(self) -> AsyncIterator[PrincipalRecord]:
        """Everything stored, one principal at a time."""

    async def by_app(self, app_id: str) -> Sequence[Principal]:
        """The service principals of an application and the agent identities of a blueprint."""

    async def remember(self, principal: Principal) -> None:
        """Store a principal as last read from Entra."""

    async def claim(self, principal_id: str, owner: str, now: datetime, expires_at: datetime) -> PrincipalState:
        """The state, now ours until `expires_at`. Raises `ClaimedElsewhereError` while somebody else holds it."""

    async def save(self, state: PrincipalState) -> PrincipalState:
        """The state with its new version. Raises `ClaimedElsewhereError` when somebody has taken over."""


class Approvals(Protocol):
    """What Tether remembers about reviews; every write is a compare-and-swap."""

    async def read(self, review_id: str) -> Approval | None:
        """The approval; `None` when the review was never seen."""

    async def create(self, approval: Approval) -> Approval:
        """Remember a new one. Raises `ClaimedElsewhereError` when somebody was faster."""

    async def save(self, approval: Approval) -> Approval:
        """The approval with its new version. Raises `ClaimedElsewhereError` when somebody else saved since."""

    async def open_ones(self) -> Mapping[str, str]:
        """The review ids of what may still be open, each with its session id."""

    async def recent(self, subject: str, most: int) -> Sequence[PastDecision]:
        """How the latest requests of a gateway subject ended, newest first."""

    def all(self) -> AsyncIterator[Approval]:
        """Everything stored."""


class CardCopies(Protocol):
    """Where each card is shown; every write is a compare-and-swap."""

    async def read(self, review_id: str, spec: CopySpec) -> CardCopy:
        """The copy; one that is wanted when nothing is stored yet."""

    async def find(self, review_id: str, copy_id: str) -> CardCopy | None:
        """The copy behind a token."""

    async def all(self, review_id: str) -> Sequence[CardCopy]:
        """Every copy of one review's card."""

    async def save(self, copy: CardCopy) -> CardCopy:
        """The copy with its new version. Raises `AlreadyDecidedError` when somebody else saved since."""


class Conversations(Protocol):
    """Where Teams can be spoken to: learnt from validated activities only."""

    async def read(self, place_id: str) -> Conversation | None:
        """The conversation of a channel or person (`*`: whatever the tenant said last)."""

    async def save(self, place_id: str, conversation: Conversation) -> None:
        """Remember it; the newest wins."""

    async def forget(self, place_id: str) -> None:
        """It is dead: the next one has to be learnt or made."""


class Notices(Protocol):
    """Cards that say one thing and never change: they wait here for Teams to take them."""

    async def put(self, notice_id: str, face: Face) -> None:
        """Keep a card under a UUID; the same again changes nothing."""

    async def read(self, notice_id: str) -> Face | None:
        """The card; `None` when there is none."""


class DeltaLinks(Protocol):
    """Where each sweep goes on; a compare-and-swap, so that two sweeps never both advance."""

    async def read(self, resource: str) -> tuple[str | None, str | None]:
        """The link and its opaque version; `None` before the first sweep."""

    async def save(self, resource: str, link: str, version: str | None) -> None:
        """Advance. Raises `AlreadyDecidedError` when another sweep was faster."""


class Holds(Protocol):
    """Sweeps that wait for a person."""

    async def put(self, hold: Hold) -> None:
        """Keep a hold; the same hold id replaces the older one."""

    async def read(self, hold_id: str) -> Hold | None:
        """The hold; `None` when there is none."""

    async def delete(self, hold_id: str) -> None:
        """Forget it; forgetting what is gone is no error."""

    async def list_ids(self) -> Sequence[str]:
        """The holds that wait."""


class Evidence(Protocol):
    """The append-only record: a chain per principal, by its id; others are named by a folder and an id.

    Those are `reviews/` and `attestations/`.
    """

    async def append(self, chain: str, head: ChainHead, entries: Sequence[EvidenceEntry]) -> ChainHead:
        """The chain's new head; a head that lags behind the stored chain is put right first."""

    async def read(self, chain: str) -> bytes:
        """A whole chain, empty when there is none."""

    async def anchor(self, day: str, heads: Mapping[str, ChainHead]) -> Mapping[str, Any]:
        """Store the day's anchor, chained to the one before, once; an anchored day is returned as it stands."""
