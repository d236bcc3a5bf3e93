"""Teams' limits for one bot in one conversation: so many calls in so many seconds."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable

WRITES = ((7, 1), (8, 2), (60, 30), (1800, 3600))
READS = ((14, 1), (16, 2), (120, 30), (3600, 3600))


class Limits:
    """The calls admitted lately, per kind and channel or chat; a refused call does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._admitted: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def wait_to_write(self, place: str) -> int:
        """Seconds until a message may be sent or a conversation created, 0 for now."""
        return self._spend(("write", place), WRITES)

    def wait_to_read(self, place: str) -> int:
        """Seconds until the roster may be read, 0 for now."""
        return self._spend(("read", place), READS)

    def _spend(self, key: tuple[str, str], windows: tuple[tuple[int, int], ...]) -> int:
        now, admitted = self._clock(), self._admitted[key]
        while admitted and admitted[0] <= now - windows[-1][1]:
            admitted.popleft()
        full = [
            admitted[-most] + seconds - now
            for most, seconds in windows
            if len(admitted) >= most and admitted[-most] > now - seconds
        ]
        if full:
            return max(1, math.ceil(max(full)))
        admitted.append(now)
        return 0
