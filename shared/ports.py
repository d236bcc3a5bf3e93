"""What the handlers need from outside: one Protocol each, with the promises that every adapter keeps.

Every method may raise `RetryLaterError` when the other side cannot be reached, is busy, or answers nonsense; nothing
has been lost then, and the call may be repeated.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.domain.evidence import ChainHead, EvidenceEntry
from shared.domain.gateway import GatewayIdentity, Holdings, IdentityRef, Review, Roster, Session
from shared.domain.identity_map import IdentityMap
from shared.domain.ledger import RestoreRules
from shared.domain.plan import Escalation
from shared.domain.principals import Principal, PrincipalChange, PrincipalKind
from shared.domain.reach import AccessPolicy
from shared.domain.records import PrincipalRecord, PrincipalState
from shared.domain.subscriptions import DirectoryEvent, Subscription
from shared.domain.sweep import DeltaPage, Hold, SweepLimit


class Directory(Protocol):
    """Entra, read through Graph."""

    async def describe(self, principal_id: str, kind: PrincipalKind) -> Principal | None:
        """The principal as it is now, its blueprint's state included; `None` when Entra never heard of the id.

        A deleted principal is returned with `AccountState.DELETED`, and with its addresses while Entra keeps them.
        """

    async def describe_many(self, principals: Collection[Principal]) -> Mapping[str, Principal]:
        """The same for many known principals, by id."""

    async def find_users(self, emails: Collection[str]) -> Mapping[str, Sequence[Principal]]:
        """The users who carry each of these addresses, by case-folded address."""

    async def direct_groups(self, principal_id: str, kind: PrincipalKind) -> frozenset[str]:
        """The groups of which it is a direct member."""

    async def memberships(self, principal_id: str, groups: Collection[str]) -> frozenset[str]:
        """Those of `groups` in which it (a group, too) is a member by any path."""

    async def memberships_of_many(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, frozenset[str]]:
        """The same for many principals, by id."""

    async def group_ids(self, display_names: Collection[str]) -> Mapping[str, str]:
        """The object ids of groups by display name; names that no group or several groups carry are left out."""

    async def latest_delta_link(self, resource: str) -> str:
        """A link from which changes are counted as of now."""

    async def delta(self, resource: str, link: str) -> DeltaPage:
        """The page behind a link. Raises `DeltaLinkLostError` when Graph has forgotten it."""


class Subscriptions(Protocol):
    """Our registrations with Graph."""

    async def list_all(self) -> Sequence[Subscription]:
        """Every subscription of this app in the tenant."""

    async def create(self, wanted: Subscription) -> Subscription:
        """Register; our URL answers its handshake meanwhile. Raises `AlreadyDecidedError` when one like it exists."""

    async def renew(self, subscription_id: str, expires_at: datetime) -> None:
        """Extend and reauthorize. Raises `RejectedError` when Graph has lost the subscription."""

    async def delete(self, subscription_id: str) -> None:
        """Remove it; removing what is gone is no error."""


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


class Evidence(Protocol):
    """The append-only record."""

    async def append(self, principal_id: str, head: ChainHead, entries: Sequence[EvidenceEntry]) -> ChainHead:
        """The chain's new head; a head that lags behind the stored chain is put right first."""

    async def read(self, principal_id: str) -> bytes:
        """A whole chain, empty when there is none."""

    async def anchor(self, day: str, heads: Mapping[str, ChainHead]) -> Mapping[str, Any]:
        """Store the day's anchor, chained to the one before, once; an anchored day is returned as it stands."""


class Queue(Protocol):
    """The queues; what is returned from is durable."""

    async def send(self, changes: Iterable[PrincipalChange], at: datetime | None = None) -> None:
        """Enqueue looks at principals, visible from `at` on."""

    async def send_verification(self, change: PrincipalChange, at: datetime) -> None:
        """Schedule the proof that a revocation held."""

    async def send_directory_events(self, events: Iterable[DirectoryEvent], at: datetime | None = None) -> None:
        """Enqueue what has to be done about the directory as a whole."""

    async def dead_letter(self, body: bytes, queue: str, reason: str, detail: str) -> None:
        """Put aside what will not be tried again, with its reason."""


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


class Clock(Protocol):
    """Time and chance, so that tests decide both."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""

    def jitter(self) -> float:
        """A number between 0 and 1."""

    def new_id(self) -> str:
        """A new correlation or claim id."""


class Alerts(Protocol):
    """What somebody has to hear about."""

    def raise_alert(self, reason: str, **details: object) -> None:
        """Tell the people on duty; never fails and never carries a secret."""

    def measure(self, name: str, seconds: float, **attributes: str) -> None:
        """Record a duration under a name made of the domain's words."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decided: limits, delays and guards."""

    identity_map: IdentityMap
    restore: RestoreRules
    sweep_limit: SweepLimit
    escalation: Escalation
    verify_after: tuple[float, ...] = (10.0, 300.0, 5400.0)
    recheck_after: tuple[float, ...] = (2.0, 10.0, 60.0)
    read_budget: float = 1.0
    claim_seconds: float = 120.0
    work_seconds: float = 100.0


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside, as the handlers see it."""

    directory: Directory
    subscriptions: Subscriptions
    gateway: Gateway
    records: PrincipalRecords
    evidence: Evidence
    queue: Queue
    delta_links: DeltaLinks
    holds: Holds
    clock: Clock
    alerts: Alerts
