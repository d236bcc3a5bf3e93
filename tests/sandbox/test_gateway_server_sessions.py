"""The gateway stand-in: sessions as rows, streams as truth, and a kill that always says 204."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from sandbox.gateway.state import LOCAL_ADMIN
from tests.sandbox.gateway_under_test import Gateway, running_gateway

MISSING = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
async def gateway(process: Gateway) -> Gateway:
    await process.populated()
    return process


async def test_kill_cuts_the_stream_and_ends_its_row(gateway: Gateway) -> None:
    session = await gateway.live("dev")

    answer = await gateway.admin("POST", f"/sessions/{session}/kill")

    row = await gateway.shown(f"/sessions/{session}")
    assert (answer.status_code, await gateway.streams()) == (204, [])
    assert (row["status"], row["end_date"] is not None) == ("done", True)


async def test_kill_of_a_finished_session_destroys_its_recording(gateway: Gateway) -> None:
    session = await gateway.live("dev")
    await gateway.admin("POST", f"/sessions/{session}/kill")
    before = await gateway.shown(f"/sessions/{session}?event_stream=utf8")

    answer = await gateway.admin("POST", f"/sessions/{session}/kill")

    after = await gateway.shown(f"/sessions/{session}?event_stream=utf8")
    assert answer.status_code == 204
    assert before["event_stream"] == [f"recording of {session}"]
    assert after["event_stream"] == ["no log found on disk"]
    assert after["end_date"] > before["end_date"]


async def test_kill_on_another_replica_says_204_and_leaves_the_stream(gateway: Gateway) -> None:
    session = await gateway.live("dev")
    await gateway.switched(killDoesNothing=1)

    answer = await gateway.admin("POST", f"/sessions/{session}/kill")
    row = await gateway.shown(f"/sessions/{session}")
    held = await gateway.streams()
    await gateway.admin("POST", f"/sessions/{session}/kill")

    assert (answer.status_code, row["status"], held) == (204, "done", [session])
    assert await gateway.streams() == []


async def test_kill_of_a_missing_a_foreign_and_a_malformed_session(gateway: Gateway) -> None:
    session = await gateway.live("dev")

    missing = await gateway.admin("POST", f"/sessions/{MISSING}/kill")
    foreign = await gateway.to("sre-1", "POST", f"/sessions/{session}/kill")
    malformed = await gateway.admin("POST", "/sessions/not-a-uuid/kill")

    assert (missing.status_code, missing.json()) == (404, {"message": "session not found"})
    assert (foreign.status_code, malformed.status_code) == (404, 500)
    assert await gateway.streams() == [session]


async def test_killed_request_can_still_be_approved(gateway: Gateway) -> None:
    await gateway.rule("sre")
    waiting = (await gateway.connect("dev", wait=True)).json()

    await gateway.admin("POST", f"/sessions/{waiting['session_id']}/kill")
    answer = await gateway.decided("sre-1", waiting["review_id"], "APPROVED")

    assert answer["status"] == "APPROVED"
    assert (await gateway.connect("dev")).status_code == 201


async def test_user_filter_is_sql_like_until_escaped(gateway: Gateway) -> None:
    for subject in ("a_b", "axb"):
        await gateway.logged_in(subject, "dev")
        await gateway.live(subject)

    like = await gateway.shown("/sessions?user=a_b&count=none")
    escaped = await gateway.client.get("/api/sessions", params={"user": r"a\_b"}, headers=await admin_headers(gateway))

    assert [row["user_id"] for row in like["data"]] == ["axb", "a_b"]
    assert [row["user_id"] for row in escaped.json()["data"]] == ["a_b"]


async def admin_headers(gateway: Gateway) -> dict[str, str]:
    key = await gateway.key("reader", "admin")
    return {"Authorization": f"Bearer {key['key']}"}


async def test_sessions_come_newest_first_in_pages(gateway: Gateway) -> None:
    sessions = [await gateway.live("dev") for _ in range(3)]

    first = await gateway.shown("/sessions?user=dev&limit=2&count=none")
    second = await gateway.shown("/sessions?user=dev&limit=2&offset=2")

    assert [row["id"] for row in first["data"]] == [sessions[2], sessions[1]]
    assert (first["has_next_page"], first["total"]) == (True, None)
    assert ([row["id"] for row in second["data"]], second["total"]) == ([sessions[0]], 3)


async def test_session_limits_are_clamped_or_refused(gateway: Gateway) -> None:
    queries = ("limit=500", "limit=0", "limit=abc", "offset=10001", "count=some", "start_date=yesterday")

    codes = [(await gateway.admin("GET", f"/sessions?{query}")).status_code for query in queries]

    assert codes == [200, 422, 422, 422, 422, 422]


async def test_end_date_is_ignored_without_a_start_date(gateway: Gateway) -> None:
    session = await gateway.live("dev")
    start = datetime.fromisoformat((await gateway.shown(f"/sessions/{session}"))["start_date"])
    dates = {"end_date": (start - timedelta(days=1)).isoformat(), "start_date": (start - timedelta(days=2)).isoformat()}
    headers = await admin_headers(gateway)

    alone = await gateway.client.get("/api/sessions", params={"end_date": dates["end_date"]}, headers=headers)
    both = await gateway.client.get("/api/sessions", params=dates, headers=headers)

    assert [row["id"] for row in alone.json()["data"]] == [session]
    assert both.json()["data"] == []


async def test_pending_reviews_are_found_through_sessions_with_a_trimmed_review(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    page = await gateway.shown("/sessions?review.status=PENDING&count=none&limit=100")

    embedded = page["data"][0]["review"]
    assert (embedded["id"], embedded["status"]) == (review["id"], "PENDING")
    assert (embedded["min_approvals"], embedded["access_request_rule_name"]) == (None, None)
    assert review["access_request_rule_name"] == "rule-one"


async def test_stream_ends_with_its_time_and_closes_its_row(gateway: Gateway) -> None:
    answer = await gateway.connect("dev", seconds=0.05)

    await until_no_stream(gateway)

    row = await gateway.shown(f"/sessions/{answer.json()['session_id']}")
    assert (row["status"], row["exit_code"]) == ("done", 0)


async def until_no_stream(gateway: Gateway) -> None:
    for _ in range(200):
        if not await gateway.streams():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the stream is still open")


async def test_snapshot_shows_what_a_page_needs(gateway: Gateway) -> None:
    await gateway.rule("sre")
    await gateway.asked("dev")
    await gateway.connect("dev", wait=True)

    snapshot = (await gateway.control("GET", "/snapshot")).json()

    assert {user["id"] for user in snapshot["users"]} == {LOCAL_ADMIN, "dev", "sre-1", "sec-1"}
    assert [review["owner"] for review in snapshot["reviews"]] == ["dev", "dev"]
    assert [stream["waiting"] for stream in snapshot["streams"]] == [True]
    assert snapshot["access_control"] is None
