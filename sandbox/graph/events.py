"""The sandbox's event log: what the admin did, and what was sent and answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.graph.clock import event_date


@dataclass(slots=True)
class Events:
    """Events in order; sequence numbers go on after a reset, so that a follower misses nothing."""

    clock: Callable[[], float]
    entries: list[dict[str, Any]] = field(default_factory=list)
    forgotten: int = 0

    @property
    def last(self) -> int:
        """The newest sequence number."""
        return self.forgotten + len(self.entries)

    def add(
        self,
        kind: str,
        *,
        principal_id: str | None = None,
        group_id: str | None = None,
        detail: str | None = None,
        **more: object,
    ) -> int:
        """Append an event and return its sequence number."""
        event = {
            "seq": self.last + 1,
            "at": event_date(self.clock()),
            "kind": kind,
            "principalId": principal_id,
            "groupId": group_id,
            "detail": detail,
        }
        self.entries.append(event | more)
        return self.last

    def after(self, seq: int) -> list[dict[str, Any]]:
        """Events with a higher sequence number."""
        return self.entries[max(0, seq - self.forgotten) :]

    def forget(self) -> None:
        """Drop what was logged."""
        self.forgotten = self.last
        self.entries.clear()
