"""The Graph stand-in's delta query, and reads that lag behind."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.graph.testing import Tenant

REMOVED = {"@removed": {"reason": "deleted"}}


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    tenant = Tenant()
    yield tenant
    await tenant.close()


async def walk(tenant: Tenant, path: str, **headers: str) -> tuple[list[dict[str, Any]], str, int]:
    """All rows up to the delta link, the link, and how many pages it took."""
    rows: list[dict[str, Any]] = []
    pages = 0
    while True:
        page = (await tenant.read(path, **headers)).raise_for_status().json()
        rows += page["value"]
        pages += 1
        if "@odata.deltaLink" in page:
            return rows, page["@odata.deltaLink"], pages
        path = page["@odata.nextLink"]


async def test_first_walk_shows_everything_in_pages_and_the_next_only_news(tenant: Tenant) -> None:
    ids = [await tenant.user(f"user{n}") for n in range(5)]
    await tenant.switch(deltaPageSize=2)

    rows, link, pages = await walk(tenant, "/users/delta?$select=id,accountEnabled")
    await tenant.write("PATCH", f"/users/{ids[3]}", {"accountEnabled": False})
    news, link, _ = await walk(tenant, link)
    nothing, _, _ = await walk(tenant, link)

    assert ([row["id"] for row in rows], pages) == (ids, 3)
    assert news == [{"id": ids[3], "accountEnabled": False}]
    assert nothing == []


async def test_change_of_an_unselected_property_does_not_show(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    _, link, _ = await walk(tenant, "/users/delta?$select=id,accountEnabled")

    await tenant.write("PATCH", f"/users/{ada}", {"jobTitle": "Countess"})

    assert (await walk(tenant, link))[0] == []


async def test_membership_shows_net_changes_with_removals_marked(tenant: Tenant) -> None:
    ada, bob = await tenant.user("ada"), await tenant.user("bob")
    team = await tenant.group("team", ada)
    snapshot, link, _ = await walk(tenant, "/groups/delta()?$select=members")

    await tenant.remove_member(team, ada)
    await tenant.add_member(team, bob)
    news, _, _ = await walk(tenant, link)

    user = {"@odata.type": "#microsoft.graph.user"}
    assert snapshot == [{"id": team, "members@delta": [user | {"id": ada}]}]
    assert news == [{"id": team, "members@delta": [user | {"id": ada} | REMOVED, user | {"id": bob}]}]


async def test_deleted_member_shows_as_removed_from_the_group(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    await tenant.group("team", ada)
    _, link, _ = await walk(tenant, "/groups/delta?$select=displayName,members")

    await tenant.write("DELETE", f"/users/{ada}")
    news, _, _ = await walk(tenant, link)

    assert [row["members@delta"] for row in news] == [[{"@odata.type": "#microsoft.graph.user", "id": ada} | REMOVED]]


async def test_large_group_is_split_over_several_rows(tenant: Tenant) -> None:
    members = [await tenant.user(f"user{n}") for n in range(5)]
    await tenant.group("team", *members)
    await tenant.switch(deltaMembersPerObject=2)

    rows, _, _ = await walk(tenant, "/groups/delta?$select=members")

    assert [len(row["members@delta"]) for row in rows] == [2, 2, 1]


async def test_soft_deletion_is_changed_and_permanent_deletion_deleted(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    _, link, _ = await walk(tenant, "/users/delta?$select=id")

    await tenant.write("DELETE", f"/users/{ada}")
    soft, link, _ = await walk(tenant, link)
    await tenant.write("DELETE", f"/directory/deletedItems/{ada}")
    hard, _, _ = await walk(tenant, link)

    assert soft == [{"id": ada, "@removed": {"reason": "changed"}}]
    assert hard == [{"id": ada, "@removed": {"reason": "deleted"}}]


async def test_latest_token_starts_from_now(tenant: Tenant) -> None:
    await tenant.user("ada")

    before, link, _ = await walk(tenant, "/users/delta?$deltatoken=latest&$select=id")
    bob = await tenant.user("bob")
    after, _, _ = await walk(tenant, link)

    assert (before, after) == ([], [{"id": bob}])


async def test_disabled_service_principal_and_application_show(tenant: Tenant) -> None:
    made = (await tenant.write("POST", "/applications", {"displayName": "billing"})).json()
    principal = (await tenant.write("POST", "/servicePrincipals", {"appId": made["appId"]})).json()
    _, principals, _ = await walk(tenant, "/servicePrincipals/delta?$select=id,accountEnabled")
    _, applications, _ = await walk(tenant, "/applications/delta?$select=id,isDisabled")

    await tenant.write("PATCH", f"/servicePrincipals/{principal['id']}", {"accountEnabled": False})
    await tenant.write("PATCH", f"/applications/{made['id']}", {"isDisabled": True})

    assert (await walk(tenant, principals))[0] == [{"id": principal["id"], "accountEnabled": False}]
    assert (await walk(tenant, applications))[0] == [{"id": made["id"], "isDisabled": True}]


async def test_minimal_return_shows_only_what_changed(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    _, link, _ = await walk(tenant, "/users/delta?$select=id,displayName,accountEnabled")

    await tenant.write("PATCH", f"/users/{ada}", {"accountEnabled": False})
    news, _, _ = await walk(tenant, link, Prefer="return=minimal")

    assert news == [{"accountEnabled": False, "id": ada}]


async def test_replay_serves_earlier_changes_again(tenant: Tenant) -> None:
    ada, bob = await tenant.user("ada"), await tenant.user("bob")
    _, link, _ = await walk(tenant, "/users/delta?$select=id")

    await tenant.switch(deltaReplay=2)

    assert [row["id"] for row in (await walk(tenant, link))[0]] == [ada, bob]


async def test_expired_token_is_gone_and_says_where_to_start_over(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    _, link, _ = await walk(tenant, "/users/delta?$select=id")

    await tenant.switch(deltaExpired=True)
    tenant.clock.advance(1)
    refused = await tenant.read(link)
    fresh, link, _ = await walk(tenant, refused.headers["Location"])
    after, _, _ = await walk(tenant, link)

    assert refused.status_code == 410
    assert refused.headers["Location"].endswith("/v1.0/users/delta?$select=id&$deltatoken=")
    assert (fresh, after) == ([{"id": ada}], [])


async def test_token_older_than_seven_days_is_gone(tenant: Tenant) -> None:
    _, link, _ = await walk(tenant, "/users/delta")

    tenant.clock.advance(7 * 24 * 3600 + 1)

    assert (await tenant.read(link)).status_code == 410


async def test_lost_sync_state_is_a_bad_request(tenant: Tenant) -> None:
    _, link, _ = await walk(tenant, "/users/delta")

    await tenant.switch(deltaSyncStateNotFound=True)
    refused = await tenant.read(link)

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "syncStateNotFound")


async def test_lagging_reads_still_show_the_removed_member(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    team = await tenant.group("team", ada)
    await tenant.switch(staleReadSeconds=30)

    tenant.clock.advance(1)
    await tenant.remove_member(team, ada)
    await tenant.write("PATCH", f"/users/{ada}", {"accountEnabled": False})
    members = await tenant.rows(f"/groups/{team}/members")
    checked = (await tenant.post(f"/users/{ada}/checkMemberGroups", {"groupIds": [team]})).json()["value"]
    enabled = (await tenant.read(f"/users/{ada}?$select=accountEnabled")).json()["accountEnabled"]
    tenant.clock.advance(30)
    members_later = await tenant.rows(f"/groups/{team}/members")

    assert ([row["id"] for row in members], checked, enabled) == ([ada], [team], True)
    assert members_later == []


async def test_lag_of_one_kind_of_read_leaves_the_others_fresh(tenant: Tenant) -> None:
    ada = await tenant.user("ada")
    team = await tenant.group("team", ada)
    _, link, _ = await walk(tenant, "/groups/delta?$select=members")
    await tenant.switch(staleTransitiveSeconds=30, staleDeltaSeconds=60)

    tenant.clock.advance(1)
    await tenant.remove_member(team, ada)
    direct = await tenant.rows(f"/users/{ada}/memberOf")
    transitive = await tenant.rows(f"/users/{ada}/transitiveMemberOf")
    early, link, _ = await walk(tenant, link)
    tenant.clock.advance(60)
    late, _, _ = await walk(tenant, link)

    assert (direct, [row["id"] for row in transitive]) == ([], [team])
    assert (early, [row["id"] for row in late]) == ([], [team])
