"""What is said about principals, and the messages that ask to look at them."""

import pytest

from shared.domain.principals import AccountState, Hint, PrincipalKind, Source
from tests.domain.samples import TEAM, change


@pytest.mark.parametrize("state", AccountState)
def test_only_disabled_and_deleted_accounts_are_shut(state: AccountState) -> None:
    assert state.is_shut == (state in {AccountState.DISABLED, AccountState.DELETED})


def test_no_hint_takes_away_and_gives_back() -> None:
    taking = {hint for hint in Hint if hint.takes_away}
    giving = {hint for hint in Hint if hint.gives_back}

    assert taking == {Hint.REMOVED_FROM_GROUP, Hint.DISABLED, Hint.DELETED}
    assert giving == {Hint.ADDED_TO_GROUP, Hint.ENABLED}


def test_retried_message_counts_the_attempt_and_says_the_same() -> None:
    first = change(Hint.REMOVED_FROM_GROUP, TEAM)

    again = first.retried().retried()

    assert again.attempt == 2
    assert (again.hint, again.group_id, again.received_at) == (first.hint, first.group_id, first.received_at)


def test_follow_up_looks_at_the_same_principal_without_a_hint_and_with_fresh_attempts() -> None:
    first = change(Hint.REMOVED_FROM_GROUP, TEAM).retried()

    later = first.follow_up(source=Source.VERIFICATION, stage=1)

    assert (later.principal_id, later.correlation_id, later.kind) == (
        first.principal_id,
        first.correlation_id,
        PrincipalKind.UNKNOWN,
    )
    assert (later.hint, later.group_id, later.attempt, later.stage) == (Hint.CHANGED, None, 0, 1)
