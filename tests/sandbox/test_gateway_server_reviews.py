"""The gateway stand-in: what each vote does to a review, a session and a stream."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from sandbox.gateway.state import LOCAL_ADMIN
from tests.sandbox.gateway_under_test import Gateway, Json, running_gateway

MISSING = "00000000-0000-4000-8000-000000000000"
NOT_FOUND = {"message": "failed updating review status: review not found"}
WRONG_STATE = {"message": "review is in wrong state"}
NOT_ELIGIBLE = {"message": "not eligible for review"}


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
async def gateway(process: Gateway) -> Gateway:
    await process.populated()
    return process


async def one_time_review(gateway: Gateway, **more: object) -> Json:
    await gateway.connection("pg2", reviewers=["sre"], force_approve_groups=["sec"])
    return await gateway.provisioned("dev@sandbox.example", connection="pg2", approved_reviewers=[], **more)


async def test_access_duration_is_in_nanoseconds(gateway: Gateway) -> None:
    await gateway.rule("sre")

    review = await gateway.asked("dev", seconds=1800)

    assert review["access_duration"] == 1_800_000_000_000


async def test_review_is_found_by_its_sessions_id_too(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    by_session = await gateway.shown(f"/reviews/{review['session']}")
    codes = [(await gateway.admin("GET", f"/reviews/{key}")).status_code for key in (MISSING, "not-a-uuid")]

    assert by_session["id"] == review["id"]
    assert codes == [404, 500]


async def test_approval_waits_for_the_threshold(gateway: Gateway) -> None:
    await gateway.rule("sre", "sec", min_approvals=2)
    review = await gateway.asked("dev")

    statuses = [(await gateway.decided(who, review["id"], "approved"))["status"] for who in ("sre-1", "sec-1")]

    assert statuses == ["PENDING", "APPROVED"]


async def test_admin_outside_the_reviewer_groups_approves_nothing_with_a_200(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    answer = await gateway.decided(LOCAL_ADMIN, review["id"], "APPROVED")

    assert (answer["code"], answer["status"], len(answer["review_groups_data"])) == (200, "PENDING", 1)


async def test_vote_that_overshoots_the_threshold_leaves_the_review_stuck(gateway: Gateway) -> None:
    await gateway.rule("sre", "sec", "dba", min_approvals=2)
    await gateway.logged_in("all-groups", "sre", "sec", "dba")
    review = await gateway.asked("dev")

    answers = [await gateway.decided("all-groups", review["id"], "APPROVED") for _ in range(2)]

    assert [answer["status"] for answer in answers] == ["PENDING", "PENDING"]


async def test_key_with_several_groups_approves_all_of_them(gateway: Gateway) -> None:
    await gateway.rule("sre", "sec", min_approvals=2)
    review = await gateway.asked("dev")
    key = await gateway.key("teams-approvals", "sre", "sec")

    answer = (await gateway.bearing(key["key"], "PUT", f"/reviews/{review['id']}", {"status": "APPROVED"})).json()

    reviewers = [row["reviewed_by"] for row in answer["review_groups_data"]]
    assert answer["status"] == "APPROVED"
    assert reviewers == [{"id": key["id"], "name": key["name"], "email": key["name"], "slack_id": ""}] * 2


async def test_requester_cannot_approve_but_can_withdraw(gateway: Gateway) -> None:
    await gateway.rule("dev")
    review = await gateway.asked("dev")

    approved = await gateway.decided("dev", review["id"], "APPROVED")
    rejected = await gateway.decided("dev", review["id"], "REJECTED", rejection_reason="not needed")

    assert (approved["code"], approved["message"]) == (400, "unable to self approve review")
    assert (rejected["status"], rejected["rejection_reason"]) == ("REJECTED", "not needed")


async def test_stranger_is_not_eligible(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    answers = [await gateway.decided("sec-1", review["id"], status) for status in ("APPROVED", "REJECTED")]

    assert answers == [{"code": 400, **NOT_ELIGIBLE}] * 2


async def test_admin_rejects_without_being_a_reviewer_and_leaves_a_row(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    answer = await gateway.decided(LOCAL_ADMIN, review["id"], "REJECTED")

    rows = [(row["group"], row["status"]) for row in answer["review_groups_data"]]
    assert answer["status"] == "REJECTED"
    assert rows == [("sre", "PENDING"), ("admin", "REJECTED")]


async def test_repeated_approval_extends_the_grant(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    first, second = [await gateway.decided("sre-1", review["id"], "APPROVED") for _ in range(2)]

    assert (first["code"], second["code"]) == (200, 200)
    assert second["revoke_at"] > first["revoke_at"]


async def test_pending_review_cannot_be_revoked_and_a_closed_one_cannot_change(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    pending = await gateway.decided("sre-1", review["id"], "REVOKED")
    await gateway.decided("sre-1", review["id"], "REJECTED")
    closed = [await gateway.decided("sre-1", review["id"], status) for status in ("APPROVED", "REJECTED", "REVOKED")]

    assert [pending, *closed] == [{"code": 400, **WRONG_STATE}] * 4


async def test_missing_review_unknown_status_and_bad_id_are_server_errors(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")

    missing = await gateway.decided("sre-1", MISSING, "APPROVED")
    unknown = await gateway.decided("sre-1", review["id"], "EXPIRED")
    bad = await gateway.decided("sre-1", "not-a-uuid", "APPROVED")

    assert missing == {"code": 500, **NOT_FOUND}
    assert (unknown["code"], bad["code"]) == (500, 500)
    assert "unknown status" in unknown["message"]


async def test_approved_one_time_review_cannot_be_revoked_only_rejected(gateway: Gateway) -> None:
    review = await one_time_review(gateway)
    await gateway.decided("sre-1", review["id"], "APPROVED")

    revoked = await gateway.decided("sre-1", review["id"], "REVOKED")
    rejected = await gateway.decided("sre-1", review["id"], "REJECTED")

    assert revoked == {"code": 500, **NOT_FOUND}
    assert (rejected["code"], rejected["status"]) == (200, "REJECTED")


async def test_executed_one_time_review_is_in_the_wrong_state(gateway: Gateway) -> None:
    review = await one_time_review(gateway)
    await gateway.decided("sre-1", review["id"], "APPROVED")

    await gateway.to("dev", "POST", f"/sessions/{review['session']}/exec")

    assert await gateway.decided("sre-1", review["id"], "REJECTED") == {"code": 400, **WRONG_STATE}


async def test_forced_approval_needs_its_own_group_and_always_reads_unforced(gateway: Gateway) -> None:
    review = await one_time_review(gateway)

    refused = await gateway.decided("sre-1", review["id"], "APPROVED", force_review=True)
    forced = await gateway.decided("sec-1", review["id"], "APPROVED", force_review=True)

    read = (await gateway.shown(f"/reviews/{review['id']}"))["review_groups_data"]
    assert refused == {"code": 400, **NOT_ELIGIBLE}
    assert (forced["status"], forced["review_groups_data"][-1]["forced_review"]) == ("APPROVED", True)
    assert [row["forced_review"] for row in read] == [False, False]


async def test_time_window_can_be_set_once(gateway: Gateway) -> None:
    review = await one_time_review(gateway)
    window = {"type": "time_range", "configuration": {"start_time": "09:00", "end_time": "18:00"}}

    first = await gateway.decided("sre-1", review["id"], "APPROVED", time_window=window)
    second = await gateway.decided("sre-1", review["id"], "APPROVED", time_window=window)

    assert first["time_window"] == window
    assert (second["code"], second["message"]) == (500, "time window can only be set once")


async def test_review_of_a_deleted_connection_can_be_neither_approved_nor_rejected(gateway: Gateway) -> None:
    await gateway.rule("sre")
    review = await gateway.asked("dev")
    await gateway.admin("DELETE", "/connections/pg1")

    answers = [await gateway.decided("sre-1", review["id"], status) for status in ("APPROVED", "REJECTED")]

    assert answers == [{"code": 500, "message": "failed fetching connection for review"}] * 2


async def test_concurrent_approvals_overwrite_each_other(gateway: Gateway) -> None:
    await gateway.rule("sre", "sec", min_approvals=2)
    review = await gateway.asked("dev")
    await gateway.switched(reviewPauseMs=200)

    answers = await asyncio.gather(*(gateway.decided(who, review["id"], "APPROVED") for who in ("sre-1", "sec-1")))

    stored = await gateway.shown(f"/reviews/{review['id']}")
    assert [answer["code"] for answer in answers] == [200, 200]
    assert stored["status"] == "PENDING"
    assert sorted(row["status"] for row in stored["review_groups_data"]) == ["APPROVED", "PENDING"]


async def test_revoked_review_keeps_its_stream_and_marks_the_row_done(gateway: Gateway) -> None:
    await gateway.rule("sre")
    waiting = (await gateway.connect("dev", wait=True)).json()
    review_id = waiting["review_id"]
    await gateway.decided("sre-1", review_id, "APPROVED")

    answer = await gateway.decided("sre-1", review_id, "REVOKED")

    session = await gateway.shown(f"/sessions/{waiting['session_id']}")
    assert answer["status"] == "REVOKED"
    assert datetime.fromisoformat(answer["revoke_at"]) > datetime.fromisoformat(answer["created_at"])
    assert (session["status"], session["end_date"]) == ("done", None)
    assert await gateway.streams() == [waiting["session_id"]]


async def test_rejected_review_cuts_its_stream(gateway: Gateway) -> None:
    await gateway.rule("sre")
    waiting = (await gateway.connect("dev", wait=True)).json()
    review_id = waiting["review_id"]
    await gateway.decided("sre-1", review_id, "APPROVED")

    await gateway.decided("sre-1", review_id, "REJECTED")

    assert await gateway.streams() == []


async def test_revoking_the_newest_review_leaves_an_older_one_in_force(gateway: Gateway) -> None:
    await gateway.rule("sre")
    reviews = [await gateway.asked("dev") for _ in range(2)]
    for review in reviews:
        await gateway.decided("sre-1", review["id"], "APPROVED")

    await gateway.decided("sre-1", reviews[1]["id"], "REVOKED")

    assert (await gateway.connect("dev")).status_code == 201
