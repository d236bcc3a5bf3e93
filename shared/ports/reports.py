"""Reports as they are kept: every one, and which is the newest."""

from collections.abc import Mapping, Sequence
from typing import Protocol

SNAPSHOT, ANNOUNCEMENT = "snapshot.json", "announcement.json"
PRIVATE = frozenset({SNAPSHOT, ANNOUNCEMENT})
"""Files for Tether alone: no reader is shown them."""


class Reports(Protocol):
    """Files of reports by name, each report under an id that sorts by time."""

    async def put(self, report_id: str, files: Mapping[str, bytes]) -> None:
        """Keep a report; it counts as the newest only once all of its files are there."""

    async def newest(self) -> str | None:
        """The id of the newest whole report; `None` before the first."""

    async def read(self, report_id: str, name: str) -> bytes | None:
        """One file; `None` when there is none of that name."""

    async def list_ids(self) -> Sequence[str]:
        """Every whole report, newest first."""
