"""The page asks, Teams answers: what can be asked for, where it leads, and what happens where there is no Teams."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox import cast
from sandbox.door.door import EMPTY_SNAPSHOT
from sandbox.door.events import Json
from sandbox.door.picture import Picture
from sandbox.door.review_page import Scene, approvals_json
from sandbox.door.reviews import Review, Reviews, Step, StepKind
from sandbox.seed import create_reviewer_keys
from sandbox.teams.world import APPROVALS_CHANNEL, SECURITY_CHANNEL
from sandbox.tenant import TENANT_ID
from shared.domain.card_token import CardTokenKeys, Shown
from tests.sandbox.door_under_test import Door, end, running_door

PATIENCE_SECONDS = 15
ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Door]:
    async with running_door("teams") as door:
        yield door


@pytest.fixture
async def door(process: Door) -> Door:
    (await process.teams.post("/sandbox/reset")).raise_for_status()
    await process.begin()
    return process


@pytest.fixture
async def browser(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, headers={"Origin": door.url}, trust_env=False) as client:
        yield client


async def ask(browser: httpx.AsyncClient, who: str, connection: str, **more: str) -> Json:
    answer = await browser.post("/api/reviews", json={"subject": who, "connection": connection, **more})
    body: Json = answer.raise_for_status().json()
    return body


async def once(browser: httpx.AsyncClient, holds: Callable[[Json], bool]) -> Json:
    """The page's state as soon as it is as expected."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds(state := (await browser.get("/api/state")).json()):
        assert time.monotonic() < until, json.dumps({"approvals": state["approvals"], "timeline": state["timeline"]})
        await asyncio.sleep(0.1)
    assert isinstance(state, dict)
    return state


async def pending_review(browser: httpx.AsyncClient) -> str:
    state = await once(browser, lambda state: bool(state["approvals"]["pending"]))
    return str(state["approvals"]["pending"][0]["id"])


async def post_card(door: Door, review_id: str, channel: str = APPROVALS_CHANNEL) -> tuple[str, Json]:
    """The card that Tether would post; its conversation and id, and what its button carries."""
    keys = CardTokenKeys(TENANT_ID, (b"k" * 32,))
    shown = Shown(channel, ("approve",), "")
    data = {"token": keys.issue(review_id, "0" * 12, datetime.now(UTC) + timedelta(hours=1), shown)}
    action = {"type": "Action.Execute", "title": "Approve", "verb": "approve", "data": data}
    card = {"type": "AdaptiveCard", "version": "1.5", "body": [], "actions": [action]}
    activity = {"type": "message", "attachments": [{"contentType": ADAPTIVE_CARD, "content": card}]}
    answer = await door.teams.post(f"/teams/v3/conversations/{channel}/activities", json=activity)
    return str(answer.raise_for_status().json()["id"]), data


async def approve(door: Door, review_id: str) -> None:
    key = "hpk_a-key-of-the-reviewers-alone"
    await create_reviewer_keys(door.gateway, {cast.DBA_REVIEWERS: key})
    bearer = {"Authorization": f"Bearer {key}"}
    answer = await door.gateway.put(
        f"/api/reviews/{review_id}", json={"status": "APPROVED"}, headers=bearer, auth=httpx.Auth()
    )
    answer.raise_for_status()


async def deny(door: Door, review_id: str, reason: str) -> None:
    body = {"status": "REJECTED", "rejection_reason": reason}
    (await door.gateway.put(f"/api/reviews/{review_id}", json=body)).raise_for_status()


def row(state: Json) -> Json:
    found: Json = next(one for one in state["timeline"] if one["kind"] == "review")
    return found


def words(state: Json) -> list[str]:
    return [step["text"] for step in row(state)["steps"]]


