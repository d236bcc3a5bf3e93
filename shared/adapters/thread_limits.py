"""How often a bot may speak in one place: a slot is given out only where no limit's window would hold too many.

A leaky bucket would let through nearly twice a window's worth at first; Teams counts exactly, and refuses.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

# https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit: calls per seconds, per bot and thread.
PER_THREAD = ((7, 1), (8, 2), (60, 30), (1800, 3600))
# Requests do not arrive as evenly as they are sent.
MARGIN_SECONDS = 0.1
REMEMBERED = 1000


class ThreadLimits:
    """Slots per place, first come, first served; the places used longest ago are forgotten first."""

    def __init__(
        self,
        windows: Sequence[tuple[int, int]] = PER_THREAD,
        clock: Callable[[], float] = time.monotonic,
        remembered: int = REMEMBERED,
    ) -> None:
        self._windows = windows
        self._clock = clock
        self._remembered = remembered
        self._slots: OrderedDict[str, deque[float]] = OrderedDict()
        self._shut_until: dict[str, float] = {}

    def take(self, place: str, longest: float) -> tuple[bool, float]:
        """Whether a slot was taken, and in how many seconds it comes; none is taken beyond the longest wait."""
        now = self._clock()
        slots = self._slots_of(place)
        at = max(now, self._shut_until.get(place, now), *self._free_at(slots))
        if at - now > longest:
            return False, at - now
        slots.append(at)
        return True, at - now

    def shut(self, place: str, seconds: float) -> None:
        """The other side refused: nothing more goes out there for so long."""
        self._slots_of(place)
        self._shut_until[place] = self._clock() + seconds

    def _free_at(self, slots: deque[float]) -> list[float]:
        """When each limit has room for one more."""
        return [slots[-most] + seconds + MARGIN_SECONDS for most, seconds in self._windows if len(slots) >= most]

    def _slots_of(self, place: str) -> deque[float]:
        slots = self._slots.setdefault(place, deque(maxlen=max(most for most, _ in self._windows)))
        self._slots.move_to_end(place)
        if len(self._slots) > self._remembered:
            forgotten, _ = self._slots.popitem(last=False)
            self._shut_until.pop(forgotten, None)
        return slots
