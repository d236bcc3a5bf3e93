"""A pace: so many requests in so many seconds, nothing at all while the other side asks to wait."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

# Requests do not arrive as evenly as they are sent.
MARGIN_SECONDS = 0.1


class Pace:
    """Slots in a sliding window, first come, first served; each refusal shuts the door for everybody behind it."""

    def __init__(
        self,
        most: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque(maxlen=most)
        self._shut_until = 0.0
        self._line = asyncio.Lock()

    async def slot(self) -> None:
        """Returns when the next request may be sent."""
        async with self._line:
            while (wait := self._free_at() - self._clock()) > 0:
                await self._sleep(wait)
            self._sent.append(self._clock())

    def shut(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._shut_until = max(self._shut_until, self._clock() + seconds)

    def _free_at(self) -> float:
        is_full = len(self._sent) == self._sent.maxlen
        return max(self._shut_until, self._sent[0] + self._seconds + MARGIN_SECONDS if is_full else 0.0)