async def test_page_suggests_an_agent_and_a_person_and_lists_who_may_ask_for_what(browser: httpx.AsyncClient) -> None:
    approvals = (await browser.get("/api/state")).json()["approvals"]

    assert [(one["name"], one["connection"]) for one in approvals["suggestions"]] == [
        ("sync-agent", cast.CUSTOMERS_DB),
        ("Grace Hopper", cast.VAULT_DB),
    ]
    assert [offer["connection"] for offer in approvals["offers"]] == [cast.CUSTOMERS_DB, cast.VAULT_DB]
    names = [one["name"] for one in approvals["offers"][0]["askers"]]
    assert {"Ada Byron", "Grace Hopper", "sync-agent"} <= set(names)
    assert {"Alan Turing", "ledger-agent"}.isdisjoint(names)


async def test_request_waits_for_people_by_name_and_never_for_who_asked(browser: httpx.AsyncClient) -> None:
    await ask(browser, cast.GRACE.subject, cast.VAULT_DB)

    state = await once(browser, lambda state: bool(state["approvals"]["pending"]))

    [waiting] = state["approvals"]["pending"]
    assert waiting["title"] == "Grace Hopper asked for vault-db"
    assert waiting["waitsFor"] == "Alan Turing (dba-approvers) and Ada Byron or Root (security-approvers)"
    assert waiting["links"] == []
    assert row(state)["state"] == "open"


async def test_link_leads_to_the_channel_of_the_card_as_somebody_who_may_answer(
    door: Door, browser: httpx.AsyncClient
) -> None:
    await ask(browser, cast.GRACE.subject, cast.VAULT_DB)
    review_id = await pending_review(browser)

    await post_card(door, review_id, SECURITY_CHANNEL)
    await post_card(door, review_id)
    state = await once(browser, lambda state: len(state["approvals"]["pending"][0]["links"]) == 2)

    links = [urlsplit(link["url"]) for link in state["approvals"]["pending"][0]["links"]]
    assert [f"{link.scheme}://{link.netloc}" for link in links] == [str(door.teams.base_url)] * 2
    assert [parse_qs(link.fragment) for link in links] == [
        {"as": [cast.ALAN.id], "in": [APPROVALS_CHANNEL]},
        {"as": [cast.ADA.id], "in": [SECURITY_CHANNEL]},
    ]
    assert words(state) == ["card posted to #approvals and #security"]


def test_group_that_has_voted_in_teams_is_waited_for_no_longer() -> None:
    review = Review(
        "r", "s", 1.0, "sub", cast.VAULT_DB, "jit", [Step(2.0, StepKind.VOTED, cast.ALAN.id, in_teams=True)]
    )
    groups = [{"group": name, "status": None} for name in ("dba-approvers", "security-approvers")]
    kept = {"id": "r", "review_groups_data": groups, "min_approvals": None}
    picture = Picture(
        names={"g-1": "dba-approvers", "g-2": "security-approvers", cast.ALAN.id: "Alan", cast.ADA.id: "Ada"},
        members={"g-1": frozenset({cast.ALAN.id}), "g-2": frozenset({cast.ADA.id})},
    )
    reviews = Reviews()
    reviews.all["r"] = review
    scene = Scene({**EMPTY_SNAPSHOT, "reviews": [kept]}, picture, {}, None)

    approvals = approvals_json(reviews, scene, is_real=False, teams_up=False)

    assert [one["waitsFor"] for one in approvals["pending"]] == ["Ada (security-approvers)"]


async def test_click_and_answer_are_read_from_the_two_logs(door: Door, browser: httpx.AsyncClient) -> None:
    await ask(browser, cast.SYNC_AGENT.subject, cast.CUSTOMERS_DB)
    review_id = await pending_review(browser)
    activity_id, data = await post_card(door, review_id)
    await door.teams.put("/sandbox/switches", json={"noRetry": True})
    conversation = f"{APPROVALS_CHANNEL};messageid={activity_id}"
    click = {"conversation": conversation, "activity_id": activity_id, "verb": "approve", "data": data}

    await door.teams.post("/sandbox/click", json={**click, "person": cast.ALAN.id})
    await approve(door, review_id)
    state = await once(browser, lambda state: row(state)["state"] == "approved")

    assert words(state)[:2] == ["card posted to #approvals", "Alan Turing clicked Approve, and Teams got no answer"]
    assert words(state)[-1] == "session opened"
    assert state["approvals"]["pending"] == []


