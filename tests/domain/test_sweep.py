"""How much a sweep may revoke before it asks a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.sweep import SweepLimit

counts = st.integers(0, 10_000)
limits = st.builds(SweepLimit, st.integers(1, 100), st.integers(0, 50))


@pytest.mark.parametrize(
    ("revocations", "roster", "allowed"),
    [(0, 0, True), (5, 0, True), (6, 0, False), (20, 100, True), (21, 100, False), (5, 9, True), (6, 9, False)],
)
def test_sweep_may_revoke_a_fifth_of_the_roster_and_always_five(
    revocations: int,
    roster: int,
    allowed: bool,  # noqa: FBT001
) -> None:
    assert SweepLimit().allows(revocations, roster) is allowed


@given(limits, counts, counts, counts)
def test_larger_roster_never_allows_less_and_more_revocations_never_more(
    limit: SweepLimit, revocations: int, roster: int, more: int
) -> None:
    if limit.allows(revocations, roster):
        assert limit.allows(revocations, roster + more)
    if not limit.allows(revocations, roster):
        assert not limit.allows(revocations + more, roster)


@given(limits, counts)
def test_sweep_that_revokes_nothing_never_stops(limit: SweepLimit, roster: int) -> None:
    assert limit.allows(0, roster)
