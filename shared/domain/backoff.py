"""Backoff: how long a message waits before its next attempt, and when it has had enough."""

from shared.errors import RetryLaterError

LONGEST_WAIT = 300.0
MAX_ATTEMPTS = 21


def next_wait(attempt: int, error: RetryLaterError, jitter: float) -> float | None:
    """Seconds until attempt `attempt + 1`, never less than the other side asked for; `None` when attempts ran out.

    Doubles from one second to five minutes, more than an hour in all, so that a message outlives the hourly reconcile.
    `jitter` is between 0 and 1 and adds up to a quarter.
    """
    if attempt + 1 >= MAX_ATTEMPTS:
        return None
    wait = min(2.0**attempt, LONGEST_WAIT) * (1 + jitter / 4)
    return max(wait, error.retry_after)