async def test_rejection_at_the_gateway_is_told_with_the_reason_it_keeps(
    door: Door, browser: httpx.AsyncClient
) -> None:
    await ask(browser, cast.GRACE.subject, cast.CUSTOMERS_DB)
    review_id = await pending_review(browser)

    await deny(door, review_id, "Tether: nobody answered in time")
    state = await once(browser, lambda state: row(state)["state"] == "expired")

    assert words(state) == ["rejected by Tether: nobody answered in time"]


async def test_command_is_asked_for_with_its_script(door: Door, browser: httpx.AsyncClient) -> None:
    await ask(browser, cast.GRACE.subject, cast.CUSTOMERS_DB, script=" select 1 ")

    state = await once(browser, lambda state: bool(state["approvals"]["pending"]))

    sessions = (await door.gateway.get("/api/sessions")).json()["data"]
    assert row(state)["title"] == "Grace Hopper asked to run a command on customers-db"
    assert sessions[0]["script"] == {"data": "select 1"}


async def test_request_that_needs_no_answer_any_more_says_so(door: Door, browser: httpx.AsyncClient) -> None:
    await ask(browser, cast.GRACE.subject, cast.CUSTOMERS_DB)
    await approve(door, await pending_review(browser))

    answer = await ask(browser, cast.GRACE.subject, cast.CUSTOMERS_DB)

    assert answer["said"] == "An earlier approval still stands: the session on customers-db is open."


@pytest.mark.parametrize(
    "body", [{}, {"subject": 7, "connection": "x"}, {"subject": "x", "connection": "y", "script": 1}]
)
async def test_request_without_a_subject_and_a_connection_is_a_404_with_a_sentence(
    browser: httpx.AsyncClient, body: Json
) -> None:
    answer = await browser.post("/api/reviews", json=body)

    assert answer.status_code == 404
    assert answer.json()["problem"] == "A request needs a subject and a connection."


async def test_request_that_the_gateway_refuses_says_why(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/reviews", json={"subject": cast.ALAN.subject, "connection": cast.VAULT_DB})

    assert answer.status_code == 502
    assert answer.json()["problem"] == "The gateway refused the session: connection not found."


async def test_dead_teams_is_named_and_everything_is_read_again_when_it_is_back(
    door: Door, browser: httpx.AsyncClient
) -> None:
    await ask(browser, cast.GRACE.subject, cast.CUSTOMERS_DB)
    review_id = await pending_review(browser)
    end(door.processes["teams"])
    without = await once(browser, lambda state: not state["approvals"]["teams"]["up"])

    door.start_again("teams")
    await post_card(door, review_id)
    state = await once(browser, lambda state: bool(words(state)))

    assert any(one.startswith("Teams does not answer at http://127.0.0.1:") for one in without["failures"])
    assert words(state) == ["card posted to #approvals"]


async def test_door_without_teams_follows_requests_at_the_gateway() -> None:
    async with (
        running_door() as door,
        httpx.AsyncClient(base_url=door.url, headers={"Origin": door.url}, trust_env=False) as browser,
    ):
        await door.begin()
        await ask(browser, cast.GRACE.subject, cast.CUSTOMERS_DB)
        review_id = await pending_review(browser)
        await deny(door, review_id, "not today")
        state = await once(browser, lambda state: row(state)["state"] == "denied")

    assert state["approvals"]["teams"] is None
    assert words(state)[0].endswith("at the gateway: not today")
    assert not any("Teams" in one for one in state["failures"])


async def test_requests_are_followed_while_the_directory_does_not_answer() -> None:
    async with (
        running_door() as door,
        httpx.AsyncClient(base_url=door.url, headers={"Origin": door.url}, trust_env=False) as browser,
    ):
        await door.begin()
        end(door.processes["graph"])
        await ask(browser, cast.GRACE.subject, cast.CUSTOMERS_DB)
        state = await once(browser, lambda state: bool(state["approvals"]["pending"]))

    assert state["approvals"]["pending"][0]["title"] == "Grace Hopper asked for customers-db"
