"""Made-up approvals, votes and reviews that the tests of the domain speak about."""

from datetime import timedelta

from shared.domain.approval import Approval, Choice, Person, Requester, Vote
from shared.domain.gateway import ReviewType
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.domain.reviews import GatewayReview, GatewaySession, Question, ReviewGroup, ReviewStatus
from tests.domain.samples import ADA, NOW, later

REVIEW = "aaaaaaaa-0000-4000-8000-000000000001"
SESSION = "aaaaaaaa-0000-4000-8000-000000000002"
RITA = Person("dddddddd-0000-4000-8000-000000000001", "Rita")
COMMAND = "select 1"
WAITING = GatewaySession(SESSION, "sub-rita", "Rita", "rita@example.com", "pg1", input=COMMAND)


def person(name: str) -> Person:
    return Person(f"id-{name}", name)


def vote(
    name: str, *groups: str, choice: Choice = Choice.APPROVE, group: str | None = None, applied: bool = False
) -> Vote:
    return Vote(person(name), choice, NOW, groups, "because", group, applied)


def requester(principal_id: str | None = RITA.principal_id) -> Requester:
    return Requester("sub-rita", "Rita", "rita@example.com", principal_id, PrincipalKind.USER, AccountState.ENABLED)


def approval(*votes: Vote, groups: tuple[str, ...] = ("dba", "security"), needed: int = 2) -> Approval:
    return Approval(
        REVIEW,
        SESSION,
        ReviewType.JIT,
        "pg1",
        timedelta(minutes=30),
        requester(),
        groups,
        needed,
        NOW,
        later(4 * 3600),
        excerpt=COMMAND,
        input_digest=WAITING.input_digest,
        votes=votes,
    )


def review(
    *approved: str,
    groups: tuple[str, ...] = ("dba", "security"),
    status: ReviewStatus = ReviewStatus.PENDING,
    needed: int | None = None,
    by: str = "",
    rejection_reason: str = "",
) -> GatewayReview:
    rows = tuple(
        ReviewGroup(g, ReviewStatus.APPROVED if g in approved else ReviewStatus.PENDING, by, by) for g in groups
    )
    return GatewayReview(
        REVIEW,
        SESSION,
        ReviewType.JIT,
        status,
        rows,
        timedelta(minutes=30),
        NOW,
        min_approvals=needed,
        rejection_reason=rejection_reason,
    )


def question(of: GatewayReview | None = None, session: GatewaySession = WAITING) -> Question:
    return Question(of or review(), session)


def ada(state: AccountState = AccountState.ENABLED, *emails: str) -> Principal:
    return Principal(ADA, PrincipalKind.USER, state, "Ada", frozenset(emails))
