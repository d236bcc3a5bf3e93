"""What becomes of a queue message: to return is to complete it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions import work
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind, Source
from shared.domain.records import Claim
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.wire.messages import encode_change, encode_event, parse_change, parse_event, parse_review_event
from tests.fakes.queue import CARD_UPDATES, CHANGES, EVENTS, REVIEW_EVENTS
from tests.fakes.worker import Call, unreachable
from tests.fakes.world import World
from tests.functions.calls import deliver
from tests.handlers.approvals.scene import DBA, Scene

FUNCTIONS = [(work.process_principal_changes, CHANGES), (work.process_verifications, "verifications")]


def look(world: World, **more: Any) -> bytes:  # noqa: ANN401 - any field of a look
    principal_id = world.entra.user("ada")
    world.gateway.person("ada@tether.example", "dev")
    change = PrincipalChange(principal_id, Source.SWEEP, world.clock.now(), "c-1", PrincipalKind.USER, **more)
    return encode_change(change)


@pytest.mark.parametrize(("function", "queue"), FUNCTIONS)
async def test_look_is_completed_when_there_is_nothing_to_do(world: World, function: Any, queue: str) -> None:  # noqa: ANN401
    await deliver(function, look(world))

    assert (world.queue.waiting, world.queue.dead_letters) == ([], [])


@pytest.mark.parametrize(("function", "queue"), [*FUNCTIONS, (work.process_subscription_events, EVENTS)])
async def test_unreadable_message_is_put_aside_with_its_reason(world: World, function: Any, queue: str) -> None:  # noqa: ANN401
    await deliver(function, b"not JSON")

    (dead,) = world.queue.dead_letters
    assert (dead.body, dead.queue, dead.reason) == (b"not JSON", queue, "malformed-message")
    assert world.alerts.reasons == {"dead-lettered": 1}


@pytest.mark.parametrize(
    ("function", "queue"), [(work.process_review_events, REVIEW_EVENTS), (work.process_card_updates, CARD_UPDATES)]
)
async def test_unreadable_message_about_approvals_is_put_aside(scene: Scene, function: Any, queue: str) -> None:  # noqa: ANN401
    await deliver(function, b"{}")

    (dead,) = scene.world.queue.dead_letters
    assert (dead.queue, dead.reason) == (queue, "malformed-message")


async def test_review_is_looked_at_and_its_card_shown(scene: Scene) -> None:
    await scene.ask("dba", announced=False)
    await scene.look("webhook")

    await deliver(work.process_review_events, scene.world.queue.visible()[0].body)
    await deliver(work.process_card_updates, scene.world.queue.on(CARD_UPDATES)[0].body)

    assert len(scene.cards_in(DBA)) == 1


async def test_look_at_a_review_that_cannot_be_read_is_scheduled_again_with_the_attempt_counted(scene: Scene) -> None:
    await scene.ask("dba", announced=False)
    await scene.look("webhook")
    (message,) = scene.world.queue.visible()
    scene.world.queue.waiting.clear()
    scene.world.fault = unreachable("reviews")

    await deliver(work.process_review_events, message.body)

    (again,) = scene.world.queue.on(REVIEW_EVENTS)
    assert parse_review_event(again.body) == parse_review_event(message.body).retried()


async def test_look_at_a_review_that_somebody_else_has_is_scheduled_again_without_counting(scene: Scene) -> None:
    await scene.ask("dba")
    held = Claim("somebody", scene.world.clock.now() + timedelta(seconds=30))
    scene.world.approvals.stored[scene.review_id] = replace(scene.approval, claim=held)
    scene.world.queue.waiting.clear()
    await scene.look("webhook")
    (message,) = scene.world.queue.visible()
    scene.world.queue.waiting.clear()

    await deliver(work.process_review_events, message.body)

    (again,) = scene.world.queue.on(REVIEW_EVENTS)
    assert again.body == message.body


@pytest.mark.parametrize("function", [work.process_review_events, work.process_card_updates])
async def test_message_about_approvals_is_refused_where_they_are_off(world: World, function: Any) -> None:  # noqa: ANN401
    with pytest.raises(RejectedError):
        await deliver(function, b"{}")


@pytest.mark.parametrize(("function", "queue"), FUNCTIONS)
async def test_look_that_will_never_work_is_put_aside_with_its_reason(world: World, function: Any, queue: str) -> None:  # noqa: ANN401
    body = look(world)
    world.gateway.person("ADA@tether.example", "ops")

    await deliver(function, body)

    (dead,) = world.queue.dead_letters
    assert (dead.body, dead.queue, dead.reason) == (body, queue, "ambiguous-identity")


@pytest.mark.parametrize(("function", "queue"), FUNCTIONS)
async def test_look_that_cannot_be_done_now_is_scheduled_again_with_the_attempt_counted(
    world: World,
    function: Any,  # noqa: ANN401
    queue: str,
) -> None:
    body = look(world, hint=Hint.DISABLED)
    world.fault = unreachable("gateway")

    await deliver(function, body)

    (again,) = world.queue.on(CHANGES)
    assert parse_change(again.body) == parse_change(body).retried()
    assert again.visible_at > world.clock.now()


async def test_directory_event_that_cannot_be_done_now_is_scheduled_again(world: World) -> None:
    event = DirectoryEvent(DirectoryEventKind.MISSED, "", "first sweep", "c-1")
    world.fault = unreachable("gateway")

    await deliver(work.process_subscription_events, encode_event(event))

    (again,) = world.queue.on(EVENTS)
    assert parse_event(again.body) == event.retried()


@pytest.mark.parametrize(("error", "dead_letters"), [(RejectedError("empty-roster"), 1), (AlreadyDecidedError("x"), 0)])
async def test_directory_event_is_settled_by_the_kind_of_its_error(
    world: World, error: Exception, dead_letters: int
) -> None:
    world.fault = _raising(error, "gateway")

    await deliver(
        work.process_subscription_events, encode_event(DirectoryEvent(DirectoryEventKind.MISSED, "", "x", "c-1"))
    )

    assert len(world.queue.dead_letters) == dead_letters
    assert world.queue.waiting == []


@pytest.mark.parametrize(("function", "queue"), FUNCTIONS)
async def test_message_stays_on_the_queue_when_its_copy_cannot_be_scheduled(
    world: World,
    function: Any,  # noqa: ANN401
    queue: str,
) -> None:
    body = look(world, hint=Hint.DISABLED)
    world.fault = unreachable("gateway", "queue")

    with pytest.raises(RetryLaterError):
        await deliver(function, body)


@pytest.mark.parametrize(("function", "queue"), FUNCTIONS)
async def test_bug_is_not_swallowed(world: World, function: Any, queue: str) -> None:  # noqa: ANN401
    world.fault = _raising(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        await deliver(function, look(world))


def _raising(error: Exception, *ports: str) -> Any:  # noqa: ANN401 - a fault of any kind
    def fault(call: Call) -> None:
        if not ports or call[0] in ports:
            raise error

    return fault
