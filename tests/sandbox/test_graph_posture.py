"""The generated tenant of the Graph stand-in: pages, filters, single objects, ground truth."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from sandbox.graph.testing import Tenant

EVENTUAL = {"ConsistencyLevel": "eventual"}
GRAPH = "00000003-0000-0000-c000-000000000000"
AT = "2027-01-10T12:00:00Z"
CHECKS = (
    *(f"A{number}" for number in (1, 2, 3, 4, 5, 7)),
    *(f"B{number}" for number in range(1, 8)),
    *(f"C{number}" for number in range(1, 17)),
    *(f"D{number}" for number in range(1, 6)),
    *(f"E{number}" for number in range(1, 5)),
    *(f"F{number}" for number in range(1, 12)),
)


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    yield tenant
    await tenant.close()


async def generate(tenant: Tenant, **wish: object) -> dict[str, Any]:
    body = {"seed": 7, "applications": 1200, "service_principals": 1900, "at": AT} | wish
    made: dict[str, Any] = (await tenant.client.post("/sandbox/posture", json=body)).raise_for_status().json()
    return made


async def expected(tenant: Tenant) -> dict[str, Any]:
    truth: dict[str, Any] = (await tenant.client.get("/sandbox/posture/expected")).raise_for_status().json()
    return truth


async def switch(tenant: Tenant, **switches: object) -> None:
    (await tenant.client.put("/sandbox/posture/switches", json=switches)).raise_for_status()


async def get(tenant: Tenant, path: str, **headers: str) -> httpx.Response:
    url = path if path.startswith(("http", "/beta")) else f"/v1.0{path}"
    return await tenant.client.get(url, headers=tenant.reader | EVENTUAL | headers)


async def every_row(tenant: Tenant, path: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    url: str | None = path
    while url:
        body = (await get(tenant, url)).raise_for_status().json()
        rows += body["value"]
        url = body.get("@odata.nextLink")
    return rows


async def positive(tenant: Tenant, check_id: str, shape: str) -> dict[str, Any]:
    truth = await expected(tenant)
    return next(one for one in truth["positives"] if (one["check_id"], one["shape"]) == (check_id, shape))


async def test_every_check_has_three_guilty_shapes_and_an_innocent(tenant: Tenant) -> None:
    await generate(tenant)

    truth = await expected(tenant)

    guilty = Counter(one["check_id"] for one in truth["positives"])
    innocent = Counter(one["check_id"] for one in truth["innocents"])
    assert [check for check in CHECKS if guilty[check] < 3] == []
    assert [check for check in (*CHECKS, "C18") if innocent[check] < 1] == []
    assert len([one for one in truth["conditional"] if one["check_id"] == "A6"]) == 3


async def test_nothing_is_guilty_and_innocent_of_the_same(tenant: Tenant) -> None:
    await generate(tenant, planted=2)

    truth = await expected(tenant)

    names = ("check_id", "object_id", "key_id")
    guilty = [tuple(one[name] for name in names) for one in truth["positives"]]
    innocent = {tuple(one[name] for name in names) for one in truth["innocents"]}
    assert len(guilty) == len(set(guilty))
    assert innocent.isdisjoint(guilty)


async def test_ground_truth_is_the_same_for_the_same_seed_and_another_for_another(tenant: Tenant) -> None:
    await generate(tenant)
    first = await expected(tenant)

    await generate(tenant)
    again = await expected(tenant)
    await generate(tenant, seed=8)
    other = await expected(tenant)

    assert again == first
    assert other["positives"][0]["object_id"] != first["positives"][0]["object_id"]


async def test_copies_multiply_what_is_planted_under_ids_of_their_own(tenant: Tenant) -> None:
    once = await generate(tenant)

    thrice = await generate(tenant, planted=3)
    truth = await expected(tenant)

    assert thrice["positives"] == 3 * once["positives"]
    assert (
        len({(one["check_id"], one["object_id"], one["key_id"]) for one in truth["positives"]}) == thrice["positives"]
    )


async def test_every_guilty_object_is_listed_with_its_credential(tenant: Tenant) -> None:
    await generate(tenant)
    objects = await every_row(tenant, "/applications?$top=999") + await every_row(tenant, "/servicePrincipals?$top=999")
    by_id = {one["id"]: one for one in objects}

    truth = await expected(tenant)

    about_objects = [one for one in truth["positives"] if one["object_kind"] != "tenant"]
    assert [one for one in about_objects if one["object_id"] not in by_id] == []
    credentials = [one for one in about_objects if one["key_id"] and one["check_id"].startswith("C")]
    for one in credentials:
        holder = by_id[one["object_id"]]
        held = {key["keyId"] for key in (*holder["passwordCredentials"], *holder["keyCredentials"])}
        of_principal = by_id.get(one["principal_id"], {})
        held |= {key["keyId"] for key in (*of_principal.get("passwordCredentials", ()),)}
        held |= {key["keyId"] for key in (*of_principal.get("keyCredentials", ()),)}
        assert one["key_id"] in held


async def test_pages_hold_every_object_once_beside_the_cast(tenant: Tenant) -> None:
    await tenant.write("POST", "/applications", {"displayName": "the cast's"})
    made = await generate(tenant)

    rows = await every_row(tenant, "/applications?$top=500&$select=id,displayName&$count=true")
    count = (await get(tenant, "/applications/$count")).text

    assert len(rows) == len({row["id"] for row in rows}) == made["applications"] + 1 == int(count)
    assert "the cast's" in {row["displayName"] for row in rows}
    assert all(row.keys() == {"id", "displayName"} for row in rows if "@odata.type" not in row)


async def test_shuffled_reads_differ_in_order_only(tenant: Tenant) -> None:
    await generate(tenant)
    await switch(tenant, shuffle=True)

    first = [row["id"] for row in await every_row(tenant, "/servicePrincipals?$top=400&$select=id")]
    second = [row["id"] for row in await every_row(tenant, "/servicePrincipals?$top=400&$select=id")]

    assert first != second
    assert sorted(first) == sorted(second)
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("status", [400, 410])
async def test_expired_page_token_is_refused_so_often_as_told(tenant: Tenant, status: int) -> None:
    await generate(tenant)
    link = (await get(tenant, "/applications?$top=100&$select=id")).json()["@odata.nextLink"]
    await switch(tenant, expireSkiptoken=1, expireStatus=status)

    refused = await get(tenant, link)
    served = await get(tenant, link)

    assert (refused.status_code, refused.json()["error"]["code"]) == (status, "DirectoryPageTokenNotFoundException")
    assert served.status_code == 200


async def test_page_token_of_an_earlier_tenant_is_refused(tenant: Tenant) -> None:
    await generate(tenant)
    link = (await get(tenant, "/applications?$top=100&$select=id")).json()["@odata.nextLink"]

    await generate(tenant, seed=8)
    refused = await get(tenant, link)

    assert refused.json()["error"]["code"] == "Directory_ExpiredPageToken"


@pytest.mark.parametrize("query", ["$top=1000", "$top=0", "$select=nickname", "$orderby=displayName", "$filter=x"])
async def test_query_that_graph_refuses_is_refused(tenant: Tenant, query: str) -> None:
    await generate(tenant)

    answer = await get(tenant, f"/applications?{query}")

    assert answer.status_code == 400


async def test_owner_filter_finds_exactly_the_ownerless(tenant: Tenant) -> None:
    await generate(tenant)
    truth = await expected(tenant)
    told = {one["object_id"] for one in truth["positives"] if one["check_id"] == "B1"}

    rows = await every_row(tenant, "/applications?$filter=owners/$count eq 0&$count=true&$select=id")
    owners = [await every_row(tenant, f"/applications/{row['id']}/owners") for row in rows]

    assert told <= {row["id"] for row in rows}
    assert owners == [[]] * len(rows)


async def test_filter_on_a_count_needs_the_eventual_header_and_count(tenant: Tenant) -> None:
    await generate(tenant)
    path = "/v1.0/applications?$filter=owners/$count eq 0"

    without_header = await tenant.client.get(f"{path}&$count=true", headers=tenant.reader)
    without_count = await tenant.client.get(path, headers=tenant.reader | EVENTUAL)

    assert [answer.json()["error"]["code"] for answer in (without_header, without_count)] == (
        ["Request_UnsupportedQuery"] * 2
    )


async def test_expressions_of_federated_credentials_are_shown_in_beta_only(tenant: Tenant) -> None:
    await generate(tenant)
    broad = await positive(tenant, "D1", "every repository")
    path = f"/applications/{broad['object_id']}/federatedIdentityCredentials"

    filtered = await every_row(
        tenant, "/applications?$filter=federatedIdentityCredentials/$count ne 0&$count=true&$select=id&$top=999"
    )
    (beta,) = await every_row(tenant, f"/beta{path}")
    (released,) = await every_row(tenant, path)

    assert broad["object_id"] in {row["id"] for row in filtered}
    assert "contoso@4711/*" in beta["claimsMatchingExpression"]["value"]
    assert "claimsMatchingExpression" not in released


async def test_certificate_bytes_come_with_a_single_object_only(tenant: Tenant) -> None:
    await generate(tenant)
    weak = await positive(tenant, "C14", "RSA 1024")
    path = f"/applications/{weak['object_id']}"

    (listed,) = await every_row(tenant, f"/applications?$filter=id eq '{weak['object_id']}'&$select=keyCredentials")
    alone = (await get(tenant, f"{path}?$select=keyCredentials")).json()
    unasked = (await get(tenant, path)).json()

    assert listed["keyCredentials"][0]["key"] is None
    assert alone["keyCredentials"][0]["key"].startswith("MII")
    assert unasked["keyCredentials"][0]["key"] is None


async def test_owners_are_read_in_batches_and_deleted_ones_are_gone(tenant: Tenant) -> None:
    await generate(tenant)
    dead = await positive(tenant, "B3", "deleted")
    disabled = await positive(tenant, "B3", "disabled")
    ids = [
        row["id"]
        for one in (dead, disabled)
        for row in await every_row(tenant, f"/applications/{one['object_id']}/owners")
    ]
    requests = [
        {"id": str(number), "method": "GET", "url": f"/users/{one}?$select=id,accountEnabled,userType"}
        for number, one in enumerate(ids)
    ]

    for version in ("v1.0", "beta"):
        answer = await tenant.client.post(f"/{version}/$batch", headers=tenant.reader, json={"requests": requests})

        items = sorted(answer.json()["responses"], key=lambda item: int(item["id"]))
        assert [item["status"] for item in items] == [404, 404, 200, 200]
        assert [item["body"]["accountEnabled"] for item in items[2:]] == [False, False]


async def test_agents_have_sponsors_and_groups_tell_how_many_members(tenant: Tenant) -> None:
    await generate(tenant)
    alone = await positive(tenant, "B6", "agent")
    by_group = await positive(tenant, "B6", "group without members")

    nobody = await every_row(tenant, f"/servicePrincipals/{alone['object_id']}/sponsors")
    (group,) = await every_row(tenant, f"/servicePrincipals/{by_group['object_id']}/sponsors")
    members = (await get(tenant, f"/groups/{group['id']}/members/$count")).text
    agents = await every_row(tenant, "/servicePrincipals/microsoft.graph.agentIdentity?$expand=sponsors")

    assert nobody == []
    assert (group["@odata.type"], members) == ("#microsoft.graph.group", "0")
    assert all(row["@odata.type"] == "#microsoft.graph.agentIdentity" for row in agents)
    assert {row["id"]: row["sponsors"] for row in agents}[alone["object_id"]] == []


async def test_permissions_are_read_by_resource(tenant: Tenant) -> None:
    await generate(tenant)
    guilty = await positive(tenant, "E1", "foreign principal")
    resource = (await get(tenant, f"/servicePrincipals(appId='{GRAPH}')?$select=id,appRoles")).json()

    rows = await every_row(tenant, f"/servicePrincipals/{resource['id']}/appRoleAssignedTo?$top=999")
    same = await every_row(tenant, f"/servicePrincipals(appId='{GRAPH}')/appRoleAssignedTo?$top=10")

    held = {row["appRoleId"] for row in rows if row["principalId"] == guilty["principal_id"]}
    names = {role["id"]: role["value"] for role in resource["appRoles"]}
    assert [names[role] for role in held] == ["RoleManagement.ReadWrite.Directory"]
    assert sorted(row["id"] for row in same) == sorted(row["id"] for row in rows)


async def test_grants_roles_and_policies_are_served(tenant: Tenant) -> None:
    await generate(tenant, policy="lax")
    admin = await positive(tenant, "E3", "directory role")

    grants = await every_row(tenant, "/oauth2PermissionGrants?$top=999")
    roles = await every_row(tenant, "/roleManagement/directory/roleAssignments")
    definitions = await every_row(tenant, "/roleManagement/directory/roleDefinitions")
    policy = (await get(tenant, "/policies/defaultAppManagementPolicy")).json()
    truth = await expected(tenant)

    assert {row["consentType"] for row in grants} == {"AllPrincipals", "Principal"}
    assert admin["principal_id"] in {row["principalId"] for row in roles}
    assert {row["roleDefinitionId"] for row in roles} <= {row["id"] for row in definitions}
    assert policy["applicationRestrictions"]["passwordCredentials"][0]["maxLifetime"] == "P730D"
    assert [one["shape"] for one in truth["positives"] if one["check_id"] == "C18"] == ["policy lax"]


async def test_generated_object_answers_under_every_address(tenant: Tenant) -> None:
    await generate(tenant)
    rows = await every_row(tenant, "/applications?$top=999&$select=id,appId")

    for row in rows[::97]:
        by_id = (await get(tenant, f"/applications/{row['id']}?$select=id,appId")).json()
        by_app_id = (await get(tenant, f"/applications(appId='{row['appId']}')?$select=id,appId")).json()
        (found,) = await every_row(tenant, f"/applications?$filter=appId eq '{row['appId']}'&$select=id,appId")
        assert by_id["id"] == by_app_id["id"] == found["id"] == row["id"]


async def test_cast_is_answered_as_before_while_a_tenant_is_live(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    await generate(tenant)

    one = (await get(tenant, f"/users/{ada}?$select=id,accountEnabled")).json()
    many = await every_row(tenant, "/users?$select=id")
    missing = await get(tenant, "/applications/00000000-0000-4000-8000-000000000000")

    assert one["accountEnabled"] is True
    assert [row["id"] for row in many] == [ada]
    assert missing.status_code == 404


async def test_without_a_generated_tenant_sources_are_empty_and_truth_is_missing(tenant: Tenant) -> None:
    rows = await every_row(tenant, "/oauth2PermissionGrants")
    truth = await tenant.client.get("/sandbox/posture/expected")

    assert rows == []
    assert truth.status_code == 404


async def test_reset_forgets_the_generated_tenant(tenant: Tenant) -> None:
    await generate(tenant)

    await tenant.client.post("/sandbox/reset")

    assert (await get(tenant, "/applications/$count")).text == "0"


@pytest.mark.parametrize(
    "wish", [{"seed": -1}, {"applications": 10_000_001}, {"policy": "none"}, {"at": "soon"}, {"apps": 1}]
)
async def test_tenant_that_cannot_be_made_is_refused(tenant: Tenant, wish: dict[str, object]) -> None:
    answer = await tenant.client.post("/sandbox/posture", json=wish)

    assert answer.status_code == 400
