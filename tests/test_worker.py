"""Microsoft's own worker finds every function of the app, and invokes them as Azure will."""

import base64
import json
import os
import sys
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus.aio import ServiceBusClient

from sandbox import cast
from sandbox.demo.teams import Card, Teams
from sandbox.gateway.deliveries import signed_headers
from sandbox.graph.testing import Subscriber
from sandbox.supervisor import Sandbox, running_sandbox
from sandbox.teams.world import APPROVALS_CHANNEL
from sandbox.tenant import TENANT_ID
from shared.domain.client_state import ClientStateKeys
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.wire.messages import encode_event
from tests.worker.harness import HttpAnswer, InvocationError, Worker, index

ROOT = Path(__file__).parents[1]
APPS = ROOT / "tests" / "sandbox" / "apps"
WEBHOOK = "https://app.example/api/graph/notifications"
MESSAGES = "https://app.example/api/teams/messages"
GATEWAY_EVENTS = "https://app.example/api/gateway/events"

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="Microsoft's worker library needs Python 3.13, which Azure runs"
)


@pytest.fixture
async def small_app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    monkeypatch.setenv("GREETING", "hello")
    yield await index(APPS / "small")
    sys.modules.pop("function_app", None)


@pytest.fixture(scope="module")
async def surroundings() -> AsyncIterator[Sandbox]:
    """Every server but the Functions host: the worker stands in its place, and somebody answers Graph's handshake."""
    with Subscriber() as endpoint:
        environment = {"NOTIFICATION_URL": endpoint.url}
        async with running_sandbox(without=("functions", "door"), environment=environment) as sandbox:
            yield sandbox


@pytest.fixture(scope="module")
async def real_app(surroundings: Sandbox) -> AsyncIterator[Worker]:
    before = dict(os.environ)
    os.environ.update(surroundings.settings, SSL_CERT_FILE=str(surroundings.certificates.authorities))
    yield await index(ROOT)
    await (await import_module("shared.bootstrap").tether()).resources.aclose()
    os.environ.clear()
    os.environ.update(before)


async def test_worker_reports_why_an_app_cannot_be_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GREETING", raising=False)

    with pytest.raises(InvocationError, match="GREETING is not set"):
        await index(APPS / "small")


async def test_worker_invokes_functions_of_every_trigger(small_app: Worker) -> None:
    greeting = await small_app.http("greeting", "GET", "https://app.example/api/greeting?name=Ada")
    thing = await small_app.http("thing", "GET", "https://app.example/api/things/4", route={"id": "4"})
    await small_app.tick("tick")

    assert (greeting.status, greeting.headers["x-seen"], greeting.body) == (200, "Ada", b"hello")
    assert b'"id": "4"' in thing.body
    assert b'{"tick": false}' in (await small_app.http("what_was_seen", "GET", "https://app.example/api/seen")).body


async def test_worker_delivers_messages_with_their_delivery_count() -> None:
    worker = await index(APPS / "queues")

    with pytest.raises(InvocationError, match="this delivery fails"):
        await worker.deliver("work", b'{"name": "a", "fails": 1}', delivery_count=1)
    await worker.deliver("work", b'{"name": "a", "fails": 1}', delivery_count=2, properties={"attempt": 2})

    seen = (await worker.http("what_was_seen", "GET", "https://app.example/api/seen")).body
    assert seen.count(b'"work": "a"') == 2
    assert seen.count(b'"done": "a"') == 1
    assert b'{"attempt": 2}' in seen


async def test_worker_indexes_every_function_the_app_registers(real_app: Worker) -> None:
    # The worker has taken the functions of its own import; an app gives them out once.
    sys.modules.pop("function_app", None)
    registered = {function.get_function_name() for function in import_module("function_app").app.get_functions()}

    assert registered
    assert real_app.names == registered


