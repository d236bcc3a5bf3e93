"""How often the bot speaks: never more in a window than Teams takes, and never longer waited for than useful."""

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.thread_limits import PER_THREAD, ThreadLimits

NEVER_TOO_LONG = 10**6


class Time:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_first_messages_go_at_once_and_the_next_waits_for_the_window() -> None:
    limits = ThreadLimits(clock=Time())

    waits = [limits.take("a", NEVER_TOO_LONG)[1] for _ in range(8)]

    assert waits[:7] == [0.0] * 7
    assert 1 < waits[7] < 1.5


def test_wait_beyond_the_longest_takes_no_slot() -> None:
    limits = ThreadLimits(((1, 10),), clock=Time())
    limits.take("a", 3)

    refusals = [limits.take("a", 3) for _ in range(5)]

    assert {taken for taken, _ in refusals} == {False}
    assert len({wait for _, wait in refusals}) == 1


def test_places_do_not_wait_for_each_other() -> None:
    limits = ThreadLimits(((1, 10),), clock=Time())
    limits.take("a", 0)

    assert limits.take("b", 0) == (True, 0.0)


def test_place_that_refused_is_left_alone_for_as_long_as_it_said() -> None:
    time = Time()
    limits = ThreadLimits(clock=time)
    limits.shut("a", 20)

    before = limits.take("a", 3)
    time.now += 20
    after = limits.take("a", 3)

    assert before == (False, 20.0)
    assert after == (True, 0.0)


def test_no_more_places_are_remembered_than_allowed() -> None:
    limits = ThreadLimits(((1, 10),), clock=Time(), remembered=2)
    for place in ("a", "b", "a", "c"):
        limits.shut(place, 5)

    assert limits.take("b", 0) == (True, 0.0)
    assert limits.take("c", 0)[0] is False


@given(st.lists(st.floats(0, 3), max_size=150))
def test_no_window_ever_holds_too_many(pauses: list[float]) -> None:
    time = Time()
    limits = ThreadLimits(clock=time)
    sent: list[float] = []
    for pause in pauses:
        time.now += pause
        taken, wait = limits.take("a", 3)
        sent += [time.now + wait] if taken else []

    for most, seconds in PER_THREAD:
        full = zip(sent, sent[most:], strict=False)
        assert all(later - earlier > seconds for earlier, later in full)
    assert sent == sorted(sent)
