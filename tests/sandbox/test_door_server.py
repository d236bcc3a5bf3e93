"""The door's server: who may ask and change, what it streams, and what it says when a server behind it is gone."""

import json
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from sandbox import cast
from sandbox.door.hoop import HoopGateway, differences
from sandbox.door.links import links_of
from sandbox.door.page import gateway_json
from sandbox.door.picture import Picture
from sandbox.door.servers import Server, UnavailableError
from tests.sandbox.door_under_test import Door, running_door
from tests.sandbox.gateway_under_test import LEGACY_KEY, running_gateway

DISABLE_ADA = f"/api/principals/{cast.ADA.id}/disable"


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Door]:
    async with running_door() as door:
        yield door


@pytest.fixture
async def door(process: Door) -> Door:
    await process.begin()
    return process


@pytest.fixture
async def browser(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, headers={"Origin": door.url}, trust_env=False) as client:
        yield client


async def test_foreign_host_name_is_refused_whatever_it_asks(browser: httpx.AsyncClient) -> None:
    answers = [
        await browser.get(path, headers={"Host": "rebound.example:7070"})
        for path in ("/", "/api/state", "/static/app.js")
    ]

    assert [answer.status_code for answer in answers] == [421, 421, 421]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_change_from_another_site_is_refused_and_changes_nothing(
    door: Door, browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await browser.post(DISABLE_ADA, headers=headers)

    assert answer.status_code == 403
    assert await door.is_enabled("users", cast.ADA.id)


async def test_change_from_the_own_page_reaches_entra_before_any_state_was_read(
    door: Door, browser: httpx.AsyncClient
) -> None:
    answer = await browser.post(DISABLE_ADA)

    assert answer.status_code == 200
    assert not await door.is_enabled("users", cast.ADA.id)


async def test_page_may_run_its_own_scripts_only_and_is_never_framed(browser: httpx.AsyncClient) -> None:
    policy = (await browser.get("/")).headers["content-security-policy"]

    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy


async def test_state_holds_no_token_and_no_key(browser: httpx.AsyncClient) -> None:
    await browser.post(DISABLE_ADA)

    text = (await browser.get("/api/state")).text

    assert "eyJ" not in text
    assert "hpk_" not in text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/principals/nobody/disable", b"{}"),
        (f"/api/groups/{cast.ADA.id}/members/{cast.ALAN.id}/add", b"{}"),
        ("/api/switches/graph/throttle", b'{"on": true}'),
        ("/api/switches/gateway/down", b'{"on": 1}'),
        ("/api/sessions", b'{"subject": 7}'),
    ],
)
async def test_action_on_what_is_not_there_is_a_404_with_a_sentence(
    browser: httpx.AsyncClient, path: str, body: bytes
) -> None:
    answer = await browser.post(path, content=body)

    assert answer.status_code == 404
    assert answer.json()["problem"].endswith(".")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_malformed_body_is_a_400(browser: httpx.AsyncClient, body: bytes) -> None:
    answer = await browser.post("/api/sessions", content=body)

    assert answer.status_code == 400


async def test_timeline_answers_only_rows_after_a_row(door: Door, browser: httpx.AsyncClient) -> None:
    await browser.post(DISABLE_ADA)
    await door.closes(cast.ADA)
    first = (await browser.get("/api/timeline")).json()["rows"]

    await browser.post(f"/api/principals/{cast.GRACE.id}/disable")
    second = (await browser.get("/api/timeline", params={"after": first[-1]["id"]})).json()["rows"]

    assert [row["title"] for row in first] == ["Ada Byron disabled"]
    assert [row["title"] for row in second] == ["Grace Hopper disabled"]


