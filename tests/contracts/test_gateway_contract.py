"""The gateway stand-in answers in the shapes of the published OpenAPI, with its known disagreements patched."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from sandbox.gateway.announcements import review_create
from sandbox.gateway.records import Review, ReviewGroup, Session
from sandbox.gateway.wire import now
from tests.sandbox.gateway_under_test import Gateway, Json, running_gateway
from tests.sandbox.webhook_receiver import SECRET, running_receiver

CONTRACT = Path(__file__).parents[3] / "shared" / "contracts" / "hoop" / "openapi-v3.json"
WEBHOOKS = {
    "session.open": "webhook.session.open.schema.json",
    "session.close": "webhook.session.close.schema.json",
    "card": "webhook.microsoftteams.review.create.json",
}
# The code sends a list, as the document's own example does.
NOT_A_STRING = ("command",)
# Subjects, key names and `API_KEY` stand where the document promises a uuid.
NOT_A_UUID = (("User", "id"), ("UserInfo", "id"), ("ReviewOwner", "id"))
# A service account without a mail address is shown by its name.
NOT_AN_EMAIL = (("UserInfo", "email"),)
# POST answers 202 with a subset; these two operations document another code.
OTHER_CODE = {("post", "/sessions/provision"): "200", ("post", "/connections/{nameOrID}/credentials"): "201"}
OBJECT = {"type": "object"}

pytestmark = pytest.mark.skipif(not CONTRACT.exists(), reason="the vendors' contracts are not beside this checkout")


@pytest.fixture(scope="module")
def contract() -> Json:
    document: Json = json.loads(CONTRACT.read_text())
    schemas = document["components"]["schemas"]
    for name, key in (*NOT_A_UUID, *NOT_AN_EMAIL):
        schemas[f"openapi.{name}"]["properties"][key].pop("format", None)
    schemas["openapi.ReviewRequestStatusType"]["enum"].append("PENDING")
    schemas["openapi.StatusType"]["enum"].append("reviewing")
    # The recording is an array of whatever the chosen event stream holds.
    schemas["openapi.Session"]["properties"]["event_stream"] = {}
    for schema in schemas.values():
        properties = schema.get("properties", {})
        schema["properties"] = {key: {"anyOf": [value, {"type": "null"}]} for key, value in properties.items()}
    return document


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
async def gateway(process: Gateway) -> Gateway:
    """A gateway with at least one of everything it can show."""
    await process.populated()
    await process.connection("pg2", reviewers=["sre"], attributes=["prod"])
    await process.rule("sre", "sec", min_approvals=2)
    review = await process.asked("dev")
    await process.decided("sre-1", review["id"], "APPROVED")
    await process.provisioned("dev@sandbox.example", connection="pg2", approved_reviewers=[])
    await process.key("worker", "sre")
    await process.key("agent", table="ai-agents")
    await process.made("/machineidentities", {"name": "etl", "connection_names": ["pg2"]})
    connection = await process.shown("/connections/pg1")
    row = {"id": connection["id"], "config": ["dev"]}
    await process.made("/plugins", {"name": "access_control", "connections": [row]})
    return process


READS = {
    "/userinfo": "/userinfo",
    "/healthz": "/healthz",
    "/serverinfo": "/serverinfo",
    "/serverconfig/auth": "/serverconfig/auth",
    "/users": "/users",
    "/users/{emailOrID}": "/users/dev",
    "/users/groups": "/users/groups",
    "/serviceaccounts": "/serviceaccounts",
    "/api-keys": "/api-keys",
    "/api-keys/{nameOrID}": "/api-keys/worker",
    "/ai-agents": "/ai-agents",
    "/ai-agents/{nameOrID}": "/ai-agents/agent",
    "/machineidentities": "/machineidentities",
    "/machineidentities/{name}": "/machineidentities/etl",
    "/sessions": "/sessions",
    "/sessions/{session_id}": "/sessions/{session}",
    "/reviews": "/reviews",
    "/reviews/{id}": "/reviews/{review}",
    "/connections": "/connections",
    "/connections/{nameOrID}": "/connections/pg2",
    "/plugins": "/plugins",
    "/plugins/{name}": "/plugins/access_control",
    "/plugins/{name}/conn/{id}": "/plugins/access_control/conn/pg1",
    "/attributes": "/attributes",
    "/attributes/{name}": "/attributes/prod",
    "/access-requests/rules": "/access-requests/rules",
    "/access-requests/rules/{name}": "/access-requests/rules/rule-one",
}
WRITES = {
    "/users/{emailOrID}": ("/users/dev", {"email": "dev@sandbox.example", "status": "inactive"}),
    "/serviceaccounts/{subject}": ("/serviceaccounts/{tether}", {"subject": "{tether}", "status": "active"}),
    "/api-keys/{nameOrID}": ("/api-keys/worker", {"groups": ["dev"]}),
    "/ai-agents/{nameOrID}": ("/ai-agents/agent", {"name": "agent-2"}),
    "/machineidentities/{name}": ("/machineidentities/etl", {"name": "etl", "connection_names": ["pg1"]}),
    "/reviews/{id}": ("/reviews/{review}", {"status": "REJECTED", "rejection_reason": "no"}),
    "/sessions/{session_id}/review": ("/sessions/{session}/review", {"status": "REJECTED"}),
    "/connections/{nameOrID}": ("/connections/pg2", {"name": "pg2", "type": "database"}),
    "/plugins/{name}/conn/{id}": ("/plugins/access_control/conn/pg1", {"config": []}),
    "/attributes/{name}": ("/attributes/prod", {"name": "prod"}),
}


@pytest.mark.parametrize("path", READS)
async def test_get_answers_in_the_published_shape(gateway: Gateway, contract: Json, path: str) -> None:
    ids = await known_ids(gateway)

    answer = await gateway.shown(READS[path].format(**ids))

    assert complaints(contract, "get", path, "200", answer) == []


@pytest.mark.parametrize("path", WRITES)
async def test_put_answers_in_the_published_shape(gateway: Gateway, contract: Json, path: str) -> None:
    ids = await known_ids(gateway)
    url, body = WRITES[path]
    sent = json.loads(json.dumps(body).replace("{tether}", ids["tether"]))

    answer = await gateway.admin("PUT", url.format(**ids), sent)

    assert answer.status_code == 200, answer.text
    assert complaints(contract, "put", path, "200", answer.json()) == []


async def test_rule_put_answers_in_the_published_shape(gateway: Gateway, contract: Json) -> None:
    rule = await gateway.shown("/access-requests/rules/rule-one")
    lists = {key: value or [] for key, value in rule.items() if key.endswith(("groups", "names", "attributes"))}

    answer = await gateway.admin("PUT", "/access-requests/rules/rule-one", {**rule, **lists, "min_approvals": 1})

    assert complaints(contract, "put", "/access-requests/rules/{name}", "200", answer.json()) == []


async def test_created_keys_and_identities_answer_in_the_published_shape(gateway: Gateway, contract: Json) -> None:
    bodies: dict[str, Json] = {
        "/users": {"email": "new@sandbox.example", "groups": ["dev"]},
        "/serviceaccounts": {"subject": "sp-1", "status": "active"},
        "/api-keys": {"name": "another"},
        "/ai-agents": {"name": "another", "groups": ["dev"]},
        "/machineidentities": {"name": "another", "connection_names": ["pg1"]},
        "/attributes": {"name": "another"},
    }

    answers = {path: await gateway.made(path, body) for path, body in bodies.items()}

    assert {path: complaints(contract, "post", path, "201", body) for path, body in answers.items()} == {
        path: [] for path in bodies
    }


async def test_accepted_requests_answer_in_the_shape_published_for_another_code(
    gateway: Gateway, contract: Json
) -> None:
    key = await gateway.key("second-provisioner")
    body = {"user_email": "dev@sandbox.example", "connection": "pg2", "script": "select 1"}

    provisioned = await gateway.bearing(key["key"], "POST", "/sessions/provision", body)
    asked = await gateway.to("dev", "POST", "/connections/pg1/credentials", {"access_duration_seconds": 60})

    answers = dict(zip(OTHER_CODE, (provisioned, asked), strict=True))
    assert [answer.status_code for answer in answers.values()] == [202, 202]
    for (method, path), answer in answers.items():
        assert complaints(contract, method, path, OTHER_CODE[method, path], answer.json()) == []


def test_a_review_of_another_shape_is_noticed(contract: Json) -> None:
    answer = {"status": "EXPIRED", "access_duration": "30m"}

    found = complaints(contract, "get", "/reviews/{id}", "200", answer)

    assert len(found) == 2


async def test_webhooks_have_the_published_shape_with_and_without_a_review(gateway: Gateway) -> None:
    async with running_receiver() as receiver:
        await announced_to(gateway, receiver.url)
        command = {"subject": "dev", "connection": "pg1", "script": "select 1", "wait": True}
        waiting = (await gateway.control("POST", "/exec", command)).json()
        await gateway.decided("sre-1", waiting["review_id"], "APPROVED")
        await gateway.admin("DELETE", "/access-requests/rules/rule-two")
        await gateway.control("POST", "/exec", command)
        deliveries = await receiver.received("card", *["session.open"] * 3, *["session.close"] * 2)

    schemas = {kind: webhook_schema(file) for kind, file in WEBHOOKS.items()}
    for delivery in deliveries:
        wrong = Draft202012Validator(schemas[delivery.kind], format_checker=FormatChecker()).iter_errors(
            delivery.opened()
        )
        assert [f"{error.json_path}: {error.message}" for error in wrong] == []


def test_card_has_the_parts_of_the_published_example() -> None:
    session = Session("dev", "dev@sandbox.example", "Dev", "pg1", now(), connection_type="database", script="select 1")
    review = Review("onetime", session.id, "dev", "pg1", 0, [ReviewGroup("sre")], now())

    card = review_create(session, review, "http://127.0.0.1")

    (example,) = json.loads((CONTRACT.parent / WEBHOOKS["card"]).read_text())["examples"]
    assert skeleton(card) == skeleton(example)


def skeleton(value: object) -> object:
    """The keys and types at every depth."""
    if isinstance(value, dict):
        return {key: skeleton(inner) for key, inner in value.items()}
    return [skeleton(inner) for inner in value] if isinstance(value, list) else type(value).__name__


async def announced_to(gateway: Gateway, url: str) -> None:
    """The connection `pg1` reviews commands and is announced to this URL."""
    await gateway.made("/plugins", {"name": "webhooks", "connections": []})
    await gateway.admin("PUT", "/plugins/webhooks/conn/pg1", {"config": []})
    await gateway.made("/webhooks/endpoints", {"url": url, "secret": SECRET})
    await gateway.rule("sre", name="rule-two", access_type="command")
    standing = next(row for row in await gateway.shown("/reviews") if row["type"] == "jit")
    assert standing["status"] == "PENDING"


def webhook_schema(file: str) -> Json:
    """A published schema in which anything may be null, as Go prints what it does not have."""
    schema: Json = json.loads((CONTRACT.parent / file).read_text())
    for name in NOT_A_STRING:
        if name in schema["properties"]:
            schema["properties"][name] = {"type": "array", "items": {"type": "string"}}
    nullable = {key: {"anyOf": [value, {"type": "null"}]} for key, value in schema["properties"].items()}
    return {**schema, "properties": nullable, "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": file}


async def known_ids(gateway: Gateway) -> Json:
    review = next(row for row in await gateway.shown("/reviews") if row["type"] == "jit")
    tether = (await gateway.shown("/userinfo"))["id"]
    return {"review": review["id"], "session": review["session"], "tether": tether}


def complaints(contract: Json, method: str, path: str, code: str, answer: object) -> list[str]:
    """What the contract has against an answer, including keys that it does not know."""
    schema = contract["paths"][path][method]["responses"][code]["content"]["application/json"]["schema"]
    whole = {"components": contract["components"], "allOf": [schema]}
    checked = Draft202012Validator(whole, format_checker=FormatChecker())
    wrong = [f"{error.json_path}: {error.message}" for error in checked.iter_errors(answer)]
    return [*wrong, *unknown_keys(contract, schema, answer)]


def unknown_keys(contract: Json, schema: Json, answer: object) -> Iterator[str]:
    """Keys of the answer that its schema does not have, at any depth."""
    schema = resolved(contract, schema)
    if isinstance(answer, list):
        for item in answer:
            yield from unknown_keys(contract, schema.get("items", OBJECT), item)
    properties = schema.get("properties")
    if isinstance(answer, dict) and properties:
        for key, value in answer.items():
            if key not in properties:
                yield f"unknown key {key}"
            else:
                yield from unknown_keys(contract, properties[key], value)


def resolved(contract: Json, schema: Json) -> Json:
    """The schema behind references and single combinations."""
    while True:
        inner = schema.get("allOf") or schema.get("anyOf")
        if "$ref" in schema:
            schema = contract["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        elif inner:
            schema = inner[0]
        else:
            return schema
