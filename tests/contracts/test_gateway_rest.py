"""What the adapter relies on at a gateway, through REST alone: at the stand-in, or at the real one that is named.

`GATEWAY_BASE_URL=… GATEWAY_API_KEY=… python -m pytest tests/contracts/test_gateway_rest.py` runs it on a real gateway,
with identities of its own that are closed or revoked afterwards.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from shared.adapters.hoop_gateway import HoopGateway
from shared.adapters.json_api import JsonApi
from shared.adapters.system_clock import SystemClock
from shared.adapters.tokens import api_key
from shared.domain.gateway import GatewayIdentity, Holdings, IdentityKind, IdentityRef
from tests.sandbox.gateway_under_test import LEGACY_KEY, running_gateway

RUN = uuid4().hex[:8]
EMAIL = f"contract-{RUN}@tether.example"


@pytest.fixture(scope="module")
async def rest() -> AsyncIterator[httpx.AsyncClient]:
    """An admin's client of the gateway under test."""
    base_url = os.environ.get("GATEWAY_BASE_URL")
    if base_url:
        headers = dict(await api_key(os.environ["GATEWAY_API_KEY"])())
        async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30) as client:
            yield client
        return
    async with running_gateway("--api-key", LEGACY_KEY) as server:
        headers = dict(await api_key(LEGACY_KEY)())
        async with httpx.AsyncClient(base_url=server.client.base_url, headers=headers, timeout=30) as client:
            yield client


@pytest.fixture(scope="module")
async def gateway(rest: httpx.AsyncClient) -> HoopGateway:
    async def headers() -> dict[str, str]:
        return {}

    return HoopGateway(JsonApi("gateway", rest, headers), SystemClock(), fresh_for=0)


@pytest.fixture(scope="module")
async def user(rest: httpx.AsyncClient) -> AsyncIterator[IdentityRef]:
    body = {"email": EMAIL, "name": "Contract", "slack_id": "U1", "groups": ["dev", "ops"], "status": "active"}
    created = (await rest.post("/api/users", json=body)).raise_for_status().json()
    yield IdentityRef(IdentityKind.USER, created["id"])
    await rest.put(f"/api/users/{created['id']}", json={**created, "status": "inactive", "groups": []})


@pytest.fixture(scope="module")
async def account(rest: httpx.AsyncClient) -> AsyncIterator[IdentityRef]:
    subject = str(uuid4())
    body = {"subject": subject, "name": f"contract-{RUN}", "status": "active", "groups": ["dev", "ops"]}
    (await rest.post("/api/serviceaccounts", json=body)).raise_for_status()
    yield IdentityRef(IdentityKind.SERVICE_ACCOUNT, subject)
    await rest.put(f"/api/serviceaccounts/{subject}", json={**body, "status": "inactive", "groups": []})


@pytest.fixture(scope="module")
async def agent(rest: httpx.AsyncClient) -> AsyncIterator[IdentityRef]:
    body = {"name": f"contract-{RUN}", "groups": ["dev"]}
    created = (await rest.post("/api/ai-agents", json=body)).raise_for_status().json()
    yield IdentityRef(IdentityKind.AI_AGENT, created["id"])
    await rest.delete(f"/api/ai-agents/{created['id']}")


async def read(gateway: HoopGateway, ref: IdentityRef) -> GatewayIdentity:
    identity = await gateway.read_identity(ref)
    assert identity is not None
    return identity


async def test_roster_names_everybody_with_groups_status_and_address(
    gateway: HoopGateway, user: IdentityRef, account: IdentityRef, agent: IdentityRef
) -> None:
    roster = await gateway.roster()

    assert roster.own_subject
    assert {ref for ref in (user, account, agent) if ref in roster.by_ref} == {user, account, agent}
    assert [one.ref for one in roster.users_by_email[EMAIL]] == [user]


async def test_identity_that_does_not_exist_is_none(gateway: HoopGateway) -> None:
    nobody = [IdentityRef(kind, str(uuid4())) for kind in IdentityKind]

    assert [await gateway.read_identity(ref) for ref in nobody] == [None] * len(nobody)


@pytest.mark.parametrize("which", ["user", "account"])
async def test_account_is_closed_whole_and_comes_back_whole(
    gateway: HoopGateway, request: pytest.FixtureRequest, which: str
) -> None:
    ref: IdentityRef = request.getfixturevalue(which)
    before = await read(gateway, ref)

    await gateway.write_identity(before, replace(before, status="inactive", groups=frozenset()))
    closed = await read(gateway, ref)
    await gateway.write_identity(closed, before)

    assert (closed.status, closed.groups) == ("inactive", frozenset())
    assert await read(gateway, ref) == before


@pytest.mark.parametrize("which", ["user", "account", "agent"])
async def test_one_group_goes_and_comes_back_while_the_rest_stays(
    gateway: HoopGateway, request: pytest.FixtureRequest, which: str
) -> None:
    ref: IdentityRef = request.getfixturevalue(which)
    before = await read(gateway, ref)
    smaller = replace(before, groups=before.groups - {"dev"})

    await gateway.write_identity(before, smaller)
    await gateway.write_identity(before, smaller)
    taken = await read(gateway, ref)
    await gateway.write_identity(smaller, before)

    assert taken == smaller
    assert await read(gateway, ref) == before


async def test_write_of_a_user_wipes_nothing_that_it_does_not_change(
    gateway: HoopGateway, rest: httpx.AsyncClient, user: IdentityRef
) -> None:
    before = await read(gateway, user)

    await gateway.write_identity(before, replace(before, groups=frozenset({"ops"})))
    shown = (await rest.get(f"/api/users/{user.key}")).json()
    await gateway.write_identity(replace(before, groups=frozenset({"ops"})), before)

    assert (shown["name"], shown["slack_id"], shown["email"]) == ("Contract", "U1", EMAIL)


async def test_key_is_revoked_twice_and_reactivated_twice_with_one_effect_each(
    gateway: HoopGateway, agent: IdentityRef
) -> None:
    active = await read(gateway, agent)
    revoked = replace(active, status="revoked")

    await gateway.write_identity(active, revoked)
    await gateway.write_identity(active, revoked)
    taken = await read(gateway, agent)
    await gateway.write_identity(revoked, active)
    await gateway.write_identity(revoked, active)

    assert taken.status == "revoked"
    assert (await read(gateway, agent)).status == "active"


async def test_somebody_without_sessions_holds_nothing(gateway: HoopGateway, user: IdentityRef) -> None:
    assert await gateway.holdings(await read(gateway, user)) == Holdings()


async def test_access_policy_names_the_admin_group(gateway: HoopGateway) -> None:
    policy = await gateway.access_policy()

    assert policy.admin_group
    assert policy.reachable({policy.admin_group}) == policy.connections
