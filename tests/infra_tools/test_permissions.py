"""Graph permissions: what is granted is what the adapters need, no more and no less, and never a write."""

import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from azure.core.credentials import AccessToken
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.permissions import DeclaredCall, Permissions, read_permissions
from sandbox.graph.testing import Subscriber, Tenant, bearer
from shared.adapters.graph_audit_log import GraphAuditLog
from shared.adapters.graph_directory import GraphDirectory
from shared.adapters.graph_inventory import GraphInventory
from shared.adapters.graph_policies import GraphPolicies
from shared.adapters.graph_subscriptions import GraphSubscriptions
from shared.adapters.inventory_details import DETAILS
from shared.adapters.inventory_join import SqliteJoin
from shared.adapters.json_api import JsonApi
from shared.domain.posture.scan import LISTS, REPORTS, Source
from shared.domain.principals import PrincipalKind
from shared.domain.subscriptions import LIFETIME, Subscription
from tests.contracts.test_ports_directory import OverHttp
from tests.fakes.clock import FakeClock
from tests.sandbox.login_under_test import ManagedIdentity

DECLARED = read_permissions()
NAMES = [permission.name for permission in DECLARED.permissions]
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Recorder:
    """Every request that an app gets, to be asked again."""

    app: ASGIApp
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = b""

        async def seen() -> Message:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                target = f"{scope['raw_path'].decode()}?{scope['query_string'].decode()}"
                self.requests.append((scope["method"], target, body))
                if message["status"] == 403:
                    self.refused.append(f"{scope['method']} {target}")
            await send(message)

        await self.app(scope, seen, told)


