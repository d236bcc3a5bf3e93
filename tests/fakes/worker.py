"""Ports as one worker sees them: each call is counted and may fail, take effect unheard, or be its owner's last."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from typing import Any, cast

from shared.errors import RetryLaterError
from shared.ports import ApprovalPorts, Ports, PosturePorts

Call = tuple[str, str]
Fault = Callable[[Call], RetryLaterError | None]


class CrashError(BaseException):
    """The process was killed: nothing of it runs any more, not even what cleans up."""


def no_fault(_: Call) -> RetryLaterError | None:
    return None


async def one_step() -> None:
    """The others go on while a call is on its way."""
    await asyncio.sleep(0)


def unreachable(*names: str) -> Fault:
    """Faults for every call of the ports, or of the `port.method`s, with these names."""

    def fault(call: Call) -> RetryLaterError | None:
        port, method = call
        if port in names or f"{port}.{method}" in names:
            return RetryLaterError(f"{port}-unreachable")
        return None

    return fault


@dataclass
class Fate:
    """What happens to one worker's calls.

    It dies at its `dies_at`-th call, counted from 1, or at its first call of `dies_on`, such as `gateway.kill_session`;
    `heard` says that this last call took effect. `on_the_way` passes before each call, and before its answer.
    """

    fault: Fault = no_fault
    dies_at: int | None = None
    dies_on: str = ""
    heard: bool = False
    on_the_way: Callable[[], Awaitable[None]] = one_step
    calls: list[Call] = field(default_factory=list)
    dead: bool = False

    def before(self, call: Call) -> None:
        if self.dead:
            raise CrashError
        self.calls.append(call)
        if not self.heard:
            self._die_in_time()
        error = self.fault(call)
        if error is not None:
            raise error

    def after(self) -> None:
        if self.heard:
            self._die_in_time()

    def _die_in_time(self) -> None:
        counted_out = self.dies_at is not None and len(self.calls) >= self.dies_at
        if counted_out or ".".join(self.calls[-1]) == self.dies_on:
            self.dead = True
        if self.dead:
            raise CrashError


class Seen:
    """One port, through a worker's fate."""

    def __init__(self, port: object, name: str, fate: Fate) -> None:
        self._port, self._name, self._fate = port, name, fate

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - whatever the port has
        real = getattr(self._port, method)
        if inspect.isasyncgenfunction(real):
            return self._iterated(real, method)
        return self._called(real, method)

    def _called(self, real: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
            await self._fate.on_the_way()
            self._fate.before((self._name, method))
            answer = await real(*arguments, **named)
            if self._fate.on_the_way is not one_step:
                await self._fate.on_the_way()
            self._fate.after()
            return answer

        return call

    def _iterated(self, real: Callable[..., AsyncIterator[Any]], method: str) -> Callable[..., AsyncIterator[Any]]:
        async def call(*arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - as above
            self._fate.before((self._name, method))
            async for item in real(*arguments):
                yield item
            self._fate.after()

        return call


def seen_by_a_worker(ports: Ports, fate: Fate) -> Ports:
    """The same ports with a fate between them and the handlers; time and alerts are the worker's own."""
    approval = ports.approval and ApprovalPorts(**_wrapped(ports.approval, fate))
    posture = ports.posture and PosturePorts(**_wrapped(ports.posture, fate))
    shared = _wrapped(ports, fate, "clock", "alerts", "approval", "posture")
    return Ports(**shared, approval=approval, posture=posture, **_own(ports))


def _wrapped(ports: Ports | ApprovalPorts | PosturePorts, fate: Fate, *but: str) -> dict[str, Any]:
    given = {part.name: getattr(ports, part.name) for part in fields_of(ports) if part.name not in but}
    return {name: port and cast("Any", Seen(port, name, fate)) for name, port in given.items()}


def _own(ports: Ports) -> dict[str, Any]:
    return {"clock": ports.clock, "alerts": ports.alerts}
