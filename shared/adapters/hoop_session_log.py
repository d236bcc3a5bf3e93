"""The gateway's session list as a log of use, read in slices of time: it shows ten thousand rows of a query at most."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.adapters.json_api import JsonApi
from shared.domain.posture.gateway_view import Use
from shared.errors import RetryLaterError
from shared.wire.gateway import parse_list
from shared.wire.session_log import LogRow, use_of


@dataclass(frozen=True, slots=True)
class Window:
    """How much of a query the gateway shows, and how long the slices are that stay within it."""

    page: int = 100
    last_offset: int = 10_000
    longest_slice: timedelta = timedelta(days=7)
    shortest_slice: timedelta = timedelta(seconds=1)


class HoopSessionLog:
    """Every session that was opened in a span of time."""

    def __init__(self, api: JsonApi, window: Window | None = None) -> None:
        self._api = api
        self._window = window or Window()

    async def uses(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, Use]]:
        """See `SessionLog.uses`."""
        start, seen = since, frozenset[str]()
        while start < until:
            end, rows = await self._slice(start, min(start + self._window.longest_slice, until))
            for row in rows:
                use = use_of(row) if row.id not in seen else None
                if use is not None:
                    yield row.user, use
            # A session on the edge of two slices is in both.
            start, seen = end, frozenset(row.id for row in rows)

    async def _slice(self, start: datetime, end: datetime) -> tuple[datetime, list[LogRow]]:
        """The rows from `start`, and how far they reach: less far than asked where there are too many."""
        while True:
            rows = await self._rows(start, end)
            if rows is not None:
                return end, rows
            if end - start <= self._window.shortest_slice:
                raise RetryLaterError("gateway-too-many-sessions", "more than ten thousand sessions in a second")
            end = start + (end - start) / 2

    async def _rows(self, start: datetime, end: datetime) -> list[LogRow] | None:
        """All rows of a span; `None` when there are more than the gateway shows."""
        rows: list[LogRow] = []
        for offset in range(0, self._window.last_offset + 1, self._window.page):
            params: dict[str, str | int] = {
                "start_date": _shown(start),
                "end_date": _shown(end),
                "count": "none",
                "limit": self._window.page,
                "offset": offset,
            }
            answer = await self._api.get("/api/sessions", **params)
            if answer.status >= 400 or not isinstance(answer.document, dict):
                raise RetryLaterError(f"gateway-{answer.status}", "the session list could not be read")
            page = parse_list(LogRow, answer.document.get("data"))
            rows += page
            if len(page) < self._window.page:
                return rows
        return None


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
