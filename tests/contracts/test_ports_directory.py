"""Entra's port: what the handlers rely on, kept in memory and by the Graph adapter on the stand-in alike."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import pytest

from sandbox.graph.testing import BASE, Tenant
from shared.adapters.graph_directory import GraphDirectory
from shared.adapters.json_api import JsonApi
from shared.domain.principals import AccountState, Hint, Principal, PrincipalKind
from shared.domain.sweep import DirectoryChange
from shared.errors import DeltaLinkLostError, RetryLaterError
from shared.ports import Directory
from tests.fakes.clock import FakeClock
from tests.fakes.entra import FakeEntra, guid

USER, SERVICE, GROUP, UNKNOWN = (
    PrincipalKind.USER,
    PrincipalKind.SERVICE_PRINCIPAL,
    PrincipalKind.GROUP,
    PrincipalKind.UNKNOWN,
)
NOBODY = "6d1c0000-0000-4000-8000-00000000dead"
Change = tuple[str, Hint, str | None]


class Stage(Protocol):
    """A directory, and what its admins do."""

    @property
    def port(self) -> Directory: ...

    async def user(self, name: str) -> str: ...
    async def group(self, name: str, *members: str) -> str: ...
    async def agent(self) -> tuple[str, str]: ...
    async def disable(self, principal_id: str) -> None: ...
    async def delete(self, principal_id: str) -> None: ...
    async def purge(self, principal_id: str) -> None: ...
    async def add(self, group_id: str, member_id: str) -> None: ...
    async def remove(self, group_id: str, member_id: str) -> None: ...
    async def disable_blueprint(self, app_id: str) -> None: ...


@dataclass
class InMemory:
    """The fake."""

    port: FakeEntra

    async def user(self, name: str) -> str:
        return self.port.user(name)

    async def group(self, name: str, *members: str) -> str:
        return self.port.group(name, *members)

    async def agent(self) -> tuple[str, str]:
        return self.port.service_principal("agent", app_id="app-1", blueprint_id=guid("blueprint")), guid("blueprint")

    async def disable(self, principal_id: str) -> None:
        self.port.disable(principal_id)

    async def delete(self, principal_id: str) -> None:
        self.port.delete(principal_id)

    async def purge(self, principal_id: str) -> None:
        self.port.purge(principal_id)

    async def add(self, group_id: str, member_id: str) -> None:
        self.port.add(group_id, member_id)

    async def remove(self, group_id: str, member_id: str) -> None:
        self.port.remove(group_id, member_id)

    async def disable_blueprint(self, app_id: str) -> None:
        self.port.disable_app(app_id)


@dataclass
class OverHttp:
    """The adapter on a stand-in."""

    port: GraphDirectory
    tenant: Tenant

    async def user(self, name: str) -> str:
        return await self.tenant.user(name)

    async def group(self, name: str, *members: str) -> str:
        return await self.tenant.group(name, *members)

    async def agent(self) -> tuple[str, str]:
        blueprint = await self._made(
            "/applications", {"@odata.type": "#microsoft.graph.agentIdentityBlueprint", "displayName": "blueprint"}
        )
        await self._made(
            "/servicePrincipals",
            {"@odata.type": "#microsoft.graph.agentIdentityBlueprintPrincipal", "appId": blueprint["appId"]},
        )
        agent = await self._made(
            "/servicePrincipals",
            {
                "@odata.type": "#microsoft.graph.agentIdentity",
                "displayName": "agent",
                "agentIdentityBlueprintId": blueprint["appId"],
            },
        )
        return agent["id"], blueprint["appId"]

    async def disable(self, principal_id: str) -> None:
        await self._either("PATCH", principal_id, {"accountEnabled": False})

    async def delete(self, principal_id: str) -> None:
        await self._either("DELETE", principal_id)

    async def purge(self, principal_id: str) -> None:
        await self.delete(principal_id)
        await self.tenant.write("DELETE", f"/directory/deletedItems/{principal_id}")

    async def add(self, group_id: str, member_id: str) -> None:
        await self.tenant.add_member(group_id, member_id)

    async def remove(self, group_id: str, member_id: str) -> None:
        await self.tenant.remove_member(group_id, member_id)

    async def disable_blueprint(self, app_id: str) -> None:
        found = (await self.tenant.rows(f"/applications?$filter=appId eq '{app_id}'"))[0]
        await self.tenant.write("PATCH", f"/applications/{found['id']}", {"isDisabled": True})

    async def _made(self, path: str, body: object) -> dict[str, Any]:
        made: dict[str, Any] = (await self.tenant.write("POST", path, body)).json()
        return made

    async def _either(self, method: str, principal_id: str, body: object = None) -> None:
        try:
            await self.tenant.write(method, f"/users/{principal_id}", body)
        except httpx.HTTPStatusError:
            await self.tenant.write(method, f"/servicePrincipals/{principal_id}", body)


@pytest.fixture
async def real() -> AsyncIterator[OverHttp]:
    tenant = Tenant()

    async def headers() -> Mapping[str, str]:
        return tenant.reader

    yield OverHttp(GraphDirectory(JsonApi("graph", tenant.client, headers), FakeClock(), BASE), tenant)
    await tenant.close()


@pytest.fixture(params=["in memory", "over HTTP"])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "over HTTP":
        found: Stage = request.getfixturevalue("real")
        return found
    return InMemory(FakeEntra(FakeClock()))


async def state(stage: Stage, principal_id: str, kind: PrincipalKind) -> AccountState | None:
    found = await stage.port.describe(principal_id, kind)
    return found.state if found else None


async def changes(stage: Stage, resource: str, link: str) -> tuple[list[Change], str]:
    """Everything behind a link, and the next one."""
    found: list[DirectoryChange] = []
    while True:
        page = await stage.port.delta(resource, link)
        found += page.changes
        link = page.link
        if page.is_last:
            return [(one.change.principal_id, one.change.hint, one.change.group_id) for one in found], link


@pytest.mark.parametrize("kind", [USER, UNKNOWN])
async def test_user_is_described_with_state_and_addresses(stage: Stage, kind: PrincipalKind) -> None:
    ada = await stage.user("ada")

    enabled = await stage.port.describe(ada, kind)
    await stage.disable(ada)
    disabled = await stage.port.describe(ada, kind)

    assert enabled == Principal(ada, USER, AccountState.ENABLED, "ada", frozenset({"ada@tether.example"}))
    assert disabled is not None
    assert disabled.state is AccountState.DISABLED


@pytest.mark.parametrize("kind", [SERVICE, UNKNOWN])
async def test_agent_identity_is_described_with_its_blueprint(stage: Stage, kind: PrincipalKind) -> None:
    agent, blueprint = await stage.agent()

    found = await stage.port.describe(agent, kind)

    assert found is not None
    assert (found.kind, found.state, found.blueprint_id) == (SERVICE, AccountState.ENABLED, blueprint)


async def test_disabled_blueprint_disables_its_agents(stage: Stage) -> None:
    agent, blueprint = await stage.agent()
    known = await stage.port.describe(agent, SERVICE)
    assert known is not None

    await stage.disable_blueprint(blueprint)

    assert await state(stage, agent, SERVICE) is AccountState.DISABLED
    assert (await stage.port.describe_many([known]))[agent].state is AccountState.DISABLED


async def test_group_is_described_as_a_group(stage: Stage) -> None:
    team = await stage.group("team")

    found = await stage.port.describe(team, UNKNOWN)

    assert found is not None
    assert found.kind is GROUP


async def test_deleted_user_is_deleted_and_unknown_once_it_is_purged(stage: Stage) -> None:
    ada, bob = await stage.user("ada"), await stage.user("bob")

    await stage.delete(ada)
    await stage.purge(bob)

    assert await state(stage, ada, USER) is AccountState.DELETED
    assert await state(stage, ada, UNKNOWN) is AccountState.DELETED
    assert await state(stage, bob, USER) is None
    assert await state(stage, NOBODY, UNKNOWN) is None


async def test_many_are_described_at_once(stage: Stage) -> None:
    ids = [await stage.user(f"user{number}") for number in range(25)]
    known = [Principal(id_, USER) for id_ in ids]
    await stage.disable(ids[1])
    await stage.delete(ids[2])
    await stage.purge(ids[3])

    found = await stage.port.describe_many(known)

    states = [found[id_].state for id_ in ids[:4]]
    shut = AccountState.DELETED
    assert states == [AccountState.ENABLED, AccountState.DISABLED, shut, shut]
    assert len(found) == 25


async def test_users_are_found_by_address_whatever_its_case(stage: Stage) -> None:
    ada = await stage.user("ada")

    found = await stage.port.find_users(["ada@tether.example", "o'hara@tether.example"])

    assert [user.principal_id for user in found["ada@tether.example"]] == [ada]
    assert found["o'hara@tether.example"] == []


async def test_memberships_are_direct_or_by_any_path(stage: Stage) -> None:
    ada = await stage.user("ada")
    inner = await stage.group("inner", ada)
    outer = await stage.group("outer", inner)
    others = [await stage.group(f"other{number}") for number in range(25)]

    direct = await stage.port.direct_groups(ada, USER)
    nested = await stage.port.direct_groups(inner, GROUP)
    found = await stage.port.memberships(ada, [*others, inner, outer])
    of_group = await stage.port.memberships(inner, [outer])
    of_many = await stage.port.memberships_of_many({ada: [*others, outer], inner: [others[0]], NOBODY: [outer]})

    assert direct == {inner}
    assert nested == {outer}
    assert found == {inner, outer}
    assert of_group == {outer}
    assert of_many == {ada: {outer}, inner: frozenset(), NOBODY: frozenset()}


async def test_whoever_is_gone_is_a_member_of_nothing(stage: Stage) -> None:
    ada = await stage.user("ada")
    team = await stage.group("team", ada)

    await stage.delete(ada)

    assert await stage.port.direct_groups(ada, USER) == frozenset()
    assert await stage.port.memberships(ada, [team]) == frozenset()


async def test_group_names_are_resolved_unless_nobody_or_several_carry_them(stage: Stage) -> None:
    team = await stage.group("o'hara & team")

    found = await stage.port.group_ids(["o'hara & team", "nothing"])

    assert found == {"o'hara & team": team}


async def test_delta_counts_from_now_and_tells_each_change(stage: Stage) -> None:
    ada, bob = await stage.user("ada"), await stage.user("bob")
    inner, team = await stage.group("inner"), await stage.group("team", ada)
    links = {name: await stage.port.latest_delta_link(name) for name in ("users", "groups")}

    await stage.disable(bob)
    await stage.remove(team, ada)
    await stage.add(team, inner)

    of_users, users_link = await changes(stage, "users", links["users"])
    of_groups, groups_link = await changes(stage, "groups", links["groups"])
    assert (bob, Hint.DISABLED, None) in of_users
    assert set(of_groups) == {(ada, Hint.REMOVED_FROM_GROUP, team), (inner, Hint.ADDED_TO_GROUP, team)}
    assert (await changes(stage, "users", users_link))[0] == []
    assert (await changes(stage, "groups", groups_link))[0] == []


async def test_delta_tells_deletions_and_service_principals(stage: Stage) -> None:
    ada = await stage.user("ada")
    agent, _ = await stage.agent()
    links = {name: await stage.port.latest_delta_link(name) for name in ("users", "servicePrincipals")}

    await stage.delete(ada)
    await stage.disable(agent)

    assert (ada, Hint.DELETED, None) in (await changes(stage, "users", links["users"]))[0]
    found, _ = await changes(stage, "servicePrincipals", links["servicePrincipals"])
    assert (agent, Hint.DISABLED, None) in found


async def test_link_that_is_no_link_is_lost(stage: Stage) -> None:
    with pytest.raises(DeltaLinkLostError):
        await stage.port.delta("users", "https://elsewhere.example/v1.0/users/delta?$deltatoken=x")


class TestGraph:
    """What only the real adapter can get wrong."""

    @pytest.mark.parametrize("switch", ["deltaExpired", "deltaSyncStateNotFound"])
    async def test_forgotten_link_is_lost(self, real: OverHttp, switch: str) -> None:
        link = await real.port.latest_delta_link("users")
        await real.tenant.switch(**{switch: True})

        with pytest.raises(DeltaLinkLostError):
            await real.port.delta("users", link)

    async def test_delta_is_read_page_by_page(self, real: OverHttp) -> None:
        link = await real.port.latest_delta_link("users")
        ids = {await real.user(f"user{number}") for number in range(5)}
        await real.tenant.switch(deltaPageSize=2)

        found, _ = await changes(real, "users", link)

        assert {principal_id for principal_id, _, _ in found} == ids

    async def test_direct_groups_go_past_the_first_page(self, real: OverHttp) -> None:
        ada = await real.user("ada")
        groups = {await real.group(f"group{number}", ada) for number in range(3)}

        assert await real.port.direct_groups(ada, USER) == groups

    async def test_name_that_two_groups_carry_is_left_out(self, real: OverHttp) -> None:
        await real.group("twin")
        await real.group("twin")

        assert await real.port.group_ids(["twin"]) == {}

    async def test_name_is_asked_for_once(self, real: OverHttp) -> None:
        team = await real.group("team")
        await real.port.group_ids(["team"])
        await real.tenant.switch(fail={"path": "/v1.0/$batch", "status": 503})

        assert await real.port.group_ids(["team"]) == {"team": team}

    @pytest.mark.parametrize("status", [401, 403, 500, 503])
    async def test_refusal_is_a_reason_to_try_later(self, real: OverHttp, status: int) -> None:
        ada = await real.user("ada")
        team = await real.group("team", ada)
        link = await real.port.latest_delta_link("users")
        await real.tenant.switch(fail={"path": "/v1.0/", "status": status})

        for work in (
            real.port.describe(ada, USER),
            real.port.describe_many([Principal(ada, USER)]),
            real.port.find_users(["ada@tether.example"]),
            real.port.direct_groups(ada, USER),
            real.port.memberships(ada, [team]),
            real.port.memberships_of_many({ada: [team]}),
            real.port.group_ids(["team"]),
            real.port.latest_delta_link("users"),
            real.port.delta("users", link),
        ):
            with pytest.raises(RetryLaterError, match=f"graph-{status}") as refused:
                await work
            assert not isinstance(refused.value, DeltaLinkLostError)

    async def test_throttled_batch_says_how_long_to_wait(self, real: OverHttp) -> None:
        ada = await real.user("ada")
        known = [Principal(id_, USER) for id_ in (ada, await real.user("bob"), await real.user("carol"))]
        await real.tenant.switch(throttle={"rate": 1, "retryAfter": 7})

        with pytest.raises(RetryLaterError, match="graph-429") as refused:
            await real.port.describe_many(known)

        assert refused.value.retry_after == 7