@dataclass
class Traffic:
    """The strict stand-in after every adapter has asked it everything."""

    tenant: Tenant
    recorder: Recorder
    asked: set[str]

    async def refusals(self, roles: list[str]) -> int:
        """How many of the same requests are refused to somebody who has these permissions only."""
        refused = 0
        transport = httpx.ASGITransport(app=self.tenant.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7072") as client:
            for method, target, body in list(self.recorder.requests):
                kept = {"Content-Type": "application/json", "ConsistencyLevel": "eventual"} | bearer(*roles)
                answer = await client.request(method, target, content=body, headers=kept)
                refused += answer.status_code == 403
                if "$batch" in target:
                    refused += sum(item["status"] == 403 for item in answer.json()["responses"])
        return refused


@pytest.fixture(scope="module")
async def traffic() -> AsyncIterator[Traffic]:
    tenant = Tenant()
    tenant.clock.now = time.time()
    tenant.state.permissions = DECLARED
    recorder = Recorder(tenant.app)
    server = uvicorn.Server(uvicorn.Config(recorder, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    tenant_url = await _started(server)
    with Subscriber() as subscriber:
        people = await _people(tenant)
        wish = {"seed": 7, "applications": 0, "service_principals": 0}
        (await tenant.client.post("/sandbox/posture", json=wish)).raise_for_status()
        lifted = {"reportsPer10Seconds": 0, "keyCredentialsPerMinute": 0}
        (await tenant.client.put("/sandbox/posture/switches", json=lifted)).raise_for_status()
        tenant.state.requests.clear()
        async with httpx.AsyncClient(base_url=tenant_url) as client:
            await _ask_about_people(client, tenant_url, people)
            await _ask_for_posture(client, tenant_url, people)
        await _subscribe(tenant_url, subscriber.url)
        asked = {call for call in tenant.state.requests if "$batch" not in call}
        yield Traffic(tenant, recorder, asked)
    server.should_exit = True
    await tenant.close()


async def _started(server: uvicorn.Server) -> str:
    import asyncio  # noqa: PLC0415 - the server lives in this loop

    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    assert not task.done()
    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


async def _headers() -> Mapping[str, str]:
    return bearer(*NAMES)


async def _people(tenant: Tenant) -> dict[str, str]:
    stage = OverHttp(GraphDirectory(JsonApi("graph", tenant.client, _headers), FakeClock(), ""), tenant)
    agent, blueprint = await stage.agent()
    ada, gone = await stage.user("ada"), await stage.user("gone")
    team = await stage.group("team", ada)
    await stage.delete(gone)
    return {"agent": agent, "blueprint": blueprint, "ada": ada, "gone": gone, "team": team}


async def _ask_about_people(client: httpx.AsyncClient, url: str, people: dict[str, str]) -> None:
    directory = GraphDirectory(JsonApi("graph", client, _headers), FakeClock(), url)
    known = [await directory.describe(people[name], PrincipalKind.UNKNOWN) for name in ("ada", "agent", "team")]
    assert await directory.describe(people["gone"], PrincipalKind.USER)
    found = [principal for principal in known if principal is not None]
    await directory.describe_many(found)
    await directory.find_users(["ada@tether.example"])
    for principal in found:
        await directory.direct_groups(principal.principal_id, principal.kind)
    await directory.memberships(people["ada"], [people["team"]])
    await directory.memberships_of_many({people["agent"]: [people["team"]]})
    await directory.members(people["team"], 10)
    await directory.people_behind(found[1])
    await directory.group_ids(["team"])
    await directory.group_facts([people["team"]])
    for resource in ("users", "groups", "servicePrincipals", "applications"):
        await directory.delta(resource, await directory.latest_delta_link(resource))


async def _ask_for_posture(client: httpx.AsyncClient, url: str, people: dict[str, str]) -> None:
    port = GraphInventory(client, _headers, url)
    join = SqliteJoin()
    for source in (*LISTS, *REPORTS, Source.AGENT_SIGN_INS):
        link: str | None = None
        while True:
            page = await port.page(source, link)
            join.add(source, page.rows)
            link = page.link
            if link is None:
                break
    for source in DETAILS:
        keys = join.keys(source)
        for start in range(0, len(keys), 20):
            join.add(source, (await port.look_up(source, keys[start : start + 20])).rows)
    await port.count(Source.APPLICATIONS)
    await port.look_up(Source.OWNERS, [f"applications/{join.keys(Source.FEDERATED_CREDENTIALS)[0]}"])
    join.close()
    await GraphPolicies(port.graph).app_management()
    await GraphPolicies(port.graph).own_app_management()
    log, week_ago = GraphAuditLog(port.graph), datetime.now(UTC) - timedelta(days=7)
    await log.credential_changes(week_ago)
    await log.membership_changes(week_ago, [people["team"]])
    assert [token async for token in log.tokens(week_ago, [people["agent"]])] == []
    await log.attributes([people["agent"]], [people["blueprint"]])


class _Identity(ManagedIdentity):
    async def get_token(self, *_: str, **__: object) -> AccessToken:
        token = bearer(*NAMES)["Authorization"].removeprefix("Bearer ")
        return AccessToken(token, int(time.time()) + 3600)


async def _subscribe(url: str, ours: str) -> None:
    subscriptions = GraphSubscriptions(_Identity(), url)
    wanted = Subscription("users", ours, ours, datetime.now(UTC) + LIFETIME, client_state="users.1.proof")
    made = await subscriptions.create(wanted)
    assert await subscriptions.list_all()
    await subscriptions.renew(made.subscription_id, datetime.now(UTC) + timedelta(hours=1))
    await subscriptions.delete(made.subscription_id)


def _missing(permissions: Permissions, roles: set[str], capability: str | None = None) -> list[DeclaredCall]:
    calls = (one for one in permissions.calls if capability in (None, one.capability))
    return [one for one in calls if not one.is_allowed_to(roles)]


def test_no_permission_writes_and_none_is_named_twice() -> None:
    assert not [name for name in NAMES if "Write" in name or not re.fullmatch(r"\w+\.Read\.All", name)]
    assert len(set(NAMES)) == len(NAMES)
    assert len({one.role_id for one in DECLARED.permissions if GUID.fullmatch(one.role_id)}) == len(NAMES)


def test_no_call_is_declared_that_writes() -> None:
    writing = {one.call for one in DECLARED.calls if not one.call.startswith("GET ")}

    assert writing == {
        "POST /subscriptions",
        "PATCH /subscriptions/{id}",
        "DELETE /subscriptions/{id}",
        "POST /directoryObjects/{id}/checkMemberGroups",
    }


def test_every_capability_is_explained_and_every_call_has_its_page() -> None:
    assert {one.capability for one in DECLARED.calls} == set(DECLARED.capabilities)
    assert {name for one in DECLARED.permissions for name in one.capabilities} == set(DECLARED.capabilities)
    assert not [one for one in DECLARED.calls if not one.page.startswith("https://learn.microsoft.com/graph/api/")]
    assert not [one for one in DECLARED.permissions if not one.why.endswith(".")]


@pytest.mark.parametrize("capability", DECLARED.capabilities)
def test_capability_has_what_its_calls_need_and_nothing_else(capability: str) -> None:
    own = {permission.name for permission in DECLARED.of([capability])}

    assert _missing(DECLARED, own, capability) == []
    assert [name for name in sorted(own) if not _missing(DECLARED, own - {name}, capability)] == []


async def test_adapters_are_refused_nothing_with_exactly_these_permissions(traffic: Traffic) -> None:
    assert traffic.recorder.refused == []
    assert await traffic.refusals(NAMES) == 0


async def test_adapters_call_what_is_declared_and_nothing_else(traffic: Traffic) -> None:
    assert traffic.asked == {one.call for one in DECLARED.calls}


@pytest.mark.parametrize("name", NAMES)
async def test_without_any_one_permission_something_is_refused(traffic: Traffic, name: str) -> None:
    assert await traffic.refusals([one for one in NAMES if one != name]) > 0


async def test_call_that_nobody_declared_is_refused_and_named(traffic: Traffic) -> None:
    answer = await traffic.tenant.client.get("/v1.0/applications/$count", headers=bearer(*NAMES))

    assert answer.status_code == 403
    assert "does not declare 'GET /applications/$count'" in answer.json()["error"]["message"]
