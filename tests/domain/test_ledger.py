"""What was taken, and when it may go back, case by case."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.ledger import (
    Ledger,
    RestoreRules,
    Taken,
    TakenKind,
    announce_return,
    due,
    give_back,
    is_taken,
    lose_again,
    needed_groups,
    next_look,
    of_identity,
    record,
    returned,
    review,
    standing,
)
from shared.domain.principals import Hint, PrincipalChange
from tests.domain.samples import NOW, OTHER_TEAM, TEAM, change, later, names, service_account, user

RULES = RestoreRules(timedelta(seconds=60), timedelta(seconds=900))
ACCOUNT = Taken(user().ref, TakenKind.ACCOUNT, "active", NOW, confirmed=True)
GROUP = Taken(user().ref, TakenKind.GROUP, "sre", NOW, frozenset({names(TEAM)}), confirmed=True)
UNCONFIRMED = replace(GROUP, confirmed=False)


def granted(ledger: Ledger, seconds: float) -> Ledger:
    return review(ledger, enabled=True, memberships=names(TEAM), now=later(seconds))


def denied(ledger: Ledger, seconds: float) -> Ledger:
    return review(ledger, enabled=True, memberships=names(), now=later(seconds))


def test_nothing_is_due_after_one_positive_read_however_long_ago() -> None:
    ledger = granted((GROUP,), 0)

    assert due(ledger, RULES, later(10_000)) == ()


def test_nothing_is_due_after_two_positive_reads_less_than_a_minute_apart() -> None:
    ledger = granted(granted((GROUP,), 0), 59)

    assert due(ledger, RULES, later(10_000)) == ()


def test_entry_is_due_after_two_positive_reads_a_minute_apart() -> None:
    ledger = granted(granted((GROUP,), 0), 60)

    assert due(ledger, RULES, later(60)) == ledger


def test_negative_read_between_two_positive_ones_starts_the_minute_anew() -> None:
    ledger = granted(denied(granted((GROUP,), 0), 30), 60)

    assert due(ledger, RULES, later(60)) == ()
    assert due(granted(ledger, 120), RULES, later(120)) != ()


def test_removal_that_graph_never_showed_returns_only_after_the_replication_horizon() -> None:
    ledger = granted(granted((UNCONFIRMED,), 0), 899)

    assert due(ledger, RULES, later(899)) == ()
    assert due(granted(ledger, 900), RULES, later(900)) != ()


def test_announced_return_shortens_the_wait_to_a_minute() -> None:
    ledger = announce_return(granted((UNCONFIRMED,), 0))

    assert due(granted(ledger, 60), RULES, later(60)) != ()


def test_negative_read_confirms_that_entra_took_it() -> None:
    assert denied((UNCONFIRMED,), 10) == (GROUP,)


def test_shut_account_is_never_read_as_granted() -> None:
    ledger = review((ACCOUNT, GROUP), enabled=False, memberships=names(TEAM), now=NOW)

    assert [entry.seen_since for entry in ledger] == [None, None]


def test_every_needed_group_must_be_held_again() -> None:
    both = replace(GROUP, needs=frozenset({names(TEAM), names(OTHER_TEAM)}))

    assert granted((both,), 0) == (both,)
    assert review((both,), enabled=True, memberships=names(TEAM, OTHER_TEAM), now=NOW)[0].seen_since == NOW


def test_either_of_two_groups_is_enough_when_both_stand_for_the_same_grant() -> None:
    either = replace(GROUP, needs=frozenset({names(TEAM, OTHER_TEAM)}))

    assert granted((either,), 0)[0].seen_since == NOW


def test_thing_taken_again_has_to_earn_its_return_anew() -> None:
    again = replace(UNCONFIRMED, taken_at=later(30))

    ledger = record(granted((GROUP,), 0), [again])

    assert ledger == (again,)


def test_conditions_of_a_thing_taken_twice_add_up() -> None:
    again = replace(GROUP, needs=frozenset({names(OTHER_TEAM)}))

    assert record((GROUP,), [again])[0].needs == {names(TEAM), names(OTHER_TEAM)}


@pytest.mark.parametrize(("groups", "starts_over"), [(None, True), (names(TEAM), True), (names(OTHER_TEAM), False)])
def test_new_loss_starts_over_what_depends_on_it(groups: frozenset[str] | None, starts_over: bool) -> None:  # noqa: FBT001
    ledger = lose_again(granted((GROUP,), 0), groups, confirmed=False)

    assert (ledger == (UNCONFIRMED,)) is starts_over


def test_loss_of_one_of_two_alternatives_leaves_the_row_of_reads_unbroken() -> None:
    either = granted((replace(GROUP, needs=frozenset({names(TEAM, OTHER_TEAM)})),), 0)

    assert lose_again(either, names(OTHER_TEAM), confirmed=True) == either


def test_entry_stands_until_entra_is_known_to_grant_it_again() -> None:
    assert standing((GROUP,), RULES, NOW) == (GROUP,)
    assert standing(granted((GROUP,), 0), RULES, NOW) == ()


def test_unconfirmed_entry_stands_until_it_is_due() -> None:
    seen = granted((UNCONFIRMED,), 0)

    assert standing(seen, RULES, later(899)) == seen
    assert standing(granted(seen, 900), RULES, later(900)) == ()


def test_next_look_is_when_the_first_entry_may_go_back() -> None:
    ledger = granted((GROUP, replace(ACCOUNT, confirmed=False)), 0)

    assert next_look(ledger, RULES, NOW) == later(60)
    assert next_look(ledger, RULES, later(60)) == later(900)


@pytest.mark.parametrize("ledger", [(), (GROUP,)])
def test_no_look_is_planned_while_nothing_is_on_its_way_back(ledger: Ledger) -> None:
    assert next_look(ledger, RULES, NOW) is None


def test_entries_are_found_by_identity_and_their_groups_by_need() -> None:
    other = replace(ACCOUNT, ref=service_account().ref)

    assert of_identity((GROUP, other), other.ref) == (other,)
    assert needed_groups((GROUP, other)) == names(TEAM)


def test_identity_gets_its_status_and_groups_back_and_keeps_what_it_has_meanwhile() -> None:
    now = user("dev", status="inactive")

    assert give_back(now, (ACCOUNT, GROUP)) == user("dev", "sre")


def test_identity_keeps_its_status_when_only_a_group_goes_back() -> None:
    assert give_back(user(status="inactive"), (GROUP,)) == user("sre", status="inactive")


def test_returned_entries_are_forgotten_and_others_are_not() -> None:
    assert returned((ACCOUNT, GROUP), [replace(GROUP, confirmed=False)]) == (ACCOUNT,)


REMOVED = change(Hint.REMOVED_FROM_GROUP, TEAM)


@pytest.mark.parametrize(
    ("ledger", "hinted", "taken"),
    [
        ((GROUP,), REMOVED, True),
        (granted((GROUP,), 0), REMOVED, False),
        ((GROUP,), change(Hint.REMOVED_FROM_GROUP, OTHER_TEAM), False),
        ((ACCOUNT,), change(Hint.DISABLED), True),
        ((replace(ACCOUNT, needs=GROUP.needs),), change(Hint.DISABLED), False),
        ((GROUP,), change(Hint.DISABLED), False),
        ((), change(Hint.DELETED), False),
    ],
)
def test_hint_is_old_news_when_its_loss_was_taken_and_is_not_coming_back(
    ledger: Ledger,
    hinted: PrincipalChange,
    taken: bool,  # noqa: FBT001
) -> None:
    assert is_taken(ledger, hinted) is taken
