"""The real time, real chance and random ids."""

import random
import uuid
from datetime import UTC, datetime


class SystemClock:
    """The clock that production uses."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)

    def jitter(self) -> float:
        """See `Clock.jitter`."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing

    def new_id(self) -> str:
        """See `Clock.new_id`."""
        return uuid.uuid4().hex
