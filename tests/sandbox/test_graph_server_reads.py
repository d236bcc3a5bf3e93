"""The Graph stand-in's reads: objects, filters, pages, memberships, batches, access."""

from collections.abc import AsyncIterator

import pytest

from sandbox.graph.testing import Tenant, bearer

EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    yield tenant
    await tenant.close()


async def test_call_without_token_is_refused_in_graphs_words(tenant: Tenant) -> None:
    headers = {"client-request-id": "mine"}

    answer = await tenant.client.get("/v1.0/users", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert answer.json()["error"]["innerError"]["client-request-id"] == "mine"


async def test_call_without_read_role_is_refused(tenant: Tenant) -> None:
    answer = await tenant.client.get("/v1.0/users", headers=bearer("Mail.Read"))

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "Authorization_RequestDenied"


async def test_write_by_a_reader_is_refused(tenant: Tenant) -> None:
    ada = await tenant.user("ada")

    answer = await tenant.client.patch(f"/v1.0/users/{ada}", headers=tenant.reader, json={"accountEnabled": False})

    assert answer.status_code == 403
    assert (await tenant.read(f"/users/{ada}?$select=accountEnabled")).json()["accountEnabled"] is True


async def test_user_read_without_select_hides_account_enabled(tenant: Tenant) -> None:
    ada = await tenant.user("ada")

    usual = (await tenant.read(f"/users/{ada}")).json()
    chosen = (await tenant.read(f"/users/{ada}?$select=id,accountEnabled,deletedDateTime")).json()

    assert "accountEnabled" not in usual
    assert {k: v for k, v in chosen.items() if not k.startswith("@")} == {
        "id": ada,
        "accountEnabled": True,
        "deletedDateTime": None,
    }


async def test_user_is_found_by_principal_name_in_any_case(tenant: Tenant) -> None:
    ada = await tenant.user("ada")

    answer = await tenant.read("/users/ADA@Tether.example")

    assert answer.json()["id"] == ada


async def test_unknown_object_is_404_and_unknown_property_400(tenant: Tenant) -> None:
    missing = await tenant.read("/users/00000000-0000-4000-8000-000000000000")
    mistaken = await tenant.read("/users?$select=nickname")

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert mistaken.status_code == 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail eq 'ADA@tether.example'", ["ada"]),
        ("displayName eq 'o''brien'", ["o'brien"]),
        ("accountEnabled eq false", ["o'brien"]),
        ("proxyAddresses/any(p:p eq 'smtp:ada@tether.example')", ["ada"]),
        ("userPrincipalName eq 'ada@tether.example' or displayName eq 'bob'", ["ada", "bob"]),
        ("accountEnabled eq true and (mail eq 'bob@tether.example' or mail eq 'none')", ["bob"]),
        ("mail in ('bob@tether.example', 'ada@tether.example')", ["bob", "ada"]),
        ("startswith(displayName,'B')", ["bob"]),
    ],
)
async def test_filter_finds_exactly_the_matching_users(tenant: Tenant, text: str, expected: list[str]) -> None:
    await tenant.user("ada")
    await tenant.user("bob")
    await tenant.user("o'brien", accountEnabled=False)

    rows = (await tenant.client.get("/v1.0/users", headers=tenant.reader, params={"$filter": text})).json()["value"]

    assert [row["displayName"] for row in rows] == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("accountEnabled ne true", "Request_UnsupportedQuery"),
        ("id in (" + ",".join(f"'{n}'" for n in range(16)) + ")", "Request_UnsupportedQuery"),
        ("shoeSize eq '9'", "Request_BadRequest"),
        ("mail eq 'x' garbage", "Request_UnsupportedQuery"),
    ],
)
async def test_filter_that_graph_cannot_answer_is_refused(tenant: Tenant, text: str, code: str) -> None:
    answer = await tenant.client.get("/v1.0/users", headers=tenant.reader, params={"$filter": text})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_pages_show_every_user_once_although_one_is_deleted_in_between(tenant: Tenant) -> None:
    ids = [await tenant.user(f"user{n}") for n in range(5)]

    first = (await tenant.read("/users?$top=2&$select=id")).json()
    await tenant.write("DELETE", f"/users/{ids[0]}")
    second = (await tenant.read(first["@odata.nextLink"])).json()
    third = (await tenant.read(second["@odata.nextLink"])).json()

    assert [row["id"] for page in (first, second, third) for row in page["value"]] == ids
    assert "@odata.nextLink" not in third


