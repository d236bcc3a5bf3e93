"""The people of Entra's port: who may be asked, and who stands behind an agent, in memory and over HTTP alike."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from sandbox.graph.testing import BASE, Tenant
from shared.adapters.graph_directory import GraphDirectory
from shared.adapters.json_api import JsonApi
from shared.domain.principals import AccountState, Principal, PrincipalKind
from shared.errors import RetryLaterError
from shared.ports import Directory
from tests.fakes.clock import FakeClock
from tests.fakes.entra import FakeEntra, guid

NOBODY = "6d1c0000-0000-4000-8000-00000000dead"


class Stage(Protocol):
    """A directory, and what its admins do."""

    @property
    def port(self) -> Directory: ...

    async def user(self, name: str) -> str: ...
    async def group(self, name: str, *members: str) -> str: ...
    async def agent(self, sponsors: Sequence[str], owners: Sequence[str]) -> Principal: ...
    async def disable(self, user_id: str) -> None: ...


@dataclass
class InMemory:
    """The fake."""

    port: FakeEntra

    async def user(self, name: str) -> str:
        return self.port.user(name)

    async def group(self, name: str, *members: str) -> str:
        return self.port.group(name, *members)

    async def agent(self, sponsors: Sequence[str], owners: Sequence[str]) -> Principal:
        agent_id = self.port.service_principal("agent", blueprint_id=guid("blueprint"))
        self.port.truth.sponsors[agent_id], self.port.truth.owners[agent_id] = [*sponsors], [*owners]
        return self.port.truth.principals[agent_id]

    async def disable(self, user_id: str) -> None:
        self.port.disable(user_id)


@dataclass
class OverHttp:
    """The adapter on a stand-in."""

    port: GraphDirectory
    tenant: Tenant

    async def user(self, name: str) -> str:
        return await self.tenant.user(name)

    async def group(self, name: str, *members: str) -> str:
        return await self.tenant.group(name, *members)

    async def agent(
        self, sponsors: Sequence[str], owners: Sequence[str], blueprint_owners: Sequence[str] = ()
    ) -> Principal:
        blueprint = await self.made("applications", "agentIdentityBlueprint", **bound(owners=blueprint_owners))
        await self.made("servicePrincipals", "agentIdentityBlueprintPrincipal", appId=blueprint["appId"])
        agent = await self.made(
            "servicePrincipals",
            "agentIdentity",
            agentIdentityBlueprintId=blueprint["appId"],
            **bound(sponsors=sponsors, owners=owners),
        )
        found = await self.port.describe(agent["id"], PrincipalKind.SERVICE_PRINCIPAL)
        assert found is not None
        return found

    async def disable(self, user_id: str) -> None:
        await self.tenant.write("PATCH", f"/users/{user_id}", {"accountEnabled": False})

    async def made(self, collection: str, type_name: str, **values: object) -> dict[str, Any]:
        body = {"@odata.type": f"#microsoft.graph.{type_name}", "displayName": type_name, **values}
        made: dict[str, Any] = (await self.tenant.write("POST", f"/{collection}", body)).json()
        return made


def bound(**relations: Sequence[str]) -> dict[str, object]:
    return {
        f"{name}@odata.bind": [f"https://graph.microsoft.com/v1.0/directoryObjects/{one}" for one in ids]
        for name, ids in relations.items()
        if ids
    }


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


async def test_members_are_the_enabled_users_by_any_path(stage: Stage) -> None:
    ada, bob, gone = await stage.user("ada"), await stage.user("bob"), await stage.user("gone")
    inner = await stage.group("inner", ada, gone)
    outer = await stage.group("outer", inner, bob)
    await stage.disable(gone)

    people = await stage.port.members(outer, 10)

    assert {(one.principal_id, one.name) for one in people} == {(ada, "ada"), (bob, "bob")}


async def test_members_are_at_most_as_many_as_wanted(stage: Stage) -> None:
    users = [await stage.user(f"user{number}") for number in range(5)]
    team = await stage.group("team", *users)

    people = await stage.port.members(team, 3)

    assert len({one.principal_id for one in people}) == 3


async def test_group_that_is_empty_or_not_there_has_no_members(stage: Stage) -> None:
    empty = await stage.group("empty")

    assert list(await stage.port.members(empty, 10)) == []
    assert list(await stage.port.members(NOBODY, 10)) == []


async def test_sponsors_and_owners_stand_behind_an_agent(stage: Stage) -> None:
    ada, bob, carol = [await stage.user(name) for name in ("ada", "bob", "carol")]
    agent = await stage.agent([ada, bob], [carol])

    sponsors, owners = await stage.port.people_behind(agent)

    assert {(one.principal_id, one.name) for one in sponsors} == {(ada, "ada"), (bob, "bob")}
    assert [(one.principal_id, one.name) for one in owners] == [(carol, "carol")]


async def test_people_behind_many_are_those_behind_each(stage: Stage) -> None:
    ada, bob, carol = [await stage.user(name) for name in ("ada", "bob", "carol")]
    await stage.disable(carol)
    agent = await stage.agent([ada, carol], [bob])
    gone = Principal(NOBODY, PrincipalKind.SERVICE_PRINCIPAL, AccountState.DELETED, app_id=NOBODY)

    found = await stage.port.people_behind_many([agent, gone])

    assert found.keys() == {agent.principal_id, NOBODY}
    assert {id_: [*map(list, behind)] for id_, behind in found.items()} == {
        one.principal_id: [*map(list, await stage.port.people_behind(one))] for one in (agent, gone)
    }
    assert [one.principal_id for one in found[agent.principal_id][1]] == [bob]


async def test_nobody_stands_behind_what_is_gone(stage: Stage) -> None:
    gone = Principal(NOBODY, PrincipalKind.SERVICE_PRINCIPAL, AccountState.DELETED, app_id=NOBODY)

    sponsors, owners = await stage.port.people_behind(gone)

    assert (list(sponsors), list(owners)) == ([], [])


class TestGraph:
    """What only the real adapter can get wrong."""

    async def test_members_go_past_the_first_page(self, real: OverHttp) -> None:
        shut = [await real.user(f"shut{number}") for number in range(4)]
        for one in shut:
            await real.disable(one)
        users = [await real.user(f"user{number}") for number in range(3)]
        team = await real.group("team", *shut, *users)

        people = await real.port.members(team, 3)

        assert {one.principal_id for one in people} == {*users}

    async def test_owners_of_the_blueprint_and_members_of_a_sponsoring_group_count(self, real: OverHttp) -> None:
        ada, bob, carol = [await real.user(name) for name in ("ada", "bob", "carol")]
        inner = await real.group("inner", bob)
        sponsors_group = await real.group("sponsors", inner)
        agent = await real.agent([ada, sponsors_group], [], blueprint_owners=[carol])

        sponsors, owners = await real.port.people_behind(agent)

        assert [one.name for one in sponsors] == ["ada", "bob"]
        assert [one.name for one in owners] == ["carol"]

    async def test_owner_of_the_application_owns_its_service_principal(self, real: OverHttp) -> None:
        ada = await real.user("ada")
        application = await real.made("applications", "application", **bound(owners=[ada]))
        made = await real.made("servicePrincipals", "servicePrincipal", appId=application["appId"])
        found = await real.port.describe(made["id"], PrincipalKind.SERVICE_PRINCIPAL)
        assert found is not None

        _, owners = await real.port.people_behind(found)

        assert [one.name for one in owners] == ["ada"]

    async def test_owner_of_an_application_stands_behind_it_by_the_id_of_the_registration(self, real: OverHttp) -> None:
        ada = await real.user("ada")
        application = await real.made("applications", "application", **bound(owners=[ada]))

        registration = Principal(application["id"], PrincipalKind.SERVICE_PRINCIPAL, app_id=application["appId"])
        _, owners = await real.port.people_behind(registration)

        assert [one.principal_id for one in owners] == [ada]

    async def test_owner_that_is_no_person_is_left_out(self, real: OverHttp) -> None:
        pipeline = await real.made("servicePrincipals", "servicePrincipal", appId=NOBODY)
        agent = await real.agent([], [pipeline["id"]])

        assert await real.port.people_behind(agent) == ((), ())

    @pytest.mark.parametrize("status", [403, 500, 503])
    async def test_refusal_is_a_reason_to_try_later_and_not_nobody(self, real: OverHttp, status: int) -> None:
        team, agent = await real.group("team"), await real.agent([], [])
        await real.tenant.switch(fail={"path": "/v1.0/", "status": status})

        for work in (real.port.members(team, 10), real.port.people_behind(agent)):
            with pytest.raises(RetryLaterError, match=f"graph-{status}"):
                await work

    async def test_owners_that_are_refused_as_nonsense_are_not_nobody(self, real: OverHttp) -> None:
        agent = await real.agent([], [])
        await real.tenant.switch(fail={"path": "/v1.0/", "status": 400})

        with pytest.raises(RetryLaterError, match="graph-400"):
            await real.port.people_behind(agent)


async def test_group_facts_name_and_count_groups_and_leave_out_what_is_gone(stage: Stage) -> None:
    ada, bob = await stage.user("ada"), await stage.user("bob")
    team, empty = await stage.group("team", ada, bob), await stage.group("empty")

    facts = await stage.port.group_facts([team, empty, NOBODY])

    counted = {id_: (one.name, one.member_count, one.owner_count) for id_, one in facts.items()}
    assert counted == {team: ("team", 2, 0), empty: ("empty", 0, 0)}


async def test_more_groups_than_a_batch_holds_are_counted_with_their_service_principals(real: OverHttp) -> None:
    agent = await real.agent([], [])
    team = await real.group("team", agent.principal_id)
    groups = [await real.group(f"group {number}") for number in range(7)]

    facts = await real.port.group_facts([team, *groups])

    assert {id_: one.member_count for id_, one in facts.items()} == {team: 1, **dict.fromkeys(groups, 0)}
    assert facts[team].created_at is not None
