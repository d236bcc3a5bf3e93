"""An ordered log of every write and stream change, for those who watch the sandbox."""

from sandbox.gateway.records import Json
from sandbox.gateway.wire import now, shown


class EventLog:
    """Events with a sequence number that never goes back, even after a reset."""

    def __init__(self) -> None:
        self._events: list[Json] = []
        self._forgotten = 0

    @property
    def last(self) -> int:
        """The sequence number of the newest event, or of the newest one forgotten."""
        return self._forgotten + len(self._events)

    def record(self, kind: str, subject: str = "", connection: str = "", **detail: object) -> None:
        """Append what happened, to whom and where."""
        event = {"seq": self.last + 1, "at": shown(now()), "kind": kind, "subject": subject}
        self._events.append({**event, "connection": connection, "detail": detail})

    def after(self, seq: int) -> list[Json]:
        """The events newer than a sequence number, oldest first."""
        return self._events[max(0, seq - self._forgotten) :]

    def forget(self) -> None:
        """Drop all events and keep counting."""
        self._forgotten = self.last
        self._events.clear()
