"""Approval: what Tether knows about one review: who asks, who may answer, who answered what, and how it ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.evidence import START, ChainHead
from shared.domain.gateway import ReviewType
from shared.domain.principals import AccountState, PrincipalKind
from shared.domain.records import Claim
from shared.domain.reviews import GatewayReview


class ApprovalState(StrEnum):
    """Where an approval stands; everything but pending is final."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Choice(StrEnum):
    """What a person may answer; break-glass approves by force."""

    APPROVE = "approve"
    DENY = "deny"
    BREAK_GLASS = "break-glass"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Entra, by object id."""

    principal_id: str
    name: str


@dataclass(frozen=True, slots=True)
class PastDecision:
    """How an earlier request of the same requester ended."""

    at: datetime
    connection: str
    state: ApprovalState


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks: at the gateway by `subject`, in Entra by `principal_id` (`None` when Tether cannot tell).

    `sponsors` and `owners` are the people behind an agent; none of them may approve its requests.
    """

    subject: str
    name: str
    email: str = ""
    principal_id: str | None = None
    kind: PrincipalKind = PrincipalKind.UNKNOWN
    state: AccountState = AccountState.UNKNOWN
    is_agent_identity: bool = False
    sponsors: tuple[Person, ...] = ()
    owners: tuple[Person, ...] = ()
    recent: tuple[PastDecision, ...] = ()

    @property
    def own_ids(self) -> frozenset[str]:
        """The object ids of the requester and of everybody who would approve for themselves."""
        people = (person.principal_id for person in (*self.sponsors, *self.owners))
        return frozenset(filter(None, (self.principal_id, *people)))


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer. `groups` are the reviewer groups for which the person was entitled to give it.

    `group` is the one for which it counts, assigned when the answer is decided; `applied` says that the gateway has
    shown it since.
    """

    approver: Person
    choice: Choice
    at: datetime
    groups: tuple[str, ...]
    reason: str = ""
    group: str | None = None
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an approval ended: by whom (names), why, and which way the answer came (`teams`, `gateway`, `tether`)."""

    state: ApprovalState
    at: datetime
    by: tuple[str, ...] = ()
    reason: str = ""
    way: str = "teams"
    forced: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """The claimed row of one review.

    `votes` are those that count, `unconfirmed` those whose effect at the gateway nobody could see. `excerpt` is the
    beginning of the command, kept until the decision only; `input_digest` stands for the whole. `answered` are groups
    that have approved at the gateway, `titles` what people call the groups that go by an object id, `unasked` groups
    that nobody can be asked for. `personal` are the approvers who have a card in their own chat, too, `mentions` who is
    mentioned in reminders. `stuck` says that no vote can decide it any more. `ended_at` is when an approved grant was
    given back. `version` is opaque.
    """

    review_id: str
    session_id: str
    type: ReviewType
    connection: str
    duration: timedelta
    requester: Requester
    groups: tuple[str, ...]
    needed: int
    created_at: datetime
    expires_at: datetime
    excerpt: str = ""
    input_size: int = 0
    input_digest: str = ""
    answered: tuple[str, ...] = ()
    titles: tuple[tuple[str, str], ...] = ()
    unasked: tuple[str, ...] = ()
    personal: tuple[str, ...] = ()
    mentions: tuple[Person, ...] = ()
    state: ApprovalState = ApprovalState.PENDING
    votes: tuple[Vote, ...] = ()
    unconfirmed: tuple[Vote, ...] = ()
    outcome: Outcome | None = None
    stuck: bool = False
    reminders: int = 0
    escalated: bool = False
    look_at: datetime | None = None
    ended_at: datetime | None = None
    sessions_ended: int = 0
    claim: Claim | None = None
    chain: ChainHead = START
    version: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether an answer still counts."""
        return self.state is ApprovalState.PENDING

    @property
    def deciding(self) -> tuple[Vote, ...]:
        """The approvals that were decided to be enough, and that the gateway has not shown yet."""
        approvals = (vote for vote in self.votes if vote.choice is Choice.APPROVE)
        return tuple(vote for vote in approvals if vote.group is not None and not vote.applied)

    def title_of(self, group: str) -> str:
        """What people call a reviewer group."""
        return dict(self.titles).get(group, group)

    def vote_of(self, principal_id: str) -> Vote | None:
        """The vote of one person, if there is one."""
        return next((vote for vote in self.votes if vote.approver.principal_id == principal_id), None)

    def released(self) -> "Approval":
        """The same approval, free for the next worker."""
        return replace(self, claim=None)

    def closed(self, outcome: Outcome) -> "Approval":
        """The approval after its end; the command is forgotten, its hash stays."""
        return replace(self, state=outcome.state, outcome=outcome, excerpt="", look_at=None)

    def with_vote(self, vote: Vote) -> "Approval":
        """The approval with one more vote; a person has one."""
        others = tuple(v for v in self.votes if v.approver.principal_id != vote.approver.principal_id)
        return replace(self, votes=(*others, vote))

    def without_votes_of(self, principal_ids: Iterable[str]) -> "Approval":
        """The approval without the votes of these people that have no effect at the gateway yet; none is assigned."""
        gone = frozenset(principal_ids)
        kept = (vote for vote in self.votes if vote.applied or vote.approver.principal_id not in gone)
        return replace(self, votes=tuple(vote if vote.applied else replace(vote, group=None) for vote in kept))


def assign(votes: Sequence[Vote], open_groups: Sequence[str]) -> Mapping[str, Vote]:
    """The most groups that these votes can answer, each with its vote: one vote per person, one person per group."""
    chosen: dict[str, Vote] = {}

    def place(vote: Vote, seen: set[str]) -> bool:
        for group in (one for one in open_groups if one in vote.groups and one not in seen):
            seen.add(group)
            if group not in chosen or place(chosen[group], seen):
                chosen[group] = vote
                return True
        return False

    for vote in votes:
        place(vote, set())
    return chosen


def decide_votes(approval: Approval, review: GatewayReview) -> Approval | None:
    """The approval with its votes assigned to groups, if they are enough for the gateway now; else `None`."""
    waiting = [vote for vote in approval.votes if vote.choice is Choice.APPROVE and not vote.applied]
    chosen = assign(waiting, review.open_groups)
    if not 0 < review.missing <= len(chosen):
        return None
    wanted = [group for group in review.open_groups if group in chosen][: review.missing]
    group_of = {chosen[group].approver.principal_id: group for group in wanted}
    votes = (
        vote if vote.applied else replace(vote, group=group_of.get(vote.approver.principal_id))
        for vote in approval.votes
    )
    return replace(approval, votes=tuple(votes))
