"""What the clock wakes: a tick that fails is the next tick's work, and somebody hears about it."""

from typing import Any

import pytest

from functions import schedules
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from tests.fakes.queue import REVIEW_EVENTS
from tests.fakes.worker import Call
from tests.fakes.world import World
from tests.functions.calls import tick
from tests.handlers.approvals.scene import Scene

TIMERS = [
    schedules.watch_subscriptions,
    schedules.renew_subscriptions,
    schedules.reconcile_roster,
    schedules.anchor_evidence,
]


def failing(error: Exception, *ports: str) -> Any:  # noqa: ANN401 - a fault of any kind
    def fault(call: Call) -> None:
        if not ports or call[0] in ports:
            raise error

    return fault


@pytest.mark.parametrize("timer", TIMERS)
@pytest.mark.parametrize("error", [RetryLaterError("graph-503", "busy"), RejectedError("empty-roster", "busy")])
async def test_tick_that_fails_raises_an_alert_and_nothing_else(world: World, timer: Any, error: Any) -> None:  # noqa: ANN401
    world.fault = failing(error)

    await tick(timer)

    ((reason, details),) = world.alerts.raised
    assert (reason, details["because"], details["detail"]) == ("tick-failed", error.reason, "busy")


@pytest.mark.parametrize("timer", TIMERS)
async def test_tick_that_came_second_is_silent(world: World, timer: Any) -> None:  # noqa: ANN401
    world.fault = failing(AlreadyDecidedError("somebody was faster"))

    await tick(timer)

    assert world.alerts.raised == []


@pytest.mark.parametrize("timer", [schedules.sweep_directory, *TIMERS])
async def test_bug_is_not_swallowed(world: World, timer: Any) -> None:  # noqa: ANN401
    world.fault = failing(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        await tick(timer)


async def test_every_resource_is_swept_although_one_fails(world: World) -> None:
    world.fault = _graph_fails_on_the_first_link()

    await tick(schedules.sweep_directory)

    assert world.alerts.reasons == {"tick-failed": 1}
    links = [(await world.delta_links.read(name))[0] for name in ("users", "groups", "servicePrincipals")]
    assert sum(link is not None for link in [*links, (await world.delta_links.read("applications"))[0]]) == 3


async def test_missing_subscriptions_are_made_by_the_watch(world: World) -> None:
    await tick(schedules.watch_subscriptions)

    assert sorted(one.resource for one in world.subscriptions.registered.values()) == ["groups", "users"]


async def test_subscriptions_are_extended_by_the_renewal(world: World) -> None:
    await tick(schedules.watch_subscriptions)

    await tick(schedules.renew_subscriptions)

    assert sorted(world.subscriptions.renewed) == sorted(world.subscriptions.registered)


async def test_reviews_are_polled_where_approvals_are_set_up(scene: Scene) -> None:
    await scene.ask("dba", announced=False)

    await tick(schedules.poll_reviews)

    assert len(scene.world.queue.on(REVIEW_EVENTS)) == 1


async def test_poll_that_fails_raises_an_alert_and_nothing_else(scene: Scene) -> None:
    scene.world.fault = failing(RetryLaterError("gateway-503", "busy"), "reviews")

    await tick(schedules.poll_reviews)

    assert scene.world.alerts.reasons == {"tick-failed": 1}


async def test_nothing_is_polled_where_approvals_are_off(world: World) -> None:
    await tick(schedules.poll_reviews)

    assert (world.alerts.raised, world.queue.waiting) == ([], [])


def _graph_fails_on_the_first_link() -> Any:  # noqa: ANN401 - a fault
    failed: list[Call] = []

    def fault(call: Call) -> RetryLaterError | None:
        if call != ("directory", "latest_delta_link") or failed:
            return None
        failed.append(call)
        return RetryLaterError("graph-503")

    return fault
