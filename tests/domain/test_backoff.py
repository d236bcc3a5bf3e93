"""Backoff: it honours the other side's wish, and it ends."""

from itertools import count, takewhile

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.backoff import LONGEST_WAIT, next_wait
from shared.errors import RetryLaterError

attempts = st.integers(0, 60)
jitters = st.floats(0, 1)
wishes = st.floats(0, 100_000)
BUSY = RetryLaterError("graph-429")


def waits(jitter: float) -> list[float]:
    every = (next_wait(attempt, BUSY, jitter) for attempt in count())
    return [wait for wait in takewhile(lambda wait: wait is not None, every) if wait is not None]


def test_wait_doubles_from_one_second_to_five_minutes() -> None:
    assert waits(0.0)[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert set(waits(0.0)[10:]) == {300}


def test_jitter_adds_up_to_a_quarter() -> None:
    assert [next_wait(3, BUSY, jitter) for jitter in (0.0, 0.5, 1.0)] == [8, 9, 10]


@given(jitters)
def test_message_outlives_the_hourly_reconcile_and_still_ends(jitter: float) -> None:
    assert 3600 < sum(waits(jitter)) < 2 * 3600


@given(attempts, wishes, jitters)
def test_wait_is_never_shorter_than_the_other_side_asked_for(attempt: int, wish: float, jitter: float) -> None:
    wait = next_wait(attempt, RetryLaterError("graph-429", retry_after=wish), jitter)

    assert wait is None or wait >= wish


@given(attempts, wishes, jitters)
def test_wait_is_bounded_and_attempts_run_out_whatever_is_asked_for(attempt: int, wish: float, jitter: float) -> None:
    wait = next_wait(attempt, RetryLaterError("graph-429", retry_after=wish), jitter)

    assert (wait is None) == (attempt >= len(waits(0.0)))
    assert wait is None or wait <= max(wish, LONGEST_WAIT * 1.25)
