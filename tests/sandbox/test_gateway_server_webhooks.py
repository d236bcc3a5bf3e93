"""The gateway stand-in: what it announces, to whom, how often, and what it keeps to itself."""

import base64
from collections.abc import AsyncIterator

import pytest
from standardwebhooks import WebhookVerificationError

from tests.sandbox.gateway_under_test import Gateway, Json, running_gateway
from tests.sandbox.webhook_receiver import OTHER_SECRET, SECRET, Receiver, running_receiver

CARD = "card"


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
async def endpoint() -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        yield receiver


@pytest.fixture
async def receiver(endpoint: Receiver) -> Receiver:
    endpoint.deliveries.clear()
    endpoint.answers.clear()
    return endpoint


@pytest.fixture
async def gateway(process: Gateway, receiver: Receiver) -> Gateway:
    """A gateway whose one connection has the webhooks plugin and a rule for streams and commands."""
    await process.populated()
    connection = await process.shown("/connections/pg1")
    await process.made("/plugins", {"name": "webhooks", "connections": [{"id": connection["id"], "config": []}]})
    await process.made("/webhooks/endpoints", {"url": receiver.url, "secret": SECRET})
    await process.switched(webhookRetrySeconds=[0, 0.05, 0.05])
    await process.rule("sre", access_type="jit_command")
    return process


async def asked_to_run(gateway: Gateway, script: str = "select 1", **more: object) -> Json:
    body = {"subject": "dev", "connection": "pg1", "script": script, "wait": True, **more}
    answer = await gateway.control("POST", "/exec", body)
    assert answer.status_code == 202, answer.text
    waiting: Json = answer.json()
    return waiting


async def test_waiting_command_is_announced_with_its_input_and_a_card(gateway: Gateway, receiver: Receiver) -> None:
    waiting = await asked_to_run(gateway, "select 'ü'")

    first, second = await receiver.received("session.open", CARD)

    opened, card = sorted((first.opened(), second.opened()), key=lambda payload: "event_type" not in payload)
    assert opened["id"] == waiting["session_id"]
    assert (opened["verb"], base64.b64decode(opened["input"]).decode()) == ("exec", "select 'ü'")
    assert (opened["input_size"], opened["is_input_truncated"]) == (11, False)
    assert opened["review"] == {"type": "onetime", "status": "PENDING", "owner_email": "dev@sandbox.example"}
    assert waiting["review_id"] not in f"{first.body!r}{second.body!r}"
    link, facts, code = [card["attachments"][0]["content"]["body"][index] for index in (1, 2, 3)]
    assert link["text"].startswith(f"[{waiting['session_id']}](http://127.0.0.1:")
    assert {fact["title"]: fact["value"] for fact in facts["facts"]} == {
        "Created By": " | dev@sandbox.example",
        "Approval Groups": '["sre"]',
        "Session Time": "`-`",
        "Connection": "pg1",
    }
    assert code["items"][0]["codeSnippet"] == "select 'ü'"


async def test_input_is_cut_at_ten_thousand_bytes(gateway: Gateway, receiver: Receiver) -> None:
    await asked_to_run(gateway, "ü" * 6_000)

    deliveries = await receiver.received("session.open", CARD)

    opened = next(one.opened() for one in deliveries if one.kind != CARD)
    assert (len(base64.b64decode(opened["input"])), opened["input_size"]) == (10_000, 12_000)
    assert opened["is_input_truncated"] is True


async def test_approved_command_is_announced_again_under_another_id_and_then_its_end(
    gateway: Gateway, receiver: Receiver
) -> None:
    waiting = await asked_to_run(gateway)

    await gateway.decided("sre-1", waiting["review_id"], "APPROVED")
    deliveries = await receiver.received("session.open", CARD, "session.open", "session.close")

    payloads = [one.opened() for one in deliveries if one.kind != CARD]
    opened = [payload["review"]["status"] for payload in payloads if payload["event_type"] == "session.open"]
    closed = next(payload for payload in payloads if payload["event_type"] == "session.close")
    assert sorted(opened) == ["PENDING", "PROCESSING"]
    assert len({one.id for one in deliveries}) == 4
    assert {payload["id"] for payload in payloads} == {waiting["session_id"]}
    assert (closed["exit_code"], closed["exit_err"]) == (0, None)


