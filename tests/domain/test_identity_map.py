"""Which Entra group and principal stands for what at the gateway."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.gateway import GatewayIdentity, IdentityKind, IdentityRef, Roster
from shared.domain.identity_map import GroupMapping, IdentityMap, is_object_id, join
from shared.domain.principals import PrincipalKind
from shared.errors import RejectedError
from tests.domain.samples import (
    ADA,
    OTHER_TEAM,
    SYNC,
    TEAM,
    ada,
    ai_agent,
    api_key,
    machine_identity,
    names,
    service_account,
    user,
)

EMPTY = IdentityMap()
SYNC_PRINCIPAL = ada(principal_id=SYNC, kind=PrincipalKind.SERVICE_PRINCIPAL)


def joined(*everybody: GatewayIdentity, emails: tuple[str, ...] = ("ada@example.com",)) -> tuple[GatewayIdentity, ...]:
    return join(ada(*emails), Roster.of(everybody, ""), EMPTY)


def test_user_joins_by_address_without_regard_to_case() -> None:
    ada_there = user(email="Ada@Example.COM")

    assert joined(ada_there, user(key="sub-2", email="bob@example.com")) == (ada_there,)


def test_user_joins_once_by_any_of_several_addresses() -> None:
    ada_there = user(email="ada.l@example.com")

    assert joined(ada_there, emails=("ada@example.com", "ada.l@example.com")) == (ada_there,)


def test_nobody_joins_a_user_without_an_address() -> None:
    assert joined(user(email=""), emails=()) == ()


@pytest.mark.parametrize("twin", ["ada@example.com", "ADA@example.com", "ada.l@example.com"])
def test_two_gateway_users_of_one_principal_are_refused(twin: str) -> None:
    with pytest.raises(RejectedError, match="sub-2, sub-ada") as caught:
        joined(user(), user(key="sub-2", email=twin), emails=("ada@example.com", "ada.l@example.com"))

    assert caught.value.reason == "ambiguous-identity"


def test_service_account_joins_by_object_id_in_any_case_and_not_by_name() -> None:
    mine, other = service_account(key=SYNC.upper()), service_account(key="sync")

    assert join(SYNC_PRINCIPAL, Roster.of([mine, other], ""), EMPTY) == (mine,)


def test_shadow_user_of_a_service_account_joins_with_it() -> None:
    account, shadow = service_account(), user(key=SYNC, email="sync@service-accounts")

    assert join(SYNC_PRINCIPAL, Roster.of([account, shadow], ""), EMPTY) == (shadow, account)


@pytest.mark.parametrize("name", ["agent-1", "triage"])
def test_agent_joins_through_the_map_by_name_or_by_id(name: str) -> None:
    tied = IdentityMap(agents={SYNC: (IdentityRef(IdentityKind.AI_AGENT, name),)})
    roster = Roster.of([ai_agent(), api_key("admin", name=name)], "")

    assert join(SYNC_PRINCIPAL, roster, tied) == (ai_agent(),)


def test_principal_joins_everything_that_is_its_own_each_once() -> None:
    refs = (machine_identity().ref, service_account().ref, api_key().ref, IdentityRef(IdentityKind.API_KEY, "worker"))
    everybody = (service_account(), machine_identity("pg"), api_key())

    found = join(SYNC_PRINCIPAL, Roster.of(everybody, ""), IdentityMap(agents={SYNC: refs}))

    assert sorted(identity.ref for identity in found) == sorted(identity.ref for identity in everybody)


def test_identity_that_the_gateway_does_not_have_joins_nobody() -> None:
    tied = IdentityMap(agents={ADA: (IdentityRef(IdentityKind.API_KEY, "gone"),)})

    assert join(ada("ada@example.com"), Roster.of([], ""), tied) == ()


def test_group_mapped_by_object_id_governs_its_gateway_group_in_any_case() -> None:
    mapped = IdentityMap((GroupMapping(TEAM.upper(), gateway_group="sre"),))

    assert mapped.governed(user("sre", "dev")) == {"sre": names(TEAM)}


def test_group_mapped_by_display_name_governs_once_its_object_id_is_known() -> None:
    mapped = IdentityMap((GroupMapping("Sync agents", gateway_group="sync"),))

    assert mapped.display_names == names("Sync agents")
    assert mapped.governed(user("sync")) == {}
    assert mapped.resolved({"Sync agents": TEAM}).governed(user("sync")) == {"sync": names(TEAM)}


@pytest.mark.parametrize("gateway_group", ["Sync agents", TEAM])
def test_group_that_the_map_does_not_rename_stands_for_the_gateway_group_of_its_name_or_id(gateway_group: str) -> None:
    mapped = IdentityMap((GroupMapping("Sync agents", connection="records-api"),)).resolved({"Sync agents": TEAM})

    assert mapped.governed(user(gateway_group)) == {gateway_group: names(TEAM)}


def test_gateway_group_named_by_an_object_id_is_governed_without_being_mapped() -> None:
    assert EMPTY.governed(user(TEAM.upper(), "sre")) == {TEAM.upper(): names(TEAM)}


def test_two_entra_groups_may_stand_for_one_gateway_group() -> None:
    mapped = IdentityMap((GroupMapping(TEAM, "sre"), GroupMapping(OTHER_TEAM, "sre")))

    assert mapped.governed(user("sre")) == {"sre": names(TEAM, OTHER_TEAM)}


def test_machine_identity_is_governed_by_its_connections() -> None:
    mapped = IdentityMap((GroupMapping(TEAM, connection="pg"), GroupMapping("unknown", connection="web")))

    assert mapped.governed(machine_identity("pg", "web", "ssh")) == {"pg": names(TEAM)}


def test_promised_connections_are_those_of_the_groups_asked_about() -> None:
    mapped = IdentityMap(
        (GroupMapping(TEAM, connection="pg"), GroupMapping("Others", connection="web"), GroupMapping(OTHER_TEAM))
    ).resolved({"Others": OTHER_TEAM})

    assert mapped.connections_of([TEAM]) == names("pg")
    assert mapped.connections_of([TEAM, OTHER_TEAM]) == names("pg", "web")
    assert mapped.mapped_groups() == names(TEAM, OTHER_TEAM)


@pytest.mark.parametrize("named", [ADA, "ada@example.com"])
def test_break_glass_is_known_by_object_id_and_by_address(named: str) -> None:
    assert IdentityMap(break_glass=names(named)).is_break_glass(ada("ada@example.com", "a@example.com"))


def test_nobody_else_is_break_glass() -> None:
    assert not IdentityMap(break_glass=names("bob@example.com", SYNC)).is_break_glass(ada("ada@example.com"))


@given(st.uuids())
def test_every_uuid_is_an_object_id_in_any_case(value: object) -> None:
    assert is_object_id(str(value))
    assert is_object_id(str(value).upper())


@pytest.mark.parametrize(
    "text", ["", "sync-agents", TEAM[:-1], TEAM + "0", TEAM.replace("b", "g"), TEAM.replace("-", ""), f"{{{TEAM}}}"]
)
def test_anything_else_is_a_display_name(text: str) -> None:
    assert not is_object_id(text)
