"""What the handlers need from outside: one Protocol each, with the promises that every adapter keeps.

Every method may raise `RetryLaterError` when the other side cannot be reached, is busy, or answers nonsense; nothing
has been lost then, and the call may be repeated.
"""

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
from shared.ports.posture import (
    AppJoin,
    Attestations,
    AuditLog,
    Exemptions,
    Inventory,
    NameServers,
    ScanStore,
    TenantPolicies,
    Vaults,
)
from shared.ports.reports import Reports
from shared.ports.rotation import RotationLedger
from shared.ports.rules import ApprovalPorts, ApprovalRules, Ports, PosturePorts, Rules
from shared.ports.running import Alerts, Clock, Queue
from shared.ports.teams import Teams

__all__ = [
    "Alerts",
    "AppJoin",
    "ApprovalPorts",
    "ApprovalRules",
    "Approvals",
    "Attestations",
    "AuditLog",
    "CardCopies",
    "Clock",
    "Conversations",
    "DeltaLinks",
    "Directory",
    "Evidence",
    "Exemptions",
    "Gateway",
    "Holds",
    "Inventory",
    "NameServers",
    "Notices",
    "Ports",
    "PosturePorts",
    "PrincipalRecords",
    "Queue",
    "Reports",
    "Reviews",
    "RotationLedger",
    "Rules",
    "ScanStore",
    "SessionLog",
    "SignIn",
    "Subscriptions",
    "Teams",
    "TenantPolicies",
    "Vaults",
]