async def test_membership_is_direct_or_through_nesting_even_in_a_circle(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    inner = await tenant.group("inner", ada)
    outer = await tenant.group("outer", inner)
    await tenant.add_member(inner, outer)

    direct = await tenant.rows(f"/users/{ada}/memberOf")
    transitive = await tenant.rows(f"/users/{ada}/transitiveMemberOf")
    inside = await tenant.rows(f"/groups/{outer}/transitiveMembers/microsoft.graph.user")

    assert [(row["@odata.type"], row["id"]) for row in direct] == [("#microsoft.graph.group", inner)]
    assert [row["id"] for row in transitive] == [inner, outer]
    assert [row["id"] for row in inside] == [ada]


async def test_check_member_groups_answers_transitively_for_any_kind_of_principal(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    inner = await tenant.group("inner", ada)
    outer = await tenant.group("outer", inner)
    other = await tenant.group("other")

    of_user = await tenant.post(f"/directoryObjects/{ada}/checkMemberGroups", {"groupIds": [outer, other, inner]})
    of_group = await tenant.post(f"/groups/{inner}/checkMemberGroups", {"groupIds": [outer, inner]})

    assert of_user.json()["value"] == [outer, inner]
    assert of_group.json()["value"] == [outer]


async def test_check_of_more_than_twenty_groups_is_refused(tenant: Tenant) -> None:
    ada = await tenant.user("ada")

    answer = await tenant.post(f"/users/{ada}/checkMemberGroups", {"groupIds": [str(n) for n in range(21)]})

    assert answer.status_code == 400


async def test_members_are_counted_only_with_eventual_consistency(tenant: Tenant) -> None:
    group = await tenant.group("team", await tenant.user("ada"), await tenant.user("bob"))

    counted = await tenant.read(f"/groups/{group}/members/$count", **EVENTUAL)
    refused = await tenant.read(f"/groups/{group}/members/$count")

    assert counted.text == "2"
    assert refused.status_code == 400


async def test_agent_identity_belongs_to_a_blueprint_and_has_sponsors(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    blueprint = {"@odata.type": "#microsoft.graph.agentIdentityBlueprint", "displayName": "Deployer"}
    app_id = (await tenant.write("POST", "/applications", blueprint)).json()["appId"]
    await tenant.write("POST", "/servicePrincipals/microsoft.graph.agentIdentityBlueprintPrincipal", {"appId": app_id})
    agent: dict[str, object] = {
        "@odata.type": "#microsoft.graph.agentIdentity",
        "displayName": "deployer-1",
        "agentIdentityBlueprintId": app_id,
        "sponsors@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{ada}"],
    }
    agent_id = (await tenant.write("POST", "/servicePrincipals", agent)).json()["id"]

    read = (await tenant.read(f"/servicePrincipals/{agent_id}")).json()
    children = await tenant.rows(f"/servicePrincipals?$filter=agentIdentityBlueprintId eq '{app_id}'")
    sponsors = await tenant.rows(f"/servicePrincipals/{agent_id}/microsoft.graph.agentIdentity/sponsors")
    of_type = await tenant.rows("/applications/microsoft.graph.agentIdentityBlueprint")

    assert (read["@odata.type"], read["servicePrincipalType"]) == ("#microsoft.graph.agentIdentity", "ServiceIdentity")
    assert [row["id"] for row in children] == [agent_id]
    assert [row["id"] for row in sponsors] == [ada]
    assert [row["appId"] for row in of_type] == [app_id]


async def test_application_is_found_by_app_id_and_its_off_switch_shows_on_the_service_principal(tenant: Tenant) -> None:
    made = (await tenant.write("POST", "/applications", {"displayName": "billing"})).json()
    await tenant.write("POST", "/servicePrincipals", {"appId": made["appId"]})

    await tenant.write("PATCH", f"/applications/{made['id']}", {"isDisabled": True})
    application = (await tenant.read(f"/applications(appId='{made['appId']}')")).json()
    principal = (await tenant.read(f"/servicePrincipals(appId='{made['appId']}')")).json()

    assert (application["id"], application["isDisabled"]) == (made["id"], True)
    assert (principal["displayName"], principal["accountEnabled"], principal["isDisabled"]) == ("billing", True, True)


async def test_objects_of_any_kind_are_read_by_id_with_their_type(tenant: Tenant) -> None:
    ada, team = await tenant.user("ada"), await tenant.group("team")

    one = (await tenant.read(f"/directoryObjects/{team}")).json()
    several = (
        await tenant.post("/directoryObjects/getByIds", {"ids": [team, "unknown", ada], "types": ["user"]})
    ).json()

    assert (one["id"], one["@odata.type"]) == (team, "#microsoft.graph.group")
    assert [row["id"] for row in several["value"]] == [ada]


async def test_batch_judges_each_request_alone(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    await tenant.switch(throttle={"rate": 0.5, "retryAfter": 7})
    requests: list[dict[str, object]] = [
        {"id": str(n), "method": "GET", "url": f"/users/{ada}?$select=id"} for n in range(4)
    ]
    requests.append({"id": "late", "method": "GET", "url": "/users", "dependsOn": ["1"]})

    answers = (await tenant.post("/$batch", {"requests": requests})).json()["responses"]

    by_id = {answer["id"]: answer for answer in answers}
    assert sorted(by_id[str(n)]["status"] for n in range(4)) == [200, 200, 429, 429]
    assert by_id["1"]["headers"]["retry-after"] == "7"
    assert by_id["late"]["status"] == 424


async def test_batch_of_twenty_one_is_refused(tenant: Tenant) -> None:
    requests = [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)]

    answer = await tenant.post("/$batch", {"requests": requests})

    assert answer.status_code == 400


async def test_deleted_user_is_gone_with_its_memberships_until_restored(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    team = await tenant.group("team", ada)

    await tenant.write("DELETE", f"/users/{ada}")
    gone = await tenant.read(f"/users/{ada}")
    binned = (await tenant.read(f"/directory/deletedItems/{ada}")).json()
    members_meanwhile = await tenant.rows(f"/groups/{team}/members")
    await tenant.write("POST", f"/directory/deletedItems/{ada}/restore")
    members_after = await tenant.rows(f"/groups/{team}/members")

    assert gone.status_code == 404
    assert binned["deletedDateTime"] == "2027-01-15T08:00:00Z"
    assert (members_meanwhile, [row["id"] for row in members_after]) == ([], [ada])


async def test_property_that_graph_does_not_know_is_not_written(tenant: Tenant) -> None:
    body = {"displayName": "ada", "userPrincipalName": "ada@tether.example", "shoeSize": 9}

    answer = await tenant.client.post("/v1.0/users", headers=tenant.admin, json=body)

    assert answer.status_code == 400
    assert await tenant.rows("/users") == []
