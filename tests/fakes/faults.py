"""What goes wrong with a fake's next calls, and how often each of its methods was called."""

import asyncio
from collections import Counter, deque

from shared.errors import TetherError


class Faults:
    """Planned per method: an error, or `None` for a call that goes well."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._planned: dict[str, deque[TetherError | None]] = {}

    def plan(self, method: str, *outcomes: TetherError | None) -> None:
        """The next calls of a method end like this, before they do anything."""
        self._planned.setdefault(method, deque()).extend(outcomes)

    async def meet(self, method: str) -> None:
        """A call is counted, lets others run meanwhile, and fails if that was planned."""
        self.calls[method] += 1
        await asyncio.sleep(0)
        planned = self._planned.get(method)
        if planned and (error := planned.popleft()) is not None:
            raise error
