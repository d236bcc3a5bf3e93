"""Timer triggers: NCRONTAB schedules in UTC, one run of a function at a time."""

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import cast

import azure.functions as func
from azure.functions.meta import Datum
from croniter import CroniterError, croniter

from sandbox.host.app import HostedFunction
from sandbox.host.errors import AppError
from sandbox.host.invocation import Invocations


def timer_request(*, past_due: bool) -> func.TimerRequest:
    """What a timer function receives."""
    converter = func.get_binding_registry().get("timerTrigger")
    datum = Datum(json.dumps({"IsPastDue": past_due}), "json")
    return cast("func.TimerRequest", converter.decode(datum, trigger_metadata={}))


def is_disabled(name: str) -> bool:
    """Whether an app setting says that a function's trigger shall not run it; the owner of the key still can."""
    return os.environ.get(f"AzureWebJobs.{name}.Disabled", "").lower() in ("true", "1")


class Schedule:
    """The occurrences of one NCRONTAB expression: six fields, the second first; or five, on the full minute."""

    def __init__(self, expression: str) -> None:
        self._expression = expression if len(expression.split()) > 5 else f"0 {expression}"
        try:
            self.after(datetime.now(UTC))
        except CroniterError as error:
            raise AppError(f"{expression!r} is not an NCRONTAB schedule: {error}") from error

    def after(self, moment: datetime) -> datetime:
        """The first occurrence later than `moment`."""
        occurrences = croniter(self._expression, moment, second_at_beginning=True)
        return occurrences.get_next(datetime)


class Timer:
    """One timer function and when it runs next."""

    def __init__(self, function: HostedFunction, invocations: Invocations) -> None:
        self._function = function
        self._invocations = invocations
        self._schedule = Schedule(str(function.trigger["schedule"]))

    async def run(self, stopping: asyncio.Event) -> None:
        """Runs the function at every occurrence until the host stops; an occurrence missed by a long run is skipped."""
        if self._function.trigger.get("runOnStartup") and not stopping.is_set():
            await self._invoke(past_due=False)
        while not stopping.is_set():
            due = self._schedule.after(datetime.now(UTC))
            if await _comes_first(stopping, due):
                return
            await self._invoke(past_due=datetime.now(UTC) >= self._schedule.after(due))

    async def _invoke(self, *, past_due: bool) -> None:
        await self._invocations.start(self._invocations.run(self._function, timer_request(past_due=past_due)))


async def _comes_first(stopping: asyncio.Event, due: datetime) -> bool:
    # The loop's clock may wake a moment early: asking again keeps an occurrence from running twice.
    while (wait := (due - datetime.now(UTC)).total_seconds()) > 0:
        try:
            async with asyncio.timeout(wait):
                return await stopping.wait()
        except TimeoutError:
            continue
    return stopping.is_set()
