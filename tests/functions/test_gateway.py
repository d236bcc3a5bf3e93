"""What the gateway is answered: 204 once a look is durable; what is not signed by it is refused."""

import json
from datetime import timedelta

import azure.functions as func
import pytest
from standardwebhooks import Webhook

from functions import gateway
from shared.wire.messages import parse_review_event
from tests.fakes.queue import REVIEW_EVENTS
from tests.fakes.worker import unreachable
from tests.fakes.world import World
from tests.functions.calls import request
from tests.functions.conftest import OLD_WEBHOOK_SECRET, WEBHOOK_SECRET
from tests.handlers.approvals.scene import DBA, Scene
from tests.wire.samples import fixture, fixture_text

OPEN = "gateway/webhook__session_open"


async def send(scene: Scene, content: bytes, secret: str = WEBHOOK_SECRET, late: int = 0) -> func.HttpResponse:
    sent_at = scene.world.clock.now() - timedelta(seconds=late)
    headers = {
        "svix-id": "msg-1",
        "svix-timestamp": str(int(sent_at.timestamp())),
        "svix-signature": Webhook(secret).sign("msg-1", sent_at, content.decode()),
    }
    return await request(gateway.receive_gateway_events, content, headers=headers)


@pytest.mark.parametrize("secret", [WEBHOOK_SECRET, OLD_WEBHOOK_SECRET])
async def test_announced_review_is_looked_at_under_any_of_the_secrets(scene: Scene, secret: str) -> None:
    answer = await send(scene, fixture_text(OPEN), secret)

    (message,) = scene.world.queue.on(REVIEW_EVENTS)
    event = parse_review_event(message.body)
    assert (answer.status_code, answer.get_body()) == (204, b"")
    assert (event.ref, event.source) == (fixture(OPEN)["id"], "webhook")


async def test_announced_review_becomes_a_card(scene: Scene) -> None:
    await scene.ask("dba", announced=False)
    content = json.dumps({**fixture(OPEN), "id": scene.asked.session.session_id}).encode()

    await send(scene, content)
    await scene.world.settle()

    assert len(scene.cards_in(DBA)) == 1


@pytest.mark.parametrize("name", ["gateway/webhook__job_finished", "gateway/webhook__session_open__without_review"])
async def test_event_about_something_else_is_received_and_forgotten(scene: Scene, name: str) -> None:
    answer = await send(scene, fixture_text(name))

    assert answer.status_code == 204
    assert scene.world.queue.waiting == []


@pytest.mark.parametrize("late", [301, -301])
async def test_delivery_out_of_time_is_refused(scene: Scene, late: int) -> None:
    answer = await send(scene, fixture_text(OPEN), late=late)

    assert (answer.status_code, answer.get_body()) == (401, b"unauthenticated")


async def test_unsigned_delivery_is_refused_and_not_queued(scene: Scene) -> None:
    answer = await request(gateway.receive_gateway_events, fixture_text(OPEN))

    assert answer.status_code == 401
    assert scene.world.queue.waiting == []


async def test_malformed_event_is_refused(scene: Scene) -> None:
    answer = await send(scene, fixture_text("gateway/webhook__session_open__id_is_no_uuid"))

    assert (answer.status_code, answer.get_body()) == (400, b"malformed-event")


async def test_delivery_is_repeated_when_the_queue_is_down(scene: Scene) -> None:
    scene.world.fault = unreachable("queue")

    answer = await send(scene, fixture_text(OPEN))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


async def test_gateway_hears_that_approvals_are_off(world: World) -> None:
    answer = await request(gateway.receive_gateway_events, fixture_text(OPEN))

    assert (answer.status_code, answer.get_body()) == (404, b"approvals-off")
