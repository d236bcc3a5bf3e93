"""Made-up approvals, one for each face of a card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.domain.approval import (
    Approval,
    ApprovalState,
    Choice,
    Outcome,
    PastDecision,
    Person,
    Requester,
    Vote,
)
from shared.domain.gateway import ReviewType
from shared.domain.principals import AccountState, PrincipalKind
from shared.wire.cards import Card, decided_card, request_card, requester_card, security_card
from tests.wire.cards.owner_samples import OWNER_FACES, owner_card, poisoned_attestation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://gateway.example/reviews/aaaaaaaa-0000-4000-8000-000000000001"
TOKEN = "AQ" + "x" * 78
COMMAND = "psql -h pg-prod <<'SQL'\n  UPDATE invoices\n     SET paid = true\n   WHERE id = 4711;\nSQL"
ADA = Person("cccccccc-0000-4000-8000-000000000001", "Ada Lovelace")
GRACE = Person("cccccccc-0000-4000-8000-000000000002", "Grace Hopper")
MARY = Person("cccccccc-0000-4000-8000-000000000003", "Mary Somerville")

PERSON = Requester(
    subject="sub-ada",
    name=ADA.name,
    email="ada@example.com",
    principal_id=ADA.principal_id,
    kind=PrincipalKind.USER,
    state=AccountState.ENABLED,
    recent=(
        PastDecision(NOW - timedelta(days=1), "pg-prod", ApprovalState.APPROVED),
        PastDecision(NOW - timedelta(days=9), "pg-prod", ApprovalState.DENIED),
    ),
)
AGENT = Requester(
    subject="agent-7",
    name="invoice-agent",
    principal_id="dddddddd-0000-4000-8000-000000000001",
    kind=PrincipalKind.SERVICE_PRINCIPAL,
    state=AccountState.ENABLED,
    is_agent_identity=True,
    sponsors=(GRACE,),
    owners=(MARY,),
)
STRANGER = Requester(subject="sub-x", name="somebody", email="somebody@example.org")

WAITING = Approval(
    review_id="aaaaaaaa-0000-4000-8000-000000000001",
    session_id="aaaaaaaa-0000-4000-8000-000000000002",
    type=ReviewType.JIT,
    connection="pg-prod",
    duration=timedelta(minutes=30),
    requester=PERSON,
    groups=("dba", "security"),
    needed=2,
    created_at=NOW,
    expires_at=NOW + timedelta(hours=4),
)
ONE_COMMAND = replace(
    WAITING,
    type=ReviewType.ONETIME,
    requester=AGENT,
    excerpt=COMMAND,
    input_size=len(COMMAND) + 1_200,
    input_digest="ab" * 32,
)
VOTED = replace(
    WAITING,
    votes=(Vote(GRACE, Choice.APPROVE, NOW, ("dba",), group="dba", applied=True),),
    answered=("dba",),
    unconfirmed=(Vote(MARY, Choice.APPROVE, NOW, ("security",)),),
)


def ended(state: ApprovalState, *by: str, approval: Approval = WAITING, **how: object) -> Approval:
    """The approval after an end."""
    outcome = Outcome(state, NOW + timedelta(minutes=3), by)
    return approval.closed(replace(outcome, **how))  # type: ignore[arg-type]  # the fields of an outcome


UNTIL = NOW + timedelta(minutes=33)
APPROVED = ended(ApprovalState.APPROVED, GRACE.name, MARY.name, expires_at=UNTIL)
FORCED = ended(ApprovalState.APPROVED, MARY.name, approval=ONE_COMMAND, forced=True, reason="Invoices are stuck")
DENIED = ended(ApprovalState.DENIED, GRACE.name, reason="Use the replica instead")
EXPIRED = ended(ApprovalState.EXPIRED, way="tether")
WITHDRAWN = ended(ApprovalState.WITHDRAWN, way="tether", reason="The requester has lost access")
ELSEWHERE = ended(ApprovalState.DENIED, "admin@example.com", way="gateway")
GIVEN_BACK = replace(APPROVED, ended_at=NOW + timedelta(minutes=9), sessions_ended=1)

Face = Callable[[Approval], Card]


def _asked(approval: Approval) -> Card:
    return request_card(approval, TOKEN, LINK, break_glass=True)


def _decided(approval: Approval) -> Card:
    return decided_card(approval, LINK)


def _told(approval: Approval) -> Card:
    return requester_card(approval, TOKEN, LINK)


def _alarmed(approval: Approval) -> Card:
    return security_card(approval, LINK)


FACES: Mapping[str, tuple[Face, Approval]] = {
    "request": (_asked, WAITING),
    "request__one_command": (_asked, ONE_COMMAND),
    "request__voted": (_asked, VOTED),
    "request__stranger": (_asked, replace(WAITING, requester=STRANGER)),
    "request__stuck_and_escalated": (_asked, replace(WAITING, stuck=True, escalated=True)),
    "decided__approved": (_decided, APPROVED),
    "decided__forced": (_decided, FORCED),
    "decided__denied": (_decided, DENIED),
    "decided__expired": (_decided, EXPIRED),
    "decided__withdrawn": (_decided, WITHDRAWN),
    "decided__elsewhere": (_decided, ELSEWHERE),
    "decided__given_back": (_decided, GIVEN_BACK),
    "requester__waiting": (_told, WAITING),
    "requester__approved": (_told, APPROVED),
    "requester__approved_one_command": (_told, ended(ApprovalState.APPROVED, GRACE.name, approval=ONE_COMMAND)),
    "requester__denied": (_told, DENIED),
    "requester__expired": (_told, EXPIRED),
    "requester__withdrawn": (_told, WITHDRAWN),
    "requester__ended_early": (_told, GIVEN_BACK),
    "security__break_glass": (_alarmed, FORCED),
    "security__stuck": (_alarmed, replace(WAITING, stuck=True)),
    "security__no_route": (_alarmed, replace(WAITING, unasked=("security",))),
    "security__over": (_alarmed, DENIED),
}


NAMES = (*FACES, *OWNER_FACES)


def face(name: str) -> Card:
    """The card of one face."""
    if name in OWNER_FACES:
        return owner_card(*OWNER_FACES[name])
    build, approval = FACES[name]
    return build(approval)


def poisoned_cards(text: str) -> list[Card]:
    """Every face with the text in every field that somebody outside Tether can write."""
    of_approvals = [build(poisoned(approval, text)) for build, approval in FACES.values()]
    return [
        *of_approvals,
        *(owner_card(spec, poisoned_attestation(attestation, text)) for spec, attestation in OWNER_FACES.values()),
    ]


def poisoned(approval: Approval, text: str) -> Approval:
    """The approval with the text in every field that somebody outside Tether can write."""
    somebody = Person(ADA.principal_id, text)
    requester = replace(
        approval.requester,
        subject=text,
        name=text,
        email=text,
        sponsors=(somebody,),
        owners=(somebody,),
        recent=(PastDecision(NOW, text, ApprovalState.DENIED),),
    )
    votes = (Vote(somebody, Choice.APPROVE, NOW, (text,), reason=text, group=text, applied=True),)
    return replace(
        approval,
        connection=text,
        requester=requester,
        groups=(text, "dba"),
        titles=(("dba", text),),
        unasked=(text,),
        answered=(text,),
        votes=votes,
        unconfirmed=votes,
        excerpt=text if approval.is_open else "",
        input_size=len(text),
        input_digest="ab" * 32,
        outcome=approval.outcome and replace(approval.outcome, by=(text,), reason=text),
    )


def texts_of(card: Card) -> Sequence[str]:
    """Every string anywhere in a card."""
    found: list[str] = []

    def look(part: object) -> None:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, Mapping):
            for each in part.values():
                look(each)
        elif isinstance(part, Sequence):
            for each in part:
                look(each)

    look(card)
    return found
