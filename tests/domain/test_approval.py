"""Votes: one per person, one person per group, and never more of them sent than the gateway waits for."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.approval import ApprovalState, Choice, Outcome, Requester, Vote, assign, decide_votes
from shared.domain.records import Claim
from tests.domain.approval_samples import approval, person, requester, review, vote
from tests.domain.samples import NOW, later

GROUPS = ("dba", "security", "ops", "legal")
people = st.sampled_from(["ada", "ben", "cleo", "dora", "eve"])
votes = st.lists(
    st.builds(
        lambda name, groups: vote(name, *sorted(groups)),
        people,
        st.sets(st.sampled_from(GROUPS), min_size=1, max_size=4),
    ),
    max_size=5,
    unique_by=lambda one: one.approver.principal_id,
)


def most_by_trying_everything(cast: list[Vote], open_groups: tuple[str, ...]) -> int:
    if not open_groups:
        return 0
    group, rest = open_groups[0], open_groups[1:]
    best = most_by_trying_everything(cast, rest)
    for one in cast:
        if group in one.groups:
            best = max(best, 1 + most_by_trying_everything([other for other in cast if other is not one], rest))
    return best


@given(votes, st.sets(st.sampled_from(GROUPS)))
def test_assignment_answers_as_many_groups_as_possible_with_one_person_each(
    cast: list[Vote], open_groups: set[str]
) -> None:
    wanted = tuple(sorted(open_groups))

    chosen = assign(cast, wanted)

    assert len(chosen) == most_by_trying_everything(cast, wanted)
    assert len({one.approver for one in chosen.values()}) == len(chosen)
    assert all(group in one.groups and group in wanted for group, one in chosen.items())


@given(votes, st.integers(1, 4), st.sets(st.sampled_from(GROUPS), max_size=2))
def test_decision_sends_exactly_what_is_missing(cast: list[Vote], needed: int, approved: set[str]) -> None:
    asked = review(*approved, groups=GROUPS, needed=needed)

    decided = decide_votes(approval(*cast, groups=GROUPS, needed=needed), asked)

    most = most_by_trying_everything(cast, asked.open_groups)
    assert (decided is not None) == (0 < asked.missing <= most)
    if decided is not None:
        assert len(decided.deciding) == asked.missing
        assert len({one.group for one in decided.deciding}) == asked.missing
        assert len(decided.votes) == len(cast)


def test_one_person_in_both_groups_is_not_enough_for_two() -> None:
    assert decide_votes(approval(vote("dora", "dba", "security")), review()) is None


def test_person_in_both_groups_makes_room_for_one_who_is_in_one_only() -> None:
    decided = decide_votes(approval(vote("dora", "dba", "security"), vote("ada", "dba")), review())

    assert decided is not None
    assert {one.approver.name: one.group for one in decided.votes} == {"dora": "security", "ada": "dba"}


def test_vote_that_was_applied_is_not_sent_for_another_group() -> None:
    applied = vote("dora", "dba", "security", group="dba", applied=True)

    assert decide_votes(approval(applied), review("dba")) is None


def test_denial_is_no_approval() -> None:
    assert decide_votes(approval(vote("ada", "dba", choice=Choice.DENY), needed=1), review(needed=1)) is None


def test_nothing_is_sent_to_a_stuck_review() -> None:
    assert decide_votes(approval(vote("ada", "dba")), review("security", needed=1)) is None


def test_second_vote_of_a_person_replaces_the_first() -> None:
    first, second = vote("ada", "dba"), vote("ada", "dba", choice=Choice.DENY)

    voted = approval(vote("ben", "dba")).with_vote(first).with_vote(second)

    assert voted.votes == (vote("ben", "dba"), second)
    assert voted.vote_of(person("ada").principal_id) == second
    assert voted.vote_of("nobody") is None


def test_lost_votes_go_and_the_others_are_assigned_anew_unless_applied() -> None:
    applied = vote("ada", "dba", group="dba", applied=True)
    known = approval(applied, vote("ben", "dba"), vote("cleo", "security", group="security"))

    kept = known.without_votes_of([person("ada").principal_id, person("ben").principal_id])

    assert kept.votes == (applied, vote("cleo", "security"))


def test_end_forgets_the_command_and_the_next_look_and_keeps_the_hash() -> None:
    outcome = Outcome(ApprovalState.DENIED, NOW, ("Ada",), "no")

    ended = replace(approval(), look_at=later(60)).closed(outcome)

    assert (ended.is_open, ended.excerpt, ended.look_at, ended.outcome) == (False, "", None, outcome)
    assert ended.input_digest == approval().input_digest
    assert approval().is_open


def test_released_approval_has_no_claim() -> None:
    assert replace(approval(), claim=Claim("me", NOW)).released() == approval()


def test_requester_and_the_people_behind_it_are_its_own() -> None:
    agent = replace(requester("agent"), sponsors=(person("sue"),), owners=(person("otto"),))

    assert agent.own_ids == {"agent", person("sue").principal_id, person("otto").principal_id}
    assert Requester("sub", "nobody").own_ids == frozenset()