async def test_waiting_stream_is_announced_with_its_duration_and_again_when_released(
    gateway: Gateway, receiver: Receiver
) -> None:
    waiting = (await gateway.connect("dev", wait=True)).json()
    before = await receiver.received("session.open", CARD)

    await gateway.decided("sre-1", waiting["review_id"], "APPROVED")
    after = await receiver.received("session.open", CARD, "session.open")

    card = next(one.opened() for one in before if one.kind == CARD)
    facts = {fact["title"]: fact["value"] for fact in card["attachments"][0]["content"]["body"][2]["facts"]}
    assert facts["Session Time"] == "30m0s"
    assert after[-1].opened()["review"]["status"] == "APPROVED"


@pytest.mark.parametrize("status", ["REJECTED", "REVOKED"])
async def test_decision_is_never_announced(gateway: Gateway, receiver: Receiver, status: str) -> None:
    review = await gateway.asked("dev")
    await gateway.decided("sre-1", review["id"], "APPROVED")

    await gateway.decided("sre-1", review["id"], status)
    await gateway.made("/webhooks/messages", {"eventType": "test", "payload": {"event_type": "test"}})

    assert [one.kind for one in await receiver.received("test")] == ["test"]


async def test_credentials_and_provisioned_sessions_are_not_announced(gateway: Gateway, receiver: Receiver) -> None:
    await gateway.asked("dev")
    key = await gateway.key("provisioner")
    body = {"user_email": "dev@sandbox.example", "connection": "pg1", "script": "select 1"}
    await gateway.bearing(key["key"], "POST", "/sessions/provision", body)

    await gateway.made("/webhooks/messages", {"eventType": "test", "payload": {"event_type": "test"}})

    assert len(await receiver.received("test")) == 1


async def test_connection_without_the_plugin_announces_nothing(gateway: Gateway, receiver: Receiver) -> None:
    await gateway.connection("pg2", reviewers=["sre"])

    await asked_to_run(gateway, connection="pg2")
    await gateway.made("/webhooks/messages", {"eventType": "test", "payload": {"event_type": "test"}})

    assert len(await receiver.received("test")) == 1


async def test_delivery_is_repeated_under_one_id_until_it_is_taken(gateway: Gateway, receiver: Receiver) -> None:
    receiver.answers += [503, 302]

    message = await gateway.made("/webhooks/messages", {"eventType": "test", "payload": {"event_type": "test"}})
    deliveries = await receiver.received("test", "test", "test")
    attempts = (await settled(gateway, 3))["data"]

    assert {one.id for one in deliveries} == {message["id"]}
    assert [(row["responseStatusCode"], row["status"]) for row in attempts] == [(204, 0), (302, 2), (503, 2)]


async def test_delivery_is_given_up_at_the_end_of_the_schedule(gateway: Gateway, receiver: Receiver) -> None:
    receiver.answers += [500] * 4

    await gateway.made("/webhooks/messages", {"eventType": "test", "payload": {"event_type": "test"}})
    await settled(gateway, 3)
    receiver.answers.clear()
    await gateway.made("/webhooks/messages", {"eventType": "test", "payload": {"event_type": "later"}})

    assert len(await receiver.received("test", "test", "test", "later")) == 4


async def settled(gateway: Gateway, attempts: int) -> Json:
    """The list of attempts, as soon as it is this long."""
    for _ in range(200):
        page: Json = await gateway.shown("/webhooks/messages")
        if len(page["data"]) >= attempts:
            break
    assert len(page["data"]) == attempts
    return page


async def test_switches_lose_duplicate_and_repeat_announcements(gateway: Gateway, receiver: Receiver) -> None:
    await gateway.switched(webhookDrop=1)
    await asked_to_run(gateway)
    await receiver.received(CARD)

    await gateway.switched(webhookDuplicates=1, sessionOpenRepeats=1)
    await asked_to_run(gateway)
    deliveries = (await receiver.received(CARD, *["session.open"] * 3, CARD, CARD))[1:]

    opens = [one.id for one in deliveries if one.kind == "session.open"]
    assert (len(opens), len(set(opens))) == (3, 2)


