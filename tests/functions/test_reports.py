"""What people and probes are told."""

import json
from typing import Any

import azure.functions as func

from functions import reports, schedules
from shared.domain.principals import PrincipalChange, Source
from shared.domain.sweep import Hold
from tests.fakes.queue import CHANGES
from tests.fakes.worker import unreachable
from tests.fakes.world import World
from tests.functions.calls import request, tick


def shown(answer: func.HttpResponse) -> Any:  # noqa: ANN401 - as a probe reads it
    return json.loads(answer.get_body())


async def test_health_is_good_when_gateway_subscriptions_and_storage_answer(world: World) -> None:
    await tick(schedules.watch_subscriptions)

    answer = await request(reports.show_health)

    assert answer.status_code == 200
    assert shown(answer)["healthy"] is True


async def test_health_names_what_does_not_work(world: World) -> None:
    world.fault = unreachable("gateway")

    answer = await request(reports.show_health)

    assert answer.status_code == 503
    parts = shown(answer)["parts"]
    assert parts["gateway"].startswith("gateway-unreachable")
    assert parts["subscriptions"].startswith("subscription-missing")
    assert parts["storage"] == "ok"


async def test_released_hold_is_enqueued_once(world: World) -> None:
    change = PrincipalChange("cccccccc-0000-4000-8000-000000000001", Source.SWEEP, world.clock.now(), "c-1")
    await world.holds.put(Hold("sweep-users-1", 10, [change]))

    first = await request(reports.release_hold, route={"hold_id": "sweep-users-1"})
    second = await request(reports.release_hold, route={"hold_id": "sweep-users-1"})

    assert (first.status_code, shown(first)) == (200, {"released": 1})
    assert (second.status_code, second.get_body()) == (404, b"unknown-hold")
    assert len(world.queue.on(CHANGES)) == 1


async def test_release_is_asked_for_again_while_the_queue_is_down(world: World) -> None:
    change = PrincipalChange("cccccccc-0000-4000-8000-000000000001", Source.SWEEP, world.clock.now(), "c-1")
    await world.holds.put(Hold("sweep-users-1", 10, [change]))
    world.fault = unreachable("queue")

    answer = await request(reports.release_hold, route={"hold_id": "sweep-users-1"})

    assert (answer.status_code, await world.holds.list_ids()) == (503, ["sweep-users-1"])
