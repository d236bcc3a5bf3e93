"""The timeline: each step with the time it happened and how long its effect took."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx
from rich.console import Console
from rich.text import Text


class Timeline:
    """Prints steps as they happen, and remembers whether any failed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self.failures = 0

    def say(self, words: str) -> None:
        """A sentence of the story."""
        self._line("·", "dim", words, "")

    async def until(
        self, words: str, condition: Callable[[], Awaitable[bool]], within: float, look_again: float = 0.005
    ) -> None:
        """The step's effect shows within so many seconds; its latency is printed."""
        started = time.monotonic()
        while not await _is_so(condition):
            if time.monotonic() - started > within:
                self._fail(words, f"not within {within:.0f} s")
                return
            await asyncio.sleep(look_again)
        self._line("✓", "green", words, _duration(time.monotonic() - started))

    async def holds(self, words: str, condition: Callable[[], Awaitable[bool]], for_seconds: float = 0) -> None:
        """Something is so, and stays so for a while."""
        ends = time.monotonic() + for_seconds
        while True:
            if not await condition():
                self._fail(words, "it is not so")
                return
            if time.monotonic() >= ends:
                break
            await asyncio.sleep(0.1)
        self._line("✓", "green", words, "")

    def _fail(self, words: str, why: str) -> None:
        self.failures += 1
        self._line("✗", "bold red", words, why)

    def _line(self, mark: str, style: str, words: str, right: str) -> None:
        at = f"{time.monotonic() - self._started:8.3f} s"
        self._console.print(
            Text.assemble((at, "dim"), "  ", (mark, style), "  ", words, "  ", (right, "bold")), soft_wrap=True
        )


async def _is_so(condition: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it is so; a server that does not answer shows nothing."""
    try:
        return await condition()
    except httpx.TransportError:
        return False


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"
