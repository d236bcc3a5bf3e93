"""What the handlers need from outside: one Protocol each, with the promises that every adapter keeps.

Every method may raise `RetryLaterError` when the other side cannot be reached, is busy, or answers nonsense; nothing
has been lost then, and the call may be repeated.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.domain.approval import Approval, PastDecision, Person
from shared.domain.card_copy import CardCopy, CardUpdate, Conversation, CopySpec, Face, Posted
from shared.domain.card_token import CardTokenKeys
from shared.domain.evidence import ChainHead, EvidenceEntry
from shared.domain.gateway import GatewayIdentity, Holdings, IdentityRef, Review, Roster, Session
from shared.domain.identity_map import IdentityMap
from shared.domain.ledger import RestoreRules
from shared.domain.plan import Escalation
from shared.domain.principals import Principal, PrincipalChange, PrincipalKind
from shared.domain.reach import AccessPolicy
from shared.domain.records import PrincipalRecord, PrincipalState
from shared.domain.reviews import Question, ReviewEvent
from shared.domain.routes import ApprovalRoutes
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

    async def members(self, group_id: str, most: int) -> Sequence[Person]:
        """The enabled users in a group by any path, at most so many."""

    async def people_behind(self, principal: Principal) -> tuple[Sequence[Person], Sequence[Person]]:
        """The sponsors and the owners of a service principal or agent identity."""

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


class Teams(Protocol):
    """The Bot Connector. Limits per thread are kept; a wait longer than a few seconds is a `RetryLaterError`."""

    async def open_chat(self, person_id: str, service_url: str) -> Conversation:
        """The chat with a person, by object id. Raises `RejectedError` (`conversation-gone`) when there can be none."""

    async def start_thread(self, channel: Conversation, face: Face) -> Posted:
        """A new thread in a channel.

        Raises:
            RejectedError: `conversation-gone`; `message-refused`, when Teams will never take it.
            UnknownOutcomeError: no answer came; the message may be there.
            RetryLaterError: Teams refused it for now, and the message is not there.
        """

    async def post(self, conversation: Conversation, face: Face) -> Posted:
        """A message in a chat or thread; errors as for `start_thread`."""

    async def update(self, posted: Posted, service_url: str, face: Face) -> None:
        """The message shows this face now; repeating it changes nothing more. Errors as for `start_thread`."""


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
    """The append-only record: a chain per principal, by its id, and per review, by `reviews/` and its id."""

    async def append(self, chain: str, head: ChainHead, entries: Sequence[EvidenceEntry]) -> ChainHead:
        """The chain's new head; a head that lags behind the stored chain is put right first."""

    async def read(self, chain: str) -> bytes:
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

    async def send_review_events(self, events: Iterable[ReviewEvent], at: datetime | None = None) -> None:
        """Enqueue looks at reviews, visible from `at` on."""

    async def send_card_updates(self, updates: Iterable[CardUpdate], at: datetime | None = None) -> None:
        """Enqueue copies of cards that have to be shown anew."""

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
class ApprovalRules:
    """What the operator decided about approvals.

    `review_url` has `{session_id}` where the gateway's page of a session wants it. `sign_in_resource` is what Teams
    signs approvers in to, where they answer the gateway themselves.
    """

    routes: ApprovalRoutes
    tokens: CardTokenKeys
    service_url: str
    review_url: str | None = None
    sign_in_resource: str = ""
    click_seconds: float = 4.0
    claim_seconds: float = 30.0
    work_seconds: float = 25.0
    ambiguous_seconds: float = 15.0


@dataclass(frozen=True, slots=True)
class ApprovalPorts:
    """Everything outside that approvals need besides `Ports`."""

    reviews: Reviews
    approvals: Approvals
    copies: CardCopies
    conversations: Conversations
    teams: Teams
    sign_in: SignIn | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside, as the handlers see it; `approval` is `None` where approvals are not set up."""

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
    approval: ApprovalPorts | None = None
