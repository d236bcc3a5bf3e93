import re

import pytest

from shared.domain.posture.checks.tier_zero import (
    DIRECTORY_ROLES,
    EXCHANGE_ONLINE,
    GRAPH,
    HARMLESS_DIRECTORY_ROLES,
    SHAREPOINT_ONLINE,
    TIER_ONE,
    TIER_ZERO,
    permission_name,
)
from shared.domain.posture.inventory import App, AppRole, Known
from tests.domain.posture.apps import (
    GLOBAL_ADMINISTRATOR,
    NOT_READ,
    TAKE_OVER,
    agent,
    app,
    findings,
    managed_identity,
    microsofts,
    said,
)

READER, REPORTS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "4a5d8f65-41da-4de4-8968-e035b65339cf"
CUSTOM = "99999999-0000-4000-8000-000000000001"
MAIL = AppRole(GRAPH, "810c84a8-4a9e-49e6-bf7d-12d183f40d01")
MAILBOXES = AppRole(EXCHANGE_ONLINE, "dc890d15-9560-4a4c-9b7f-a736ec74ec40")
SITES = AppRole(SHAREPOINT_ONLINE, "678536fe-1083-478a-9c59-b99265e6b0d3")
POWER = Known((TAKE_OVER,))
USERS = AppRole(GRAPH, "df021288-bdef-4463-88db-98f22de89214", "User.Read.All")


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (TAKE_OVER, ["critical"]),
        (AppRole(GRAPH.upper(), TAKE_OVER.role_id.upper()), ["critical"]),
        (AppRole("aaaaaaaa-0000-4000-8000-000000000009", TAKE_OVER.role_id), []),
        (AppRole(GRAPH, CUSTOM, "RoleManagement.ReadWrite.Directory"), []),
        (USERS, []),
        (MAIL, []),
    ],
)
def test_tier_zero_is_told_by_id_on_microsoft_graph_and_never_by_name(role: AppRole, expected: list[str]) -> None:
    assert said(app(app_roles=Known((role,))), "E1") == expected


@pytest.mark.parametrize("role_id", TIER_ZERO)
def test_every_tier_zero_permission_is_critical(role_id: str) -> None:
    (finding,) = findings(app(app_roles=Known((AppRole(GRAPH, role_id),))), "E1")

    assert finding.facts == (("permissions", TIER_ZERO[role_id]),)


@pytest.mark.parametrize("guilty", [managed_identity(app_roles=POWER), agent(app_roles=POWER)])
def test_managed_identities_and_agents_can_take_over_too(guilty: App) -> None:
    assert said(guilty, "E1") == ["critical"]


@pytest.mark.parametrize("check_id", ["E1", "E2", "E3", "E4"])
@pytest.mark.parametrize(
    "innocent",
    [
        microsofts(
            app_roles=Known((TAKE_OVER, MAIL)),
            directory_roles=Known((GLOBAL_ADMINISTRATOR,)),
            delegated_scopes=Known(frozenset({"Mail.Read"})),
        ),
        microsofts(app_roles=NOT_READ, directory_roles=NOT_READ, delegated_scopes=NOT_READ),
        app(principal=None, app_roles=NOT_READ, directory_roles=NOT_READ, delegated_scopes=NOT_READ),
    ],
)
def test_microsofts_grants_are_its_own_and_without_a_principal_there_are_none(check_id: str, innocent: App) -> None:
    assert said(innocent, check_id) == []


@pytest.mark.parametrize("check_id", ["E1", "E2", "E3", "E4"])
def test_grants_that_were_not_read_are_unknown(check_id: str) -> None:
    one = app(app_roles=NOT_READ, directory_roles=NOT_READ, delegated_scopes=NOT_READ)

    assert said(one, check_id) == ["unknown"]


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ((MAIL,), ["high"]),
        ((MAILBOXES,), ["high"]),
        ((SITES,), ["high"]),
        ((MAIL, SITES, MAILBOXES), ["high"]),
        ((AppRole(SHAREPOINT_ONLINE, MAIL.role_id),), []),
        ((AppRole(GRAPH, "883ea226-0bf2-4a8f-9f9d-92c9162a727d", "Sites.Selected"),), []),
        ((USERS,), []),
        ((TAKE_OVER,), []),
    ],
)
def test_data_of_everybody_is_tier_one_on_its_own_resource(roles: tuple[AppRole, ...], expected: list[str]) -> None:
    assert said(app(app_roles=Known(roles)), "E2") == expected


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ((GLOBAL_ADMINISTRATOR,), ["critical"]),
        ((GLOBAL_ADMINISTRATOR.upper(), READER), ["critical"]),
        ((CUSTOM,), ["high"]),
        ((CUSTOM, READER), ["high"]),
        (("Directory Readers",), ["high"]),
        ((READER,), ["medium"]),
        ((READER, REPORTS), ["medium"]),
        ((), []),
    ],
)
def test_directory_role_is_as_bad_as_its_way_upwards(roles: tuple[str, ...], expected: list[str]) -> None:
    assert said(app(directory_roles=Known(roles)), "E3") == expected


def test_directory_roles_are_named_where_they_are_known() -> None:
    (finding,) = findings(app(directory_roles=Known((READER, GLOBAL_ADMINISTRATOR, CUSTOM))), "E3")

    assert finding.facts == (("roles", f"{CUSTOM}, Directory Readers, Global Administrator"),)


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ({"Mail.Read"}, ["high"]),
        ({"Directory.AccessAsUser.All", "openid"}, ["high"]),
        ({"RoleManagement.ReadWrite.Directory"}, ["high"]),
        ({"User.Read", "openid", "profile", "email", "offline_access"}, []),
        (set(), []),
    ],
)
def test_risky_scope_for_everybody_is_high(scopes: set[str], expected: list[str]) -> None:
    assert said(app(delegated_scopes=Known(frozenset(scopes))), "E4") == expected


def test_permissions_are_ids_each_known_once() -> None:
    ids = [*TIER_ZERO, *(one for roles in TIER_ONE.values() for one in roles)]
    roles = [*DIRECTORY_ROLES, *HARMLESS_DIRECTORY_ROLES]

    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one) for one in ids + roles)
    assert len(set(TIER_ZERO.values())) == len(TIER_ZERO) == 41
    assert len(set(ids)) == len(ids)
    assert len(set(roles)) == len(roles)


def test_permission_has_the_vendors_name_or_none() -> None:
    assert permission_name(GRAPH, TAKE_OVER.role_id) == "RoleManagement.ReadWrite.Directory"
    assert permission_name(GRAPH, MAIL.role_id) == "Mail.Read"
    assert permission_name("elsewhere", MAIL.role_id) == ""
