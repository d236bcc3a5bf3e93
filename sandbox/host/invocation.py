"""Runs one function once: coroutines on the loop, ordinary functions in a thread, both within the timeout."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from sandbox.host.app import HostedFunction

log = logging.getLogger("sandbox.host")


class InvocationError(Exception):
    """The function raised or ran out of time; its traceback is already logged."""


class Invocations:
    """Every invocation now running, so that a stopping host can wait for them."""

    def __init__(self, timeout: float) -> None:
        self._timeout = None if timeout == float("inf") else timeout
        self._running: set[asyncio.Task[Any]] = set()

    async def invoke(self, function: HostedFunction, argument: object) -> object:
        """What the function returns; raises `InvocationError` when it raises anything at all."""
        arguments = {function.argument: argument}
        try:
            async with asyncio.timeout(self._timeout):
                if function.is_async:
                    return await function.code(**arguments)
                return await asyncio.to_thread(function.code, **arguments)
        except Exception as error:
            log.exception("%s failed", function.name)
            raise InvocationError(function.name) from error

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs `work` beside everything else; the host waits for it when it stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def run(self, function: HostedFunction, argument: object) -> None:
        """Like `invoke`, for triggers with nobody to tell about a failure beyond the log."""
        try:
            await self.invoke(function, argument)
        except InvocationError:
            return

    async def finish(self, within: float) -> None:
        """Waits for what runs, and cancels what has not ended `within` seconds."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=within)
        for task in late:
            task.cancel()
        if late:
            log.warning("%d invocations were still running and have been cancelled", len(late))
            await asyncio.wait(late, timeout=1)