async def test_endpoint_gets_only_the_event_types_it_wants(gateway: Gateway, receiver: Receiver) -> None:
    (only,) = (await gateway.shown("/webhooks/endpoints"))["data"]
    await gateway.admin("DELETE", f"/webhooks/endpoints/{only['id']}")
    wanted = {"url": receiver.url, "secret": SECRET, "filterTypes": ["session.close"], "description": "ends"}
    made = await gateway.made("/webhooks/endpoints", wanted)

    waiting = await asked_to_run(gateway)
    await gateway.decided("sre-1", waiting["review_id"], "APPROVED")

    (delivery,) = await receiver.received("session.close")
    assert delivery.opened()["id"] == waiting["session_id"]
    assert (made["filterTypes"], made["description"], "secret" in made) == (["session.close"], "ends", False)


async def test_rotated_secret_signs_beside_the_old_one_until_that_is_dropped(
    gateway: Gateway, receiver: Receiver
) -> None:
    message = {"eventType": "test", "payload": {"event_type": "test"}}

    await gateway.control("POST", "/rotate", {"secret": OTHER_SECRET})
    await gateway.made("/webhooks/messages", message)
    (both,) = await receiver.until(lambda found: len(found) == 1)
    await gateway.control("POST", "/rotate", {"secret": OTHER_SECRET, "keep": False})
    await gateway.made("/webhooks/messages", message)
    _, new = await receiver.until(lambda found: len(found) == 2)

    assert both.opened(SECRET) == both.opened(OTHER_SECRET) == new.opened(OTHER_SECRET)
    with pytest.raises(WebhookVerificationError):
        new.opened(SECRET)


async def test_webhooks_are_for_admins_and_need_the_plugin_a_url_and_a_secret_of_some_length(
    gateway: Gateway, process: Gateway
) -> None:
    body = {"url": "http://127.0.0.1:9/events", "secret": SECRET}
    auditor = (await gateway.key("reader", "auditor"))["key"]

    by_user = [await gateway.to("dev", method, "/webhooks/endpoints", body) for method in ("GET", "POST")]
    by_auditor = [await gateway.bearing(auditor, method, "/webhooks/endpoints", body) for method in ("GET", "POST")]
    wrong: list[Json] = [{"url": ""}, {"url": "nowhere"}, {"secret": "short"}]
    refused = [await gateway.admin("POST", "/webhooks/endpoints", {**body, **change}) for change in wrong]
    await process.control("POST", "/reset")
    without_plugin = await gateway.admin("POST", "/webhooks/endpoints", body)

    assert [answer.status_code for answer in (*by_user, *by_auditor)] == [403, 403, 200, 403]
    assert [answer.status_code for answer in (*refused, without_plugin)] == [400] * 4


async def test_messages_of_several_endpoints_need_one_to_be_named(gateway: Gateway, receiver: Receiver) -> None:
    second = await gateway.made("/webhooks/endpoints", {"url": receiver.url, "secret": SECRET})

    unnamed = await gateway.admin("GET", "/webhooks/messages")
    named = await gateway.admin("GET", f"/webhooks/messages?endpoint_id={second['id']}")
    types = await gateway.shown("/webhooks/eventtypes")

    assert (unnamed.status_code, named.status_code) == (422, 200)
    assert [row["name"] for row in types["data"]] == ["session.open", "session.close", "microsoftteams.review.create"]


async def test_open_source_licence_refuses_sessions_where_the_plugin_is_on(gateway: Gateway) -> None:
    await gateway.switched(license="oss")
    await gateway.connection("pg2")
    command = {"subject": "dev", "connection": "pg1", "script": "select 1"}

    refused = [await gateway.connect("dev", wait=True), await gateway.control("POST", "/exec", command)]
    elsewhere = await gateway.connect("dev", "pg2")

    assert [answer.status_code for answer in (*refused, elsewhere)] == [403, 403, 201]
    assert {answer.json()["refused"].split(":")[0] for answer in refused} == {"FailedPrecondition"}
