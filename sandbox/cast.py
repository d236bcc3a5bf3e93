"""Who is in the sandbox's tenant: names and object ids that the seed, the demo and the tests share."""

from dataclasses import dataclass, field


def object_id(number: int) -> str:
    """An object id of the sandbox's tenant that is the same in every run."""
    return f"7e7e0000-0000-4000-8000-{number:012x}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Entra and at the gateway, tied by e-mail: the gateway knows no object id of a person."""

    id: str
    name: str
    email: str
    gateway_groups: tuple[str, ...]

    @property
    def subject(self) -> str:
        """Who this is at the gateway: Entra's `sub` differs from the object id."""
        return f"pairwise-{self.email.split('@')[0]}"


@dataclass(frozen=True, slots=True)
class Agent:
    """An AI agent: a service principal or agent identity, and a service account whose subject is its object id."""

    id: str
    name: str
    gateway_groups: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """Who this is at the gateway."""
        return self.id


@dataclass(frozen=True, slots=True)
class Group:
    """An Entra security group and its direct members."""

    id: str
    name: str
    members: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Rule:
    """An access request rule at the gateway: one approval of its groups is enough, or every group has to give one."""

    name: str
    connection: str
    reviewer_groups: tuple[str, ...]
    all_groups: bool = False


PLATFORM_ID = object_id(0x101)
ENGINEERING_ID = object_id(0x102)
ON_CALL_ID = object_id(0x103)
SYNC_AGENTS_ID = object_id(0x104)
LEDGER_AGENTS_ID = object_id(0x105)
REPORT_AGENTS_ID = object_id(0x106)
DBA_APPROVERS_ID = object_id(0x107)
SECURITY_APPROVERS_ID = object_id(0x108)
BREAK_GLASS_APPROVERS_ID = object_id(0x109)

# Reviewer groups at the gateway: one by a name of its own, one by the object id of its Entra group; and who may force.
DBA_REVIEWERS = "dba-approvers"
SECURITY_REVIEWERS = SECURITY_APPROVERS_ID
BREAK_GLASS_REVIEWERS = "break-glass"

# The gateway names its groups in both ways that exist: by object id, as tokens carry them, and by a name of its own.
ADA = Person(object_id(0x201), "Ada Byron", "ada@contoso.example", (PLATFORM_ID, "on-call"))
GRACE = Person(object_id(0x202), "Grace Hopper", "grace@contoso.example", (PLATFORM_ID,))
ALAN = Person(object_id(0x203), "Alan Turing", "alan@contoso.example", ("on-call",))
ROOT = Person(object_id(0x204), "Root", "root@contoso.example", ("admin", SECURITY_REVIEWERS, BREAK_GLASS_REVIEWERS))
PEOPLE = (ADA, GRACE, ALAN, ROOT)

SYNC_AGENT = Agent(object_id(0x301), "sync-agent", ("sync-agents",))
LEDGER_AGENT = Agent(object_id(0x302), "ledger-agent", (LEDGER_AGENTS_ID,))
REPORT_BOT = Agent(object_id(0x303), "report-bot", ("report-agents",))
LEDGER_BLUEPRINT = Agent(object_id(0x304), "ledger-blueprint")

ENGINEERING = Group(ENGINEERING_ID, "engineering", (ADA.id, GRACE.id))
# Grace is inside platform twice, directly and through engineering: one removal alone takes nothing from her.
PLATFORM = Group(PLATFORM_ID, "platform", (ENGINEERING_ID, GRACE.id))
ON_CALL = Group(ON_CALL_ID, "on-call", (ADA.id, ALAN.id))
SYNC_AGENTS = Group(SYNC_AGENTS_ID, "sync-agents", (SYNC_AGENT.id,))
LEDGER_AGENTS = Group(LEDGER_AGENTS_ID, "ledger-agents", (LEDGER_AGENT.id,))
REPORT_AGENTS = Group(REPORT_AGENTS_ID, "report-agents", (REPORT_BOT.id,))
DBA_APPROVERS = Group(DBA_APPROVERS_ID, "dba-approvers", (GRACE.id, ALAN.id))
SECURITY_APPROVERS = Group(SECURITY_APPROVERS_ID, "security-approvers", (ADA.id, ROOT.id))
BREAK_GLASS_APPROVERS = Group(BREAK_GLASS_APPROVERS_ID, "break-glass-approvers", (ROOT.id,))
APPROVER_GROUPS = (DBA_APPROVERS, SECURITY_APPROVERS, BREAK_GLASS_APPROVERS)
GROUPS = (ENGINEERING, PLATFORM, ON_CALL, SYNC_AGENTS, LEDGER_AGENTS, REPORT_AGENTS, *APPROVER_GROUPS)

# What Entra calls two of the resources behind the gateway: the app ids that tokens for them name.
RECORDS_RESOURCE, LEDGER_RESOURCE = object_id(0x401), object_id(0x402)

CUSTOMERS_DB = "customers-db"
VAULT_DB = "vault-db"

# Which gateway groups reach which connection.
CONNECTIONS = {
    "records-api": ("sync-agents", "report-agents"),
    "ledger-db": (LEDGER_AGENTS_ID,),
    "orders-db": (PLATFORM_ID,),
    "payments-db": ("on-call",),
    CUSTOMERS_DB: ("sync-agents", PLATFORM_ID),
    VAULT_DB: ("sync-agents", PLATFORM_ID),
}

# What needs approval, and from whom: any one of the DBAs, or the DBAs and security both.
RULES = (
    Rule("customers-approvals", CUSTOMERS_DB, (DBA_REVIEWERS,)),
    Rule("vault-approvals", VAULT_DB, (DBA_REVIEWERS, SECURITY_REVIEWERS), all_groups=True),
)
