"""The past of the sandbox: what was planted is in the logs, before everything else, and says who did it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox import cast, past
from sandbox.supervisor import Sandbox, running_sandbox
from sandbox.supervisor.servers import SERVERS


@pytest.fixture(scope="module")
async def planted() -> AsyncIterator[Sandbox]:
    async with running_sandbox(without=[name for name in SERVERS if name not in ("graph", "gateway")]) as small:
        body = {"subject": cast.SYNC_AGENT.subject, "connection": "records-api"}
        (await small.gateway.post("/sandbox/connect", json=body)).raise_for_status()
        await past.plant_past(small.graph, small.gateway)
        yield small


async def logs(planted: Sandbox) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = (await planted.graph.get("/sandbox/audit")).raise_for_status().json()
    return found


async def test_sessions_of_the_past_are_behind_the_live_one(planted: Sandbox) -> None:
    answer = await planted.gateway.get("/api/sessions", params={"limit": 3})

    newest = [(row["status"], row["end_date"] is None) for row in answer.raise_for_status().json()["data"]]
    assert newest[0] == ("open", True)
    assert newest[1:] == [("done", False)] * 2


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"subject": "a", "connection": "b"},
        {"subject": "a", "connection": "b", "start_date": "yesterday", "end_date": "2027-01-01T00:00:00Z"},
        {"subject": "a", "connection": "b", "start_date": "2027-01-01T00:00:00", "end_date": "2027-01-01T00:00:00Z"},
    ],
)
async def test_session_without_its_moments_is_refused(planted: Sandbox, row: dict[str, str]) -> None:
    answer = await planted.gateway.post("/sandbox/history", json={"sessions": [row]})

    assert answer.status_code == 400


async def test_audit_says_that_the_admin_added_the_cast_and_somebody_else_the_bot(planted: Sandbox) -> None:
    found = (await logs(planted))["directoryAudits"]

    added = [row for row in found if row["activityDisplayName"] == "Add member to group"]
    by_others = [row for row in added if row["initiatedBy"]["user"]]
    assert len(added) > 10
    assert [row["targetResources"][0]["id"] for row in by_others] == [cast.REPORT_BOT.id]
    assert by_others[0]["initiatedBy"]["user"]["userPrincipalName"] == past.MALLORY


async def test_credential_that_nobody_planned_is_in_the_audit_twice_under_one_correlation_id(planted: Sandbox) -> None:
    found = (await logs(planted))["directoryAudits"]

    rows = [row for row in found if past.UNPLANNED_KEY in str(row["targetResources"])]
    assert len(rows) == 2
    assert len({row["correlationId"] for row in rows}) == 1


async def test_bot_has_a_token_and_no_session(planted: Sandbox) -> None:
    agents = {row["name"]: row["id"] for row in (await planted.gateway.get("/api/ai-agents")).json()}
    sessions = await planted.gateway.get("/api/sessions", params={"user": agents[cast.REPORT_BOT.name]})

    issued = [row for row in (await logs(planted))["signIns"] if row["servicePrincipalId"] == cast.REPORT_BOT.id]
    assert len(issued) == 1
    assert sessions.raise_for_status().json()["data"] in ([], None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("sign-ins", {"servicePrincipalId": "nobody", "resourceId": "r"}, 404),
        ("sign-ins", {"servicePrincipalId": cast.REPORT_BOT.id}, 400),
        ("sign-ins", {"servicePrincipalId": cast.REPORT_BOT.id, "resourceId": "r", "at": "soon"}, 400),
        ("memberships", {"groupId": "nowhere", "memberId": cast.REPORT_BOT.id}, 404),
        ("credentials", {"objectId": "nobody"}, 404),
    ],
)
async def test_what_cannot_be_planted_is_refused(
    planted: Sandbox, path: str, body: dict[str, str], status: int
) -> None:
    answer = await planted.graph.post(f"/sandbox/audit/{path}", json=body)

    assert answer.status_code == status
