"""What a principal has lost, from a hint and from what Graph answered."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.decision import Decision, Observation, Verdict, decide
from shared.domain.principals import AccountState, Hint
from tests.domain.samples import OTHER_TEAM, TEAM, change, names

HELD = names(TEAM, OTHER_TEAM)
ids = st.frozensets(st.sampled_from([TEAM, OTHER_TEAM, "nested"]))
answers = st.none() | ids
observations = st.builds(Observation, st.sampled_from(AccountState), answers, answers, answers)
hints = st.sampled_from(Hint)
REMOVED = change(Hint.REMOVED_FROM_GROUP, TEAM)


def removal(**seen: frozenset[str]) -> Decision:
    return decide(REMOVED, Observation(**seen), HELD)  # type: ignore[arg-type]


def test_access_is_kept_when_removal_shows_and_another_path_remains() -> None:
    decision = removal(direct=names(), transitive=HELD, reached=names(TEAM))

    assert (decision.verdict, decision.second_path, decision.because) == (
        Verdict.KEEP,
        names(TEAM),
        "another path to the group",
    )


def test_group_is_lost_when_graph_still_shows_the_membership() -> None:
    decision = removal(direct=names(TEAM), transitive=HELD, reached=names(TEAM))

    assert (decision.verdict, decision.groups, decision.confirmed) == (Verdict.LOSE_GROUPS, names(TEAM), False)
    assert decision.because == "removal notified, Graph does not show it yet"


def test_group_is_lost_when_the_direct_read_gave_no_answer() -> None:
    decision = removal(transitive=HELD, reached=names(TEAM))

    assert (decision.groups, decision.confirmed) == (names(TEAM), False)
    assert decision.because == "removal notified, Graph gave no answer in time"


def test_group_is_lost_when_the_transitive_read_gave_no_answer() -> None:
    decision = removal(direct=names(), reached=names(TEAM))

    assert (decision.groups, decision.confirmed) == (names(TEAM), False)
    assert decision.because == "removal notified, Graph gave no answer in time"


def test_loss_is_confirmed_when_the_transitive_read_shows_it() -> None:
    decision = removal(direct=names(), transitive=names(OTHER_TEAM), reached=names(TEAM))

    assert (decision.groups, decision.confirmed, decision.because) == (names(TEAM), True, "no longer a member")


def test_every_governed_group_above_a_nested_group_is_lost_with_it() -> None:
    decision = decide(
        change(Hint.REMOVED_FROM_GROUP, "nested"),
        Observation(direct=names("nested"), transitive=HELD, reached=HELD),
        HELD,
    )

    assert decision.groups == HELD


def test_removal_is_looked_at_again_when_nobody_knows_what_the_group_is_nested_in() -> None:
    decision = decide(change(Hint.REMOVED_FROM_GROUP, "nested"), Observation(direct=names(), transitive=HELD), HELD)

    assert (decision.verdict, decision.unsure) == (Verdict.KEEP, True)


def test_what_the_reads_deny_is_lost_whoever_is_hinted_at() -> None:
    decision = decide(change(), Observation(AccountState.ENABLED, transitive=names(TEAM)), HELD)

    assert (decision.groups, decision.unsure) == (names(OTHER_TEAM), False)


def test_lagging_read_takes_nothing_away_right_after_a_group_was_given() -> None:
    decision = decide(change(Hint.ADDED_TO_GROUP, TEAM), Observation(AccountState.ENABLED, transitive=names()), HELD)

    assert decision.verdict is Verdict.KEEP


def test_everything_is_lost_on_a_hint_that_graph_does_not_confirm() -> None:
    decision = decide(change(Hint.DISABLED), Observation(AccountState.ENABLED, transitive=HELD), HELD)

    assert (decision.verdict, decision.confirmed) == (Verdict.LOSE_EVERYTHING, False)


def test_nothing_is_lost_but_it_is_looked_at_again_when_graph_is_silent_about_a_change() -> None:
    decision = decide(change(), Observation(), HELD)

    assert (decision.verdict, decision.unsure) == (Verdict.KEEP, True)


def test_principal_without_governed_groups_needs_no_membership_read() -> None:
    decision = decide(change(), Observation(AccountState.ENABLED), names())

    assert (decision.verdict, decision.unsure) == (Verdict.KEEP, False)


@given(observations)
def test_hinted_removal_is_survived_only_with_both_reads_in_favour(seen: Observation) -> None:
    decision = decide(REMOVED, seen, HELD)

    kept = (seen.reached or frozenset()) & HELD - decision.groups
    if decision.verdict is not Verdict.LOSE_EVERYTHING and kept:
        assert seen.direct is not None
        assert seen.transitive is not None
        assert TEAM not in seen.direct
        assert kept <= seen.transitive


@given(observations)
def test_hinted_removal_that_reaches_nothing_for_certain_is_looked_at_again(seen: Observation) -> None:
    decision = decide(REMOVED, seen, HELD)

    assert decision.unsure == (seen.reached is None and not seen.account.is_shut)


@given(observations, hints)
def test_shut_account_always_loses_everything(seen: Observation, hint: Hint) -> None:
    decision = decide(change(hint, TEAM), seen, HELD)

    if seen.account.is_shut or hint in (Hint.DISABLED, Hint.DELETED):
        assert decision.verdict is Verdict.LOSE_EVERYTHING
        assert decision.confirmed == seen.account.is_shut


@given(observations, hints, ids)
def test_only_what_is_held_is_ever_lost_and_a_verdict_says_so(
    seen: Observation, hint: Hint, held: frozenset[str]
) -> None:
    decision = decide(change(hint, TEAM), seen, held)

    assert decision.groups <= held
    assert (decision.verdict is Verdict.LOSE_GROUPS) == bool(decision.groups)
    assert not decision.groups & decision.second_path


@given(observations, hints, ids)
def test_hint_never_speaks_for_the_principal_but_right_after_a_gift(
    seen: Observation, hint: Hint, held: frozenset[str]
) -> None:
    hinted = decide(change(hint, TEAM), seen, held)
    unhinted = decide(change(), seen, held)

    if not hint.gives_back and hinted.verdict is not Verdict.LOSE_EVERYTHING:
        assert hinted.groups >= unhinted.groups