async def test_worker_answers_graphs_validation_handshake_in_plain_text(real_app: Worker) -> None:
    answer = await real_app.http("receive_graph_notifications", "POST", f"{WEBHOOK}?validationToken=a%20token")

    assert (answer.status, answer.body) == (200, b"a token")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_worker_refuses_a_forged_notification(real_app: Worker) -> None:
    body = json.dumps({"value": [notification("users.1.forged", cast.ALAN.id)]}).encode()

    answer = await real_app.http("receive_graph_notifications", "POST", WEBHOOK, body=body)

    assert (answer.status, answer.body) == (403, b"forged-client-state")


async def test_worker_runs_every_timer(real_app: Worker, surroundings: Sandbox) -> None:
    for name in ("watch_subscriptions", "renew_subscriptions", "sweep_directory", "reconcile_roster"):
        await real_app.tick(name)
    await real_app.tick("anchor_evidence")

    directory = (await surroundings.graph.get("/sandbox/directory")).json()
    assert {subscription["resource"] for subscription in directory["subscriptions"]} == {"/users", "/groups"}
    assert directory["requests"]["GET /users/delta"] >= 1
    assert await queue_length(surroundings, "subscription-events") >= 1


async def test_worker_takes_a_notification_through_the_queue_to_the_gateway(
    real_app: Worker, surroundings: Sandbox
) -> None:
    await real_app.deliver("process_subscription_events", event_body())
    (await surroundings.graph.patch(f"/v1.0/users/{cast.ALAN.id}", json={"accountEnabled": False})).raise_for_status()
    keys = ClientStateKeys(TENANT_ID, (surroundings.settings["CLIENT_STATE_KEY"].encode(),))
    body = json.dumps({"value": [notification(keys.issue("users", 1), cast.ALAN.id)]}).encode()

    received = await real_app.http("receive_graph_notifications", "POST", WEBHOOK, body=body)
    await real_app.deliver("process_principal_changes", await next_message(surroundings, "principal-changes"))
    user = (await surroundings.gateway.get(f"/api/users/{cast.ALAN.subject}")).json()
    await real_app.deliver("process_verifications", await next_message(surroundings, "verifications", scheduled=True))

    assert received.status == 202
    assert (user["status"], user["groups"] or []) == ("inactive", [])


async def test_worker_takes_only_signed_gateway_events(real_app: Worker, surroundings: Sandbox) -> None:
    secret = surroundings.settings["GATEWAY_WEBHOOK_SECRETS"]
    opened = {"event_type": "session.open", "id": cast.object_id(0x501), "review": {"status": "PENDING"}}
    body = json.dumps(opened).encode()
    foreign = f"whsec_{base64.b64encode(bytes(24)).decode()}"

    taken = await gateway_event(real_app, body, secret)
    refused = await gateway_event(real_app, body, foreign)
    await real_app.deliver("process_review_events", await next_message(surroundings, "review-events"))

    assert (taken.status, refused.status) == (204, 401)
    assert await queue_length(surroundings, "review-events") == 0


async def test_worker_takes_a_review_from_the_poll_over_the_card_to_the_gateway(
    real_app: Worker, surroundings: Sandbox
) -> None:
    teams = Teams(surroundings)
    asked = await teams.ask(cast.SYNC_AGENT, cast.CUSTOMERS_DB)
    await real_app.tick("poll_reviews")
    await real_app.deliver("process_review_events", await next_message(surroundings, "review-events"))
    await real_app.deliver("process_card_updates", await next_message(surroundings, "card-updates"))
    card = await teams.card(APPROVALS_CHANNEL, cast.GRACE, asked.review_id)
    assert card

    click = await composed(surroundings, card, cast.GRACE)
    answer = await activity(real_app, click, await bot_framework_token(surroundings))
    status = await teams.status(asked)
    while await queue_length(surroundings, "card-updates"):
        await real_app.deliver("process_card_updates", await next_message(surroundings, "card-updates"))

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body)["type"] == "application/vnd.microsoft.card.adaptive"
    assert status == "APPROVED"
    decided = await teams.card(APPROVALS_CHANNEL, cast.ALAN, asked.review_id)
    assert decided
    assert decided.words.startswith("Approved")