async def test_stream_sends_a_state_at_once_and_another_when_something_changed(
    door: Door, browser: httpx.AsyncClient
) -> None:
    titles: list[list[str]] = []

    async with browser.stream("GET", "/api/stream") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                titles.append([row["title"] for row in json.loads(line.removeprefix("data: "))["timeline"]])
            if len(titles) == 1:
                await browser.post(DISABLE_ADA)
            if titles[-1]:
                break

    assert titles[0] == []
    assert titles[-1] == ["Ada Byron disabled"]


async def test_forgotten_logs_empty_the_timeline(door: Door, browser: httpx.AsyncClient) -> None:
    await browser.post(DISABLE_ADA)
    assert (await browser.get("/api/timeline")).json()["rows"] != []

    await door.begin()

    assert (await browser.get("/api/timeline")).json()["rows"] == []


async def test_latencies_are_those_of_the_servers_own_logs(door: Door, browser: httpx.AsyncClient) -> None:
    await browser.post(DISABLE_ADA)
    await door.closes(cast.ADA)

    row = (await browser.get("/api/timeline")).json()["rows"][0]

    graph = (await door.graph.get("/sandbox/events")).json()["events"]
    gateway = (await door.gateway.get("/sandbox/events")).json()["events"]
    [cause] = [event for event in graph if event["kind"] == "user-disabled"]
    [effect] = [event for event in gateway if event["kind"] == "user-updated"]
    assert row["state"] == "done"
    assert row["at"] == pytest.approx(_milliseconds(cause["at"]))
    assert row["latencyMs"] == pytest.approx(_milliseconds(effect["at"]) - _milliseconds(cause["at"]), abs=0.01)


async def test_real_gateway_is_read_through_its_rest_api_with_an_api_key() -> None:
    async with running_gateway("--api-key", LEGACY_KEY) as gateway:
        await gateway.populated()
        session_id = await gateway.live("dev")
        server = Server("The gateway", str(gateway.client.base_url))
        watched = HoopGateway(server, LEGACY_KEY)

        events, snapshot = await watched.new_events(), await watched.snapshot()
        with pytest.raises(UnavailableError, match="A real gateway has no switch"):
            await watched.set_switches({"down": True})
        await server.close()

    column = gateway_json(snapshot, {}, Picture(subjects={"entra-id": frozenset({"dev"})}), is_real=True)
    assert [(event.kind, event.subject) for event in events if event.subject == "dev"] == [
        ("user-created", "dev"),
        ("session-opened", "dev"),
    ]
    assert [one["id"] for one in column["identities"][0]["sessions"]] == [session_id]


def test_real_gateway_shows_its_changes_as_differences_between_two_looks() -> None:
    user = {"id": "sub", "status": "active", "groups": ["on-call"]}
    stream = {"session_id": "s1", "subject": "sub", "connection": "pg"}
    before = {"users": [user], "service_accounts": [], "streams": [stream], "ended": {}}
    after = {
        "users": [user | {"status": "inactive", "groups": None}],
        "service_accounts": [],
        "streams": [],
        "ended": {"s1": "2026-01-01T00:00:01Z"},
    }

    first, then = differences(None, before, 1.0), differences(before, after, 2.0)

    assert [event.kind for event in first] == ["user-created", "session-opened"]
    assert [(event.kind, event.subject) for event in then] == [("user-updated", "sub"), ("session-closed", "sub")]
    assert then[0].detail["after"] == {"status": "inactive", "groups": []}
    assert then[1].at == 1767225601.0


def test_identity_map_says_what_groups_stand_for_who_is_tied_and_who_stays() -> None:
    document = {
        "identity-map": [{"entra-group": "on-call", "gateway-group": "sre", "connection": "pg"}],
        "agents": [{"entra": "ABC", "gateway": {"ai-agent": "bot"}}],
        "break-glass": ["Root@contoso.example"],
    }

    links = links_of(document)

    assert links.groups == {"on-call": {"sre", "pg"}}
    assert links.agents == {"abc": {"bot"}}
    assert links.break_glass == {"root@contoso.example"}


def _milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000
