"""A session log in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domain.posture.gateway_view import Use
from shared.errors import RetryLaterError
from tests.fakes.clock import START


@dataclass
class FakeSessionLog:
    """Uses by user, told as they were put in; it fails after so many, and when asked about what was before."""

    entries: list[tuple[str, Use]] = field(default_factory=list)
    fails_after: int | None = None
    fails_before: datetime | None = None

    def opened(self, user: str, connection: str, ago: timedelta, *, interactive: bool = False) -> Use:
        at = START - ago
        use = Use(connection, at, at + timedelta(minutes=1), interactive=interactive)
        self.entries.append((user, use))
        return use

    async def uses(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, Use]]:
        if self.fails_before is not None and since < self.fails_before:
            raise RetryLaterError("gateway-500")
        told = [entry for entry in self.entries if since <= entry[1].opened_at < until]
        for number, entry in enumerate(told):
            if number == self.fails_after:
                raise RetryLaterError("gateway-500")
            yield entry
        if self.fails_after is not None and self.fails_after >= len(told):
            raise RetryLaterError("gateway-500")
