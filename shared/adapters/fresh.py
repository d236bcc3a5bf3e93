"""A value that many ask for at once and that may be a few seconds old."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Fresh(Generic[_Value]):
    """Reads at most once per `fresh_for` seconds, however many wait; a failed read is not remembered."""

    def __init__(self, read: Callable[[], Awaitable[_Value]], fresh_for: float) -> None:
        self._read = read
        self._fresh_for = fresh_for
        self._read_at = float("-inf")
        self._value: _Value | None = None
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Have the next caller read again: what was read is known to be wrong now."""
        self._read_at = float("-inf")

    async def value(self) -> _Value:
        """The value, at most `fresh_for` seconds old."""
        async with self._lock:
            if self._value is None or time.monotonic() - self._read_at >= self._fresh_for:
                started = time.monotonic()
                self._value = await self._read()
                self._read_at = started
            return self._value
