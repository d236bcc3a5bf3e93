"""The gateway stand-in: who reaches what, and who needs a review before a stream opens."""

from collections.abc import AsyncIterator

import pytest

from sandbox.gateway.state import LOCAL_ADMIN
from tests.sandbox.gateway_under_test import Gateway, Json, running_gateway


@pytest.fixture(scope="module")
async def process() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


@pytest.fixture
async def gateway(process: Gateway) -> Gateway:
    await process.populated()
    return process


async def test_everybody_reaches_everything_without_the_access_control_plugin(gateway: Gateway) -> None:
    await gateway.logged_in("stranger")

    answer = await gateway.connect("stranger")

    assert (await gateway.admin("GET", "/plugins/access_control")).status_code == 404
    assert answer.status_code == 201


async def test_access_control_admits_its_groups_and_admins_only(gateway: Gateway) -> None:
    connection = (await gateway.shown("/connections"))[0]
    await gateway.made("/plugins", {"name": "access_control", "connections": [{"id": connection["id"], "config": []}]})
    await gateway.admin("PUT", f"/plugins/access_control/conn/{connection['id']}", {"config": ["dev"]})

    answers = {subject: await gateway.connect(subject) for subject in ("dev", "sre-1", LOCAL_ADMIN)}

    assert [answer.status_code for answer in answers.values()] == [201, 403, 201]
    assert answers["sre-1"].json() == {"refused": "connection not found"}


async def test_attribute_with_a_matching_group_opens_its_connections(gateway: Gateway) -> None:
    await gateway.made("/plugins", {"name": "access_control", "connections": []})
    await gateway.made(
        "/attributes", {"name": "prod", "access_control_group_names": ["sre"], "connection_names": ["pg1"]}
    )

    codes = [(await gateway.connect(subject)).status_code for subject in ("sre-1", "dev")]

    assert codes == [201, 403]


async def test_connections_are_listed_as_far_as_the_caller_reaches(gateway: Gateway) -> None:
    await gateway.made("/plugins", {"name": "access_control", "connections": []})

    mine = await gateway.to("dev", "GET", "/connections")
    all_of_them = await gateway.shown("/connections?page=1&page_size=10")
    too_many = await gateway.admin("GET", "/connections?page_size=101")

    assert mine.json() == []
    assert [row["name"] for row in all_of_them["data"]] == ["pg1"]
    assert too_many.status_code == 422


async def test_inactive_identity_and_revoked_key_are_refused_at_connect(gateway: Gateway) -> None:
    user = await gateway.shown("/users/dev")
    key = await gateway.key("agent", "dev", table="ai-agents")
    await gateway.admin("PUT", "/users/dev", {**user, "status": "inactive"})
    await gateway.admin("DELETE", "/ai-agents/agent")

    answers = [await gateway.connect(subject) for subject in ("dev", key["id"], "nobody")]

    assert [answer.json() for answer in answers] == [{"refused": "identity is not active"}] * 3


async def test_closing_the_door_leaves_the_live_stream_open(gateway: Gateway) -> None:
    user = await gateway.shown("/users/dev")
    session = await gateway.live("dev")

    await gateway.admin("PUT", "/users/dev", {**user, "status": "inactive", "groups": []})

    assert await gateway.streams() == [session]


async def test_connect_needs_an_approved_review_where_a_rule_says_so(gateway: Gateway) -> None:
    await gateway.rule("sre")

    refused = await gateway.connect("dev")
    review = await gateway.asked("dev")
    await gateway.decided("sre-1", review["id"], "APPROVED")

    assert refused.json() == {"refused": "approval required"}
    assert (await gateway.connect("dev")).status_code == 201


async def test_losing_the_group_that_requires_approval_opens_the_door_without_any(gateway: Gateway) -> None:
    await gateway.rule("sre", approval_required_groups=["dev"])
    user = await gateway.shown("/users/dev")
    before = await gateway.connect("dev")

    await gateway.admin("PUT", "/users/dev", {**user, "groups": []})

    assert before.json() == {"refused": "approval required"}
    assert (await gateway.connect("dev")).status_code == 201


async def test_skip_review_groups_pass_without_a_review(gateway: Gateway) -> None:
    await gateway.rule("sre", skip_review_groups=["sec"])

    codes = [(await gateway.connect(subject)).status_code for subject in ("sec-1", "dev")]

    assert codes == [201, 403]


async def test_waiting_stream_goes_live_on_approval_and_its_row_stays_ready(gateway: Gateway) -> None:
    await gateway.rule("sre")
    waiting = (await gateway.connect("dev", wait=True)).json()
    before = await gateway.streams()

    await gateway.decided("sre-1", waiting["review_id"], "APPROVED")

    session = await gateway.shown(f"/sessions/{waiting['session_id']}")
    assert (before, await gateway.streams()) == ([], [waiting["session_id"]])
    assert (session["status"], session["end_date"]) == ("ready", None)


async def test_credentials_without_a_rule_leave_a_row_that_looks_like_use(gateway: Gateway) -> None:
    answer = await gateway.to("dev", "POST", "/connections/pg1/credentials", {"access_duration_seconds": 60})

    session = await gateway.shown(f"/sessions/{answer.json()['session_id']}")
    assert answer.status_code == 201
    assert (session["status"], session["end_date"]) == ("done", None)
    assert "credentials_expire_at" in session["metadata"]


async def test_credentials_with_reviewers_but_no_rule_panic_and_leave_an_orphan(gateway: Gateway) -> None:
    await gateway.connection("pg2", reviewers=["sre"])

    answer = await gateway.to("dev", "POST", "/connections/pg2/credentials", {})

    orphans = await gateway.shown("/sessions?user=dev&connection=pg2")
    assert (answer.status_code, answer.content) == (500, b"")
    assert len(orphans["data"]) == 1


async def test_any_key_provisions_an_approved_session_for_anybody(gateway: Gateway) -> None:
    await gateway.connection("pg2", reviewers=["sre", "sec"])

    review = await gateway.provisioned("dev@sandbox.example", connection="pg2")

    assert (review["type"], review["status"]) == ("onetime", "APPROVED")
    assert [row["reviewed_by"]["name"] for row in review["review_groups_data"]] == ["provisioner"] * 2


async def test_open_source_licence_allows_one_rule(gateway: Gateway) -> None:
    await gateway.switched(license="oss")
    rule = await gateway.rule("sre")

    second = await gateway.admin("POST", "/access-requests/rules", {**rule, **lists_of(rule), "name": "rule-two"})

    info = await gateway.shown("/serverinfo")
    assert second.status_code == 403
    assert second.json() == {"message": "access request rules are limited to 1 in the OSS version"}
    assert info["license_info"]["type"] == "oss"


def lists_of(rule: Json) -> Json:
    return {key: value or [] for key, value in rule.items() if key.endswith(("groups", "names", "attributes"))}


async def test_rule_body_is_checked_for_arrays_name_and_approvals(gateway: Gateway) -> None:
    rule = await gateway.rule("sre")
    body = {**rule, **lists_of(rule), "name": "rule-two"}
    wrong: list[Json] = [{"reviewers_groups": None}, {"name": "ab"}, {"min_approvals": 0}]

    answers = [await gateway.admin("POST", "/access-requests/rules", {**body, **change}) for change in wrong]

    assert [answer.status_code for answer in answers] == [400, 422, 422]