async def test_worker_answers_system_events_of_teams_and_refuses_strangers(
    real_app: Worker, surroundings: Sandbox
) -> None:
    said = await teams_event(surroundings)

    known = await activity(real_app, said, await bot_framework_token(surroundings))
    forged = await activity(real_app, said, await bot_framework_token(surroundings, signed_with="foreign"))

    assert (known.status, known.body) == (200, b"")
    assert forged.status == 401


async def test_worker_shows_health_and_refuses_to_release_what_is_not_held(real_app: Worker) -> None:
    health = await real_app.http("show_health", "GET", "https://app.example/api/health")
    release = await real_app.http(
        "release_hold", "POST", "https://app.example/api/holds/none/release", route={"hold_id": "none"}
    )

    assert json.loads(health.body)["parts"]["gateway"] == "ok"
    assert (release.status, release.body) == (404, b"unknown-hold")


async def queue_length(sandbox: Sandbox, queue: str) -> int:
    queues = (await sandbox.graph.get(f"{sandbox.broker_control_url}/sandbox/queues")).json()
    return int(queues[queue]["active"]) + int(queues[queue]["scheduled"])


async def next_message(sandbox: Sandbox, queue: str, *, scheduled: bool = False) -> bytes:
    """The body of the queue's next message; a scheduled one is looked at, an active one taken."""
    async with ServiceBusClient.from_connection_string(sandbox.settings["ServiceBus"]) as client:
        receiver = client.get_queue_receiver(queue)
        async with receiver:
            if scheduled:
                (message,) = await receiver.peek_messages(max_message_count=1)
                return bytes(b"".join(message.body))
            (received,) = await receiver.receive_messages(max_message_count=1, max_wait_time=10)
            await receiver.complete_message(received)
            return bytes(b"".join(received.body))


async def gateway_event(app: Worker, body: bytes, secret: str) -> HttpAnswer:
    """What the app answers to a webhook of the gateway that is signed with this secret."""
    headers = signed_headers("msg_worker", body.decode(), [secret])
    return await app.http("receive_gateway_events", "POST", GATEWAY_EVENTS, body=body, headers=headers)


async def activity(app: Worker, content: dict[str, Any], token: str) -> HttpAnswer:
    """What the app answers to an activity with this token."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps(content).encode()
    return await app.http("receive_teams_activity", "POST", MESSAGES, body=body, headers=headers)


async def composed(sandbox: Sandbox, card: Card, person: cast.Person) -> dict[str, Any]:
    """The activity of a click on Approve."""
    where = {"conversation": card.conversation, "activity_id": card.activity_id, "person": person.id}
    body = {**where, "verb": "approve", "data": card.data_of("approve")}
    answer = (await sandbox.teams.post("/sandbox/compose", json=body)).raise_for_status().json()
    return dict(answer["activity"])


async def teams_event(sandbox: Sandbox) -> dict[str, Any]:
    """An activity that Tether has no use for."""
    people = (await sandbox.teams.get("/sandbox/snapshot")).raise_for_status().json()
    person = people["people"][0]
    return {
        "type": "messageReaction",
        "id": "f:1",
        "channelId": "msteams",
        "serviceUrl": people["service_url"],
        "from": {"id": person["mri"], "aadObjectId": person["id"]},
        "conversation": {"id": person["chat"], "conversationType": "personal", "tenantId": TENANT_ID},
        "recipient": people["bot"],
        "channelData": {"tenant": {"id": TENANT_ID}},
    }


async def bot_framework_token(sandbox: Sandbox, **changes: object) -> str:
    answer = (await sandbox.teams.post("/sandbox/token", json=changes)).raise_for_status().json()
    return str(answer["token"])


def event_body() -> bytes:
    return encode_event(DirectoryEvent(DirectoryEventKind.MISSED, "", "test", "c0ffee"))


def notification(client_state: str, user_id: str) -> dict[str, object]:
    return {
        "changeType": "updated",
        "clientState": client_state,
        "resource": f"Users/{user_id}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": user_id, "organizationId": TENANT_ID},
        "subscriptionExpirationDateTime": "2030-01-01T00:00:00Z",
        "subscriptionId": "dddddddd-0000-4000-8000-000000000004",
        "tenantId": TENANT_ID,
    }
