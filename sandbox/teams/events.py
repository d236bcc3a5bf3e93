"""An ordered log of what was posted, clicked and delivered, for those who watch the sandbox."""

from datetime import UTC, datetime

from sandbox.teams.records import Json


def timestamp() -> str:
    """Now, as activities carry it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventLog:
    """Events with a sequence number that never goes back, even after a reset."""

    def __init__(self) -> None:
        self._events: list[Json] = []
        self._forgotten = 0

    @property
    def last(self) -> int:
        """The sequence number of the newest event, or of the newest one forgotten."""
        return self._forgotten + len(self._events)

    def record(self, kind: str, conversation: str = "", activity_id: str = "", **more: object) -> None:
        """Append what happened, and to which message."""
        event = {"seq": self.last + 1, "at": timestamp(), "kind": kind}
        self._events.append({**event, "conversation": conversation, "activity_id": activity_id, **more})

    def after(self, seq: int) -> list[Json]:
        """The events newer than a sequence number, oldest first."""
        return self._events[max(0, seq - self._forgotten) :]

    def forget(self) -> None:
        """Drop all events and keep counting."""
        self._forgotten = self.last
        self._events.clear()
