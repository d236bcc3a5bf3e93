"""The gateway stand-in: commands under review, streams that end, keys that vote, and who may force."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.sandbox.gateway_under_test import Gateway, Json, running_gateway

SRE_KEY = "hpk_0123456789012345678901234567890123456789"
LONG = 600


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
async def gateway(process: Gateway) -> Gateway:
    await process.populated()
    return process


async def run(gateway: Gateway, subject: str = "dev", connection: str = "pg1", **more: object) -> httpx.Response:
    body = {"subject": subject, "connection": connection, "script": "select 1", **more}
    return await gateway.control("POST", "/exec", body)


async def under_review(gateway: Gateway, *, wait: bool = True, seconds: float = 0) -> Json:
    """A command that needs a review; its client waits for it or has left."""
    waiting: Json = (await run(gateway, wait=wait, seconds=seconds)).json()
    review: Json = await gateway.shown(f"/reviews/{waiting['review_id']}")
    return review


async def status_of(gateway: Gateway, review: Json, wanted: str) -> str:
    """The review's status, as soon as it is the wanted one."""
    for _ in range(200):
        status = str((await gateway.shown(f"/reviews/{review['id']}"))["status"])
        if status == wanted:
            break
    return status


async def test_command_without_a_rule_runs_at_once(gateway: Gateway) -> None:
    answer = await run(gateway, seconds=LONG)

    session = await gateway.shown(f"/sessions/{answer.json()['session_id']}")
    assert answer.status_code == 201
    assert (session["verb"], session["script"], session["review"]) == ("exec", {"data": "select 1"}, None)
    assert await gateway.streams() == [session["id"]]


