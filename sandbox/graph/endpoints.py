"""How Graph judges a notification endpoint: too many slow answers delay, many very slow ones drop notifications."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

WINDOW_SECONDS = 600
FEWEST_ANSWERS = 100
SLOW_SECONDS, SLOW_SHARE = 3.0, 0.10
VERY_SLOW_SECONDS, VERY_SLOW_SHARE = 10.0, 0.15


@dataclass(slots=True)
class EndpointHealth:
    """Answer times of the last ten minutes, per host."""

    answers: defaultdict[str, deque[tuple[float, float]]] = field(default_factory=lambda: defaultdict(deque))

    def note(self, url: str, seconds: float, now: float) -> None:
        """Remember how long one answer took."""
        answers = self.answers[urlsplit(url).netloc]
        answers.append((now, seconds))
        while answers[0][0] < now - WINDOW_SECONDS:
            answers.popleft()

    def delay(self, url: str, now: float) -> float:
        """Seconds by which new notifications are held back."""
        return float(WINDOW_SECONDS) if self._share(url, now, SLOW_SECONDS) > SLOW_SHARE else 0.0

    def drops(self, url: str, now: float) -> bool:
        """Whether new notifications are lost."""
        return self._share(url, now, VERY_SLOW_SECONDS) > VERY_SLOW_SHARE

    def _share(self, url: str, now: float, limit: float) -> float:
        recent = [took for at, took in self.answers[urlsplit(url).netloc] if at >= now - WINDOW_SECONDS]
        if len(recent) < FEWEST_ANSWERS:
            return 0.0
        return sum(took >= limit for took in recent) / len(recent)
