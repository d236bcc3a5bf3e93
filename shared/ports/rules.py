"""What the operator decided, and everything outside in one place."""

from dataclasses import dataclass, field

from shared.domain.card_token import CardTokenKeys
from shared.domain.identity_map import IdentityMap
from shared.domain.ledger import RestoreRules
from shared.domain.plan import Escalation
from shared.domain.posture.rules import PostureRules
from shared.domain.routes import ApprovalRoutes
from shared.domain.sweep import SweepLimit
from shared.ports.entra import Directory, Subscriptions
from shared.ports.gateway import Gateway, Reviews, SessionLog, SignIn
from shared.ports.memory import (
    Approvals,
    CardCopies,
    Conversations,
    DeltaLinks,
    Evidence,
    Holds,
    Notices,
    PrincipalRecords,
)
from shared.ports.posture import Attestations, Exemptions
from shared.ports.running import Alerts, Clock, Queue
from shared.ports.teams import Teams


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
    """What the operator decided about approvals, and about everything else that is asked in Teams.

    `review_url` has `{session_id}` where the gateway's page of a session wants it, `report_url` has `{report_id}`.
    `sign_in_resource` is what Teams signs approvers in to, where they answer the gateway themselves. `posture` and
    `guards` hold for what owners answer.
    """

    routes: ApprovalRoutes
    tokens: CardTokenKeys
    service_url: str
    review_url: str | None = None
    report_url: str | None = None
    posture: PostureRules = field(default_factory=PostureRules)
    guards: Rules | None = None
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
class PosturePorts:
    """Everything outside that owners' cards need besides `ApprovalPorts`; `log` is read before access is taken away."""

    attestations: Attestations
    exemptions: Exemptions
    notices: Notices
    log: SessionLog


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside, as the handlers see it; `approval` and `posture` are `None` where Teams is not set up."""

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
    posture: PosturePorts | None = None
