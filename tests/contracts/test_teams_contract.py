"""The Teams stand-in against the published Bot Connector API: every property exists and has the published type."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import cast
from sandbox.teams.world import APPROVALS_CHANNEL, TEAM_ID
from tests.sandbox.teams_under_test import Bot, Json, Teams, card, running_bot, running_teams, with_card

PUBLISHED = Path(__file__).parents[3] / "shared" / "contracts" / "bot-connector" / "ConnectorAPI.json"
pytestmark = pytest.mark.skipif(not PUBLISHED.exists(), reason="the Bot Connector's API is not beside this checkout")
JSON_TYPES: dict[str, type] = {"string": str, "array": list, "object": dict, "boolean": bool, "integer": int}
# Teams shows more of a person than the connector's API knows.
TEAMS_MEMBER = frozenset({"givenName", "surname", "objectId", "email", "userPrincipalName", "tenantId", "userRole"})
NOT_PUBLISHED = {"GET /v3/conversations/{conversationId}/members/{memberId}"}
PREFIX = "/teams"


@pytest.fixture(scope="module")
def published() -> Json:
    api: Json = json.loads(PUBLISHED.read_text())
    return api


@pytest.fixture(scope="module")
def listening() -> Iterator[Bot]:
    with running_bot() as bot:
        yield bot


@pytest.fixture(scope="module")
async def teams(listening: Bot) -> AsyncIterator[Teams]:
    async with running_teams(listening.url) as teams:
        yield teams


def complaints(api: Json, name: str, body: Json, beyond: frozenset[str] = frozenset()) -> list[str]:
    known = api["definitions"][name]["properties"]
    found = [f"{name}.{key} does not exist" for key in body if key not in known and key not in beyond]
    for key, value in body.items():
        found += wrong(api, f"{name}.{key}", known[key], value) if key in known else []
    return found


def wrong(api: Json, where: str, rule: Json, value: Any) -> list[str]:  # noqa: ANN401 (JSON from outside)
    if "$ref" in rule:
        name = rule["$ref"].rsplit("/")[-1]
        allowed = api["definitions"][name].get("enum")
        if allowed is None:
            return complaints(api, name, value)
        return [] if value in allowed else [f"{where} is {value!r}, not one of {allowed}"]
    if not isinstance(value, JSON_TYPES[rule["type"]]):
        return [f"{where} is {value!r}, not {rule['type']}"]
    items = rule.get("items", {})
    # An entity carries what its type wants.
    if not isinstance(value, list) or "$ref" not in items or items["$ref"].endswith("/Entity"):
        return []
    return [complaint for one in value for complaint in wrong(api, where, items, one)]


def answers_to(api: Json, operation: str) -> set[str]:
    method, path = operation.split(" ")
    return set(api["paths"][path][method.lower()]["responses"])


async def test_answers_to_writes_are_as_published(published: Json, teams: Teams) -> None:
    first = {"channelData": {"channel": {"id": APPROVALS_CHANNEL}}, "isGroup": True, "activity": with_card(card("a"))}
    created = await teams.bot("POST", "/conversations", first)
    where = f"/conversations/{created.json()['id']}/activities"
    sent = await teams.bot("POST", where, with_card(card("b")))
    updated = await teams.bot("PUT", f"{where}/{sent.json()['id']}", with_card(card("c")))
    deleted = await teams.bot("DELETE", f"{where}/{sent.json()['id']}")

    path = "/v3/conversations/{conversationId}/activities"
    assert complaints(published, "ConversationParameters", first) == []
    assert complaints(published, "ConversationResourceResponse", created.json()) == []
    assert complaints(published, "ResourceResponse", sent.json()) == []
    assert complaints(published, "ResourceResponse", updated.json()) == []
    assert str(created.status_code) in answers_to(published, "POST /v3/conversations")
    assert str(sent.status_code) in answers_to(published, f"POST {path}")
    assert str(updated.status_code) in answers_to(published, f"PUT {path}/{{activityId}}")
    assert str(deleted.status_code) in answers_to(published, f"DELETE {path}/{{activityId}}")


async def test_roster_is_as_published_but_for_what_teams_adds(published: Json, teams: Teams) -> None:
    page = (await teams.bot("GET", f"/conversations/{TEAM_ID}/pagedmembers")).json()

    assert page.keys() <= published["definitions"]["PagedMembersResult"]["properties"].keys()
    for member in page["members"]:
        assert complaints(published, "ChannelAccount", member, TEAMS_MEMBER) == []


async def test_refusal_is_as_published(published: Json, teams: Teams) -> None:
    refusals = [
        await teams.bot("POST", "/conversations/nowhere/activities", with_card(card("a"))),
        await teams.bot("POST", f"/conversations/{APPROVALS_CHANNEL}/activities", {"type": "message"}),
        await teams.bot("POST", f"/conversations/{APPROVALS_CHANNEL}/activities", {}, token="nonsense"),
    ]

    assert [answer.status_code for answer in refusals] == [404, 400, 401]
    for answer in refusals:
        assert complaints(published, "ErrorResponse", answer.json()) == []


async def test_every_activity_sent_is_as_published(published: Json, teams: Teams, listening: Bot) -> None:
    where = await teams.thread(with_card(card("please", "approve")))

    await teams.click(where, cast.ADA, "approve")
    await teams.done("POST", "/send", {"person": cast.ADA.id, "text": "hello"})
    await teams.done("POST", "/install", {"team": TEAM_ID, "installed": False})
    await teams.done("POST", "/install", {"team": TEAM_ID, "installed": True})

    kinds = [activity["type"] for activity in listening.received]
    assert kinds == ["invoke", "message", *["installationUpdate", "conversationUpdate"] * 2]
    for activity in listening.received:
        assert complaints(published, "Activity", activity) == []


def test_every_route_of_the_connector_is_published(published: Json) -> None:
    names = {"conversation": "conversationId", "activity": "activityId", "member": "memberId"}

    served = {operation for operation in _served(names) if operation not in NOT_PUBLISHED}

    assert served <= {f"{method.upper()} {path}" for path, of in published["paths"].items() for method in of}
    assert len(served) == 7


def _served(names: dict[str, str]) -> Iterator[str]:
    from sandbox.teams.app import create_app  # noqa: PLC0415 (makes keys; only this test needs an app of its own)

    for route in create_app("http://127.0.0.1:9/").routes:
        path = str(getattr(route, "path", ""))
        if path.startswith(f"{PREFIX}/v3"):
            for short, long in names.items():
                path = path.replace(f"{{{short}}}", f"{{{long}}}")
            yield from (
                f"{method} {path.removeprefix(PREFIX)}" for method in getattr(route, "methods", ()) if method != "HEAD"
            )
