"""Directory objects and delta pages, in our words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.principals import AccountState, Hint, Principal, PrincipalKind, Source
from shared.domain.sweep import DeltaPage
from shared.errors import RetryLaterError
from shared.wire.graph_objects import parse_delta_page, parse_object
from tests.domain.samples import ADA, NOW, SYNC, TEAM, names
from tests.wire.samples import fixture

APP, BLUEPRINT = "eeeeeeee-0000-4000-8000-0000000000a1", "eeeeeeee-0000-4000-8000-0000000000b1"


def page(name: str, resource: str) -> DeltaPage:
    return parse_delta_page(fixture(name), resource, NOW, "c-1")


def entries(found: DeltaPage) -> list[tuple[str, PrincipalKind, Hint, str | None]]:
    return [(e.change.principal_id[-3:], e.change.kind, e.change.hint, e.change.group_id) for e in found.changes]


def test_user_is_known_by_every_mail_address_in_lower_case() -> None:
    user = parse_object(fixture("graph/object__user"))

    assert user.kind is PrincipalKind.USER
    assert user.principal(PrincipalKind.USER) == Principal(
        ADA,
        PrincipalKind.USER,
        AccountState.ENABLED,
        "Ada Lovelace",
        names("ada.lovelace@example.com", "ada@example.com", "a.l@example.com"),
    )


def test_agent_identity_is_a_service_principal_with_a_blueprint() -> None:
    agent = parse_object(fixture("graph/object__agent_identity"))

    assert agent.principal(agent.kind) == Principal(
        SYNC, PrincipalKind.SERVICE_PRINCIPAL, AccountState.ENABLED, "sync", app_id=APP, blueprint_id=BLUEPRINT
    )


def test_state_from_elsewhere_wins_over_the_objects_own() -> None:
    agent = parse_object(fixture("graph/object__agent_identity"))

    assert agent.principal(agent.kind, AccountState.DISABLED).state is AccountState.DISABLED


@pytest.mark.parametrize(
    ("switches", "state"),
    [
        ({"accountEnabled": True}, AccountState.ENABLED),
        ({"accountEnabled": False}, AccountState.DISABLED),
        ({"accountEnabled": True, "isDisabled": True}, AccountState.DISABLED),
        ({"accountEnabled": True, "disabledByMicrosoftStatus": "DisabledDueToViolation"}, AccountState.DISABLED),
        ({"accountEnabled": True, "disabledByMicrosoftStatus": "NotDisabled"}, AccountState.ENABLED),
        ({"accountEnabled": True, "@removed": {"reason": "changed"}}, AccountState.DELETED),
        ({"isDisabled": False}, AccountState.ENABLED),
    ],
)
def test_any_of_four_switches_shuts_an_account(switches: dict[str, object], state: AccountState) -> None:
    assert parse_object({"id": ADA, **switches}).state is state


def test_unfamiliar_type_says_nothing_about_the_kind() -> None:
    assert parse_object({"id": ADA, "@odata.type": "#microsoft.graph.device"}).kind is PrincipalKind.UNKNOWN


def test_sweep_of_users_hints_at_what_the_row_says_and_at_no_more() -> None:
    found = page("graph/delta__users", "users")

    assert entries(found) == [
        ("001", PrincipalKind.USER, Hint.DISABLED, None),
        ("002", PrincipalKind.USER, Hint.ENABLED, None),
        ("003", PrincipalKind.USER, Hint.CHANGED, None),
        ("004", PrincipalKind.USER, Hint.DELETED, None),
        ("005", PrincipalKind.USER, Hint.DELETED, None),
    ]
    assert found.is_last
    assert {(e.change.source, e.change.received_at, e.change.correlation_id) for e in found.changes} == {
        (Source.SWEEP, NOW, "c-1")
    }


def test_sweep_of_groups_asks_for_looks_at_members_and_at_deleted_groups() -> None:
    found = page("graph/delta__groups__first_page", "groups")

    assert entries(found) == [
        ("001", PrincipalKind.USER, Hint.REMOVED_FROM_GROUP, TEAM),
        ("0a1", PrincipalKind.SERVICE_PRINCIPAL, Hint.ADDED_TO_GROUP, TEAM),
        ("009", PrincipalKind.GROUP, Hint.ADDED_TO_GROUP, TEAM),
        ("003", PrincipalKind.GROUP, Hint.DELETED, None),
    ]
    assert not found.is_last
    assert found.link.endswith("$skiptoken=p2")


def test_sweep_of_service_principals_knows_their_applications() -> None:
    found = page("graph/delta__service_principals", "servicePrincipals")

    assert [(e.change.hint, e.app_id) for e in found.changes] == [
        (Hint.DISABLED, APP),
        (Hint.ENABLED, BLUEPRINT),
        (Hint.DELETED, None),
    ]


def test_sweep_of_applications_hints_at_both_ways_of_being_disabled() -> None:
    found = page("graph/delta__applications", "applications")

    assert {e.change.kind for e in found.changes} == {PrincipalKind.APP_REGISTRATION}
    assert [e.change.hint for e in found.changes] == [Hint.DISABLED, Hint.DISABLED, Hint.ENABLED]


@pytest.mark.parametrize("name", ["graph/delta__users__without_link", "graph/delta__users__value_null"])
def test_page_that_cannot_be_followed_is_asked_for_again(name: str) -> None:
    with pytest.raises(RetryLaterError) as caught:
        page(name, "users")

    assert caught.value.reason == "graph-answered-nonsense"


def test_page_with_an_empty_next_link_is_the_last() -> None:
    document = {"value": [], "@odata.nextLink": "", "@odata.deltaLink": "https://graph.microsoft.com/v1.0/d"}

    assert parse_delta_page(document, "users", NOW, "c-1").is_last


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
row_fields = st.sampled_from(["id", "accountEnabled", "@removed", "members@delta", "appId", "isDisabled"])
rows = st.dictionaries(row_fields, json_values)


@given(json_values | st.lists(json_values | rows), st.sampled_from(["users", "groups", "applications"]))
def test_nonsense_in_a_page_is_asked_for_again_and_never_ends_the_sweep_otherwise(value: Any, resource: str) -> None:  # noqa: ANN401
    document = json.loads(json.dumps({"value": value, "@odata.deltaLink": "https://graph.microsoft.com/v1.0/d"}))

    try:
        found = parse_delta_page(document, resource, NOW, "c-1")
    except RetryLaterError:
        return

    assert found.is_last
