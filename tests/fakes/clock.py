"""Time that moves only when told, and alerts that are kept."""

from collections import Counter
from datetime import UTC, datetime, timedelta

START = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


class FakeClock:
    """A settable clock whose ids count up."""

    def __init__(self) -> None:
        self.time = START
        self._ids = 0

    def now(self) -> datetime:
        return self.time

    def jitter(self) -> float:
        return 0.0

    def new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class FakeAlerts:
    """What somebody would have heard, in order."""

    def __init__(self) -> None:
        self.raised: list[tuple[str, dict[str, object]]] = []
        self.measured: list[tuple[str, float, dict[str, str]]] = []

    def raise_alert(self, reason: str, **details: object) -> None:
        self.raised.append((reason, details))

    def measure(self, name: str, seconds: float, **attributes: str) -> None:
        self.measured.append((name, seconds, attributes))

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for reason, _ in self.raised)
