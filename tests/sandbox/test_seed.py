"""The seed of the sandbox: who approves what, who answers for the agent, and where reviews are announced."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox import cast
from sandbox.seed import create_reviewer_keys, seed_gateway, subscribe_webhooks
from sandbox.supervisor import running_sandbox
from sandbox.supervisor.clients import client, gateway_admin_headers
from sandbox.supervisor.servers import SERVERS
from tests.sandbox.gateway_under_test import running_gateway
from tests.sandbox.webhook_receiver import SECRET, running_receiver

KEYS = {cast.DBA_REVIEWERS: f"hpk_{'d' * 40}", cast.SECURITY_REVIEWERS: f"hpk_{'5' * 40}"}


@pytest.fixture(scope="module")
async def graph() -> AsyncIterator[httpx.AsyncClient]:
    async with running_sandbox(without=[name for name in SERVERS if name not in ("graph", "gateway")]) as small:
        yield small.graph


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_gateway() as running,
        client(str(running.client.base_url), gateway_admin_headers) as admin,
    ):
        await seed_gateway(admin)
        yield admin


async def members(graph: httpx.AsyncClient, path: str) -> list[str]:
    answer = (await graph.get(f"/v1.0{path}")).raise_for_status()
    return sorted(row["id"] for row in answer.json()["value"])


async def asked(gateway: httpx.AsyncClient, subject: str, connection: str) -> str:
    """The review that a command of this subject needs."""
    body = {"subject": subject, "connection": connection, "script": "select 1", "wait": True}
    answer = await gateway.post("/sandbox/exec", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["review_id"])


async def approved(gateway: httpx.AsyncClient, review_id: str, group: str) -> str:
    """The review's status after the vote of this group's key."""
    async with client(str(gateway.base_url), lambda: gateway_admin_headers(KEYS[group])) as voter:
        answer = await voter.put(f"/api/reviews/{review_id}", json={"status": "APPROVED"})
    return str(answer.raise_for_status().json()["status"])


async def test_approver_groups_have_their_members_and_the_agent_its_owner_and_sponsor(graph: httpx.AsyncClient) -> None:
    inside = {group.name: await members(graph, f"/groups/{group.id}/members") for group in cast.APPROVER_GROUPS}
    agent = f"/servicePrincipals/{cast.SYNC_AGENT.id}"

    assert inside == {
        "dba-approvers": sorted((cast.GRACE.id, cast.ALAN.id)),
        "security-approvers": sorted((cast.ADA.id, cast.ROOT.id)),
        "break-glass-approvers": [cast.ROOT.id],
    }
    assert await members(graph, f"{agent}/owners") == [cast.ADA.id]
    assert await members(graph, f"{agent}/sponsors") == [cast.ROOT.id]


@pytest.mark.parametrize("subject", [cast.SYNC_AGENT.subject, cast.ADA.subject], ids=["agent", "person"])
async def test_customers_need_one_vote_and_the_vault_needs_both(gateway: httpx.AsyncClient, subject: str) -> None:
    for _ in range(2):
        await create_reviewer_keys(gateway, KEYS)
    customers = await asked(gateway, subject, cast.CUSTOMERS_DB)
    vault = await asked(gateway, subject, cast.VAULT_DB)

    first = await approved(gateway, customers, cast.DBA_REVIEWERS)
    votes = [await approved(gateway, vault, group) for group in KEYS]

    assert first == "APPROVED"
    assert votes == ["PENDING", "APPROVED"]


async def test_break_glass_may_force_both(gateway: httpx.AsyncClient) -> None:
    rules = (await gateway.get("/api/access-requests/rules")).json()["data"]
    connections = (await gateway.get("/api/connections")).json()

    forced_by = {row["name"]: row["force_approve_groups"] for row in connections}
    assert [row["force_approval_groups"] for row in rules] == [[cast.BREAK_GLASS_REVIEWERS]] * 2
    assert {name for name, groups in forced_by.items() if groups} == {cast.CUSTOMERS_DB, cast.VAULT_DB}


async def test_subscribed_url_hears_of_a_review_once_however_often_it_subscribes(gateway: httpx.AsyncClient) -> None:
    async with running_receiver() as receiver:
        for _ in range(2):
            await subscribe_webhooks(gateway, receiver.url, SECRET)

        await asked(gateway, cast.SYNC_AGENT.subject, cast.CUSTOMERS_DB)

        deliveries = await receiver.received("session.open", "card")
    opened = next(one.opened() for one in deliveries if one.kind == "session.open")
    assert (opened["user_email"], opened["command"]) == (cast.SYNC_AGENT.name, ["psql"])
