"""Rows of what Tether remembers: what was stored is what is read."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.evidence import ChainHead
from shared.domain.ledger import record
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.domain.records import Claim, PrincipalState
from shared.wire.records import FACTS, STATE, facts_row, parse_facts, parse_state, state_row
from tests.domain import strategies as some
from tests.domain.samples import ADA, NOW

addresses = st.frozensets(st.emails().map(str.casefold), max_size=4)
app_ids = st.none() | st.uuids().map(str)
principals = st.builds(
    Principal,
    st.uuids().map(str),
    st.sampled_from(PrincipalKind),
    st.sampled_from(AccountState),
    st.text(max_size=20),
    addresses,
    app_ids,
    app_ids,
)
states = st.builds(
    PrincipalState,
    st.uuids().map(str),
    st.none() | st.builds(Claim, st.text(min_size=1, max_size=8), some.moments),
    st.lists(some.taken, max_size=4).map(lambda entries: record((), entries)),
    st.builds(ChainHead, st.text(max_size=8), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
    st.none() | some.moments,
    st.none() | some.moments,
    st.none() | st.text(max_size=8),
)


@given(principals)
def test_principal_is_read_as_it_was_stored(principal: Principal) -> None:
    assert parse_facts(facts_row(principal)) == principal


@given(states)
def test_state_is_read_as_it_was_stored_with_the_version_of_the_read(state: PrincipalState) -> None:
    assert parse_state(state_row(state), state.version) == state


def test_facts_and_state_of_a_principal_share_a_partition() -> None:
    facts, state = facts_row(Principal(ADA, PrincipalKind.USER)), state_row(PrincipalState(ADA))

    assert [(row["PartitionKey"], row["RowKey"]) for row in (facts, state)] == [(ADA, FACTS), (ADA, STATE)]


def test_released_claim_is_written_over_the_old_one() -> None:
    held = PrincipalState(ADA, Claim("w-1", NOW), follow_up_at=NOW, unproven_since=NOW)

    row = state_row(held) | state_row(PrincipalState(ADA))

    assert parse_state(row, None) == PrincipalState(ADA)
    assert None not in row.values()
