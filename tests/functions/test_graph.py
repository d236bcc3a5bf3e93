"""What Graph is answered, and what is on the queue by then."""

import json

import pytest

from functions.graph import receive_graph_notifications as receive
from shared import bootstrap
from shared.errors import RetryLaterError
from shared.handlers.receive_notifications import ANSWER_WITHIN
from shared.wire.messages import parse_change
from tests.fakes.queue import CHANGES, EVENTS
from tests.fakes.worker import unreachable
from tests.fakes.world import World
from tests.functions.calls import notify, request
from tests.wire.samples import item

GRAPH_WAITS = 3.0
FORGED = item("graph/user__updated", clientState="users.1.0000")


@pytest.fixture
def no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    async def tether() -> object:
        raise RetryLaterError("storage-unreachable", retry_after=5)

    monkeypatch.setattr(bootstrap, "tether", tether)


async def test_handshake_is_answered_with_its_token_without_assembling_the_app(no_app: None) -> None:
    answer = await request(receive, params={"validationToken": "Validation: Testing client application. a&b+c=é"})

    assert (answer.status_code, answer.mimetype, answer.charset) == (200, "text/plain", "utf-8")
    assert answer.get_body().decode() == "Validation: Testing client application. a&b+c=é"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("token", "echo"),
    [
        ("<script>alert(1)</script>", b"&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("&lt;b>", b"&amp;lt;b&gt;"),
        ("", b""),
    ],
)
async def test_markup_in_a_token_comes_back_escaped(token: str, echo: bytes) -> None:
    answer = await request(receive, params={"validationToken": token})

    assert (answer.status_code, answer.mimetype, answer.get_body()) == (200, "text/plain", echo)


async def test_endless_token_is_refused() -> None:
    answer = await request(receive, params={"validationToken": "x" * 4097})

    assert (answer.status_code, answer.get_body()) == (400, b"validation-token-too-long")


async def test_authentic_notification_is_accepted_once_it_is_enqueued(world: World) -> None:
    answer = await notify(receive, item("graph/group__member_removed"))

    assert (answer.status_code, answer.get_body()) == (202, b"")
    assert [message.queue for message in world.queue.waiting] == [CHANGES]


async def test_lifecycle_notification_is_enqueued_for_the_subscriptions(world: World) -> None:
    answer = await notify(receive, item("graph/lifecycle__missed"))

    assert answer.status_code == 202
    assert [message.queue for message in world.queue.waiting] == [EVENTS]


async def test_same_notification_twice_in_one_delivery_is_two_events(world: World) -> None:
    await notify(receive, item("graph/group__member_removed"), item("graph/group__member_removed"))

    assert len(world.queue.on(CHANGES)) == 2


@pytest.mark.parametrize(
    "refused",
    [
        FORGED,
        item("graph/user__updated__without_client_state"),
        item("graph/user__updated", tenantId="aaaaaaaa-0000-4000-8000-000000000002"),
    ],
    ids=["forged", "missing", "foreign tenant"],
)
async def test_notification_that_is_not_ours_is_refused_and_not_queued(world: World, refused: object) -> None:
    answer = await notify(receive, refused)

    assert (answer.status_code, answer.get_body()) == (403, b"forged-client-state")
    assert world.queue.waiting == []
    assert sum(world.alerts.reasons.values()) == 1


async def test_unknown_subscription_is_accepted_because_its_client_state_is_authentic(world: World) -> None:
    answer = await notify(receive, item("graph/user__updated", subscriptionId="never heard of"))

    assert answer.status_code == 202
    assert len(world.queue.on(CHANGES)) == 1


async def test_body_of_two_megabytes_is_refused(world: World) -> None:
    answer = await request(receive, b"[" * 2 * 1024 * 1024)

    assert (answer.status_code, answer.get_body()) == (413, b"body-too-large")
    assert world.queue.waiting == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"value": 1}', b"\xff"])
async def test_malformed_body_is_refused(world: World, body: bytes) -> None:
    answer = await request(receive, body)

    assert (answer.status_code, answer.get_body()) == (400, b"malformed-notifications")


async def test_authentic_notification_without_sense_is_accepted_so_that_it_is_not_sent_again(world: World) -> None:
    answer = await notify(receive, item("graph/user__updated__without_resource_data"))

    assert (answer.status_code, world.queue.waiting) == (202, [])
    assert world.alerts.reasons == {"malformed-notification": 1}


async def test_one_bad_notification_among_a_hundred_costs_itself_only(world: World) -> None:
    good = [item("graph/user__updated", resourceData={"id": f"cccccccc-0000-4000-8000-{n:012d}"}) for n in range(99)]

    answer = await notify(receive, *good[:42], FORGED, *good[42:])

    assert answer.status_code == 202
    looked_at = [parse_change(message.body).principal_id for message in world.queue.on(CHANGES)]
    assert looked_at == [notification["resourceData"]["id"] for notification in good]
    assert world.alerts.reasons == {"forged-client-state": 1}


async def test_graph_is_asked_to_send_again_while_the_queue_is_down(world: World) -> None:
    world.fault = unreachable("queue")

    answer = await notify(receive, item("graph/group__member_removed"))

    assert (answer.status_code, answer.get_body(), answer.headers["Retry-After"]) == (503, b"queue-unreachable", "1")
    assert world.queue.waiting == []


async def test_graph_is_asked_to_send_again_before_it_gives_up_on_a_queue_that_hangs(
    world: World,
) -> None:
    world.queue.hangs = True

    answer = await notify(receive, item("graph/group__member_removed"))

    assert (answer.status_code, answer.get_body()) == (503, b"queue-unreachable")
    assert ANSWER_WITHIN < GRAPH_WAITS


async def test_graph_is_asked_to_send_again_while_the_app_cannot_be_assembled(no_app: None) -> None:
    answer = await notify(receive, item("graph/group__member_removed"))

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


async def test_refusal_and_alert_repeat_nothing_of_the_body(world: World) -> None:
    secret = "do-not-repeat-me"

    answer = await notify(receive, item("graph/user__updated", clientState=secret))

    assert secret.encode() not in answer.get_body()
    assert secret not in json.dumps(world.alerts.raised, default=str)