async def test_rule_for_streams_asks_no_review_of_commands(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit")

    codes = [(await run(gateway)).status_code, (await gateway.connect("dev", wait=True)).status_code]

    assert codes == [201, 202]


async def test_command_under_review_is_a_one_time_review_with_the_script_on_its_session(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit_command")

    review = await under_review(gateway)

    page = await gateway.shown("/sessions?review.status=PENDING&count=none&limit=100")
    assert (review["type"], review["status"], review["access_duration"]) == ("onetime", "PENDING", 0)
    assert [(row["id"], row["script"]) for row in page["data"]] == [(review["session"], {"data": "select 1"})]
    assert await gateway.streams() == []


async def test_waiting_client_runs_the_approved_command_by_itself(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit_command")
    review = await under_review(gateway)

    answer = await gateway.decided("sre-1", review["id"], "APPROVED")
    status = await status_of(gateway, review, "EXECUTED")

    session = await gateway.shown(f"/sessions/{review['session']}")
    changes = [row["detail"]["after"] for row in await gateway.events() if row["kind"] == "review-changed"]
    assert (answer["status"], status) == ("APPROVED", "EXECUTED")
    assert changes == ["APPROVED", "PROCESSING", "EXECUTED"]
    assert (session["status"], session["exit_code"]) == ("done", 0)


async def test_running_command_is_processing_and_can_no_longer_be_rejected(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit_command")
    review = await under_review(gateway, seconds=LONG)
    await gateway.decided("sre-1", review["id"], "APPROVED")

    status = await status_of(gateway, review, "PROCESSING")
    rejected = await gateway.decided("sre-1", review["id"], "REJECTED")
    await gateway.admin("POST", f"/sessions/{review['session']}/kill")

    assert status == "PROCESSING"
    assert (rejected["code"], rejected["message"]) == (400, "review is in wrong state")
    assert await status_of(gateway, review, "EXECUTED") == "EXECUTED"


async def test_client_that_left_has_to_run_the_approved_command_itself(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit_command")
    review = await under_review(gateway, wait=False)
    await gateway.decided("sre-1", review["id"], "APPROVED")

    status = await status_of(gateway, review, "APPROVED")
    ran = [(await gateway.to("dev", "POST", f"/sessions/{review['session']}/exec")).status_code for _ in range(2)]

    assert (status, ran) == ("APPROVED", [200, 400])
    assert await status_of(gateway, review, "EXECUTED") == "EXECUTED"


async def test_rejected_command_never_runs(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit_command")
    review = await under_review(gateway)

    await gateway.decided("sre-1", review["id"], "REJECTED", rejection_reason="not now")

    session = await gateway.shown(f"/sessions/{review['session']}")
    ran = await gateway.to("dev", "POST", f"/sessions/{review['session']}/exec")
    assert (session["status"], ran.status_code) == ("done", 400)


async def test_standing_approval_of_a_stream_lets_commands_pass(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit_command")
    review = await gateway.asked("dev")
    await gateway.decided("sre-1", review["id"], "APPROVED")

    assert (await run(gateway)).status_code == 201


async def test_open_source_licence_reviews_streams_but_refuses_commands(gateway: Gateway) -> None:
    await gateway.rule("sre", access_type="jit_command")
    await gateway.switched(license="oss")

    codes = [(await gateway.connect("dev", wait=True)).status_code, (await run(gateway, wait=True)).status_code]

    assert codes == [202, 403]


async def test_released_stream_ends_after_its_duration_and_a_revoked_one_does_not(gateway: Gateway) -> None:
    await gateway.rule("sre")
    short, long = [(await gateway.connect("dev", wait=True, seconds=seconds)).json() for seconds in (0.05, LONG)]
    for waiting in (short, long):
        await gateway.decided("sre-1", waiting["review_id"], "APPROVED")

    await gateway.decided("sre-1", long["review_id"], "REVOKED")

    for _ in range(200):
        if len(await gateway.streams()) == 1:
            break
        await asyncio.sleep(0.02)
    assert await gateway.streams() == [long["session_id"]]


async def test_keys_with_one_group_each_vote_one_after_the_other_under_their_own_names(gateway: Gateway) -> None:
    await gateway.rule("sre", "sec", all_groups_must_approve=True)
    review = await gateway.asked("dev")
    keys = [await gateway.key(f"teams-approvals:{group}", group) for group in ("sre", "sec")]

    votes = [
        (await gateway.bearing(key["key"], "PUT", f"/reviews/{review['id']}", {"status": "APPROVED"})).json()
        for key in keys
    ]

    assert [vote["status"] for vote in votes] == ["PENDING", "APPROVED"]
    assert [row["reviewed_by"]["name"] for row in votes[1]["review_groups_data"]] == [key["name"] for key in keys]


async def test_key_is_made_with_a_known_secret_once(gateway: Gateway) -> None:
    body = {"name": "teams-approvals:sre", "groups": ["sre"], "key": SRE_KEY}

    made = [(await gateway.control("POST", "/keys", body)).status_code for _ in range(2)]
    other = await gateway.control("POST", "/keys", {**body, "groups": ["sec"]})
    malformed = await gateway.control("POST", "/keys", {**body, "key": "secret"})
    info = await gateway.bearing(SRE_KEY, "GET", "/userinfo")

    assert (made, other.status_code, malformed.status_code) == ([201, 200], 409, 400)
    assert (info.json()["name"], info.json()["groups"]) == (body["name"], ["sre"])


async def test_forced_approval_follows_the_groups_of_the_rule_and_not_of_the_connection(gateway: Gateway) -> None:
    await gateway.connection("pg2", force_approve_groups=["sec"])
    await gateway.logged_in("root", "break-glass")
    await gateway.rule("sre", connection_names=["pg2"], force_approval_groups=["break-glass"])
    review = await gateway.asked("dev", "pg2")

    by_connection = await gateway.decided("sec-1", review["id"], "APPROVED", force_review=True)
    by_rule = await gateway.decided("root", review["id"], "APPROVED", force_review=True)

    assert (by_connection["code"], by_connection["message"]) == (400, "not eligible for review")
    assert (by_rule["code"], by_rule["status"]) == (200, "APPROVED")
    assert [row["group"] for row in by_rule["review_groups_data"]] == ["sre", "break-glass"]


async def test_stuck_review_is_freed_by_force_or_by_rejection(gateway: Gateway) -> None:
    await gateway.logged_in("both", "sre", "sec")
    await gateway.logged_in("root", "break-glass")
    await gateway.rule("sre", "sec", "dba", min_approvals=1, force_approval_groups=["break-glass"])
    reviews = [await gateway.asked("dev") for _ in range(2)]
    stuck = [(await gateway.decided("both", review["id"], "APPROVED"))["status"] for review in reviews]

    forced = await gateway.decided("root", reviews[0]["id"], "APPROVED", force_review=True)
    rejected = await gateway.decided("sre-1", reviews[1]["id"], "REJECTED")

    assert stuck == ["PENDING", "PENDING"]
    assert (forced["status"], rejected["status"]) == ("APPROVED", "REJECTED")


async def test_requester_cannot_force_the_own_request(gateway: Gateway) -> None:
    await gateway.rule("sre", force_approval_groups=["dev"])
    review = await gateway.asked("dev")

    answer = await gateway.decided("dev", review["id"], "APPROVED", force_review=True)

    assert (answer["code"], answer["message"]) == (400, "unable to self approve review")
