"""Notifications: parsed and checked in one step."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.client_state import ClientStateKeys
from shared.domain.principals import Hint, PrincipalChange, PrincipalKind, Source
from shared.domain.subscriptions import DirectoryEvent, DirectoryEventKind
from shared.errors import RejectedError
from tests.domain.samples import ADA, NOW, TEAM
from tests.wire.samples import KEYS, TENANT, fixture_text, item, parse, parse_body

BOB = "cccccccc-0000-4000-8000-000000000002"
SUBSCRIPTION = "dddddddd-0000-4000-8000-000000000001"


def looks(name: str) -> list[tuple[str, PrincipalKind, Hint, str | None]]:
    found = parse_body(fixture_text(name))
    assert (found.refused, found.authentic) == ([], 1)
    return [(change.principal_id, change.kind, change.hint, change.group_id) for change in found.changes]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("graph/group__member_removed", [(ADA, PrincipalKind.UNKNOWN, Hint.REMOVED_FROM_GROUP, TEAM)]),
        ("graph/group__member_added", [(ADA, PrincipalKind.UNKNOWN, Hint.ADDED_TO_GROUP, TEAM)]),
        ("graph/group__updated", [(TEAM, PrincipalKind.GROUP, Hint.CHANGED, None)]),
        ("graph/group__deleted", [(TEAM, PrincipalKind.GROUP, Hint.DELETED, None)]),
        ("graph/user__updated", [(ADA, PrincipalKind.USER, Hint.CHANGED, None)]),
        ("graph/user__deleted", [(ADA, PrincipalKind.USER, Hint.DELETED, None)]),
    ],
)
def test_notification_asks_for_a_look_with_what_it_hints_at(
    name: str, expected: list[tuple[str, PrincipalKind, Hint, str | None]]
) -> None:
    assert looks(name) == expected


def test_member_both_added_and_removed_is_looked_at_without_a_hint() -> None:
    assert looks("graph/group__member_added_and_removed") == [
        (ADA, PrincipalKind.UNKNOWN, Hint.CHANGED, TEAM),
        (BOB, PrincipalKind.UNKNOWN, Hint.ADDED_TO_GROUP, TEAM),
    ]


def test_look_carries_when_it_was_received_and_by_which_delivery() -> None:
    (change,) = parse_body(fixture_text("graph/user__updated")).changes

    assert change == PrincipalChange(ADA, Source.NOTIFICATION, NOW, "c-1", PrincipalKind.USER)


@pytest.mark.parametrize("removed", ["deleted", {"reason": "deleted"}, {}, "", None])
def test_member_is_removed_whatever_form_the_mark_has(removed: object) -> None:
    data = {"id": TEAM, "members@delta": [{"id": ADA, "@removed": removed}]}

    found = parse(item("graph/group__member_removed", resourceData=data))

    assert [change.hint for change in found.changes] == [Hint.REMOVED_FROM_GROUP]


def test_group_without_a_changed_member_asks_for_nothing() -> None:
    found = parse(item("graph/group__member_removed", resourceData={"id": TEAM, "members@delta": []}))

    assert (found.changes, found.refused, found.authentic) == ([], [], 1)


def test_deletion_of_a_group_is_kept_when_it_also_lists_members() -> None:
    data = {"id": TEAM, "members@delta": [{"id": ADA, "@removed": "deleted"}]}

    found = parse(item("graph/group__deleted", resourceData=data))

    assert [(change.principal_id, change.hint) for change in found.changes] == [
        (ADA, Hint.REMOVED_FROM_GROUP),
        (TEAM, Hint.DELETED),
    ]


def test_large_membership_change_is_taken_whole() -> None:
    members = [{"id": f"cccccccc-0000-4000-8000-{n:012d}", "@removed": "deleted"} for n in range(12_000)]

    found = parse(item("graph/group__member_removed", resourceData={"id": TEAM, "members@delta": members}))

    assert len(found.changes) == 12_000


def test_ids_are_compared_in_lower_case() -> None:
    found = parse(item("graph/user__updated", tenantId=TENANT.upper(), resourceData={"id": ADA.upper()}))

    assert [change.principal_id for change in found.changes] == [ADA]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("graph/lifecycle__reauthorization_required", DirectoryEventKind.REAUTHORIZE),
        ("graph/lifecycle__subscription_removed", DirectoryEventKind.REMOVED),
        ("graph/lifecycle__missed", DirectoryEventKind.MISSED),
    ],
)
def test_lifecycle_notification_is_an_event_of_its_subscription(name: str, kind: DirectoryEventKind) -> None:
    found = parse_body(fixture_text(name))

    assert found.events == [DirectoryEvent(kind, SUBSCRIPTION, "lifecycle notification", "c-1")]
    assert (found.changes, found.refused) == ([], [])


@pytest.mark.parametrize(
    ("name", "reason", "authentic"),
    [
        ("graph/lifecycle__unknown_event", "unknown-lifecycle-event", 1),
        ("graph/lifecycle__missed__without_tenant", "malformed-notification", 1),
        ("graph/user__updated__without_resource_data", "malformed-notification", 1),
        ("graph/user__updated__id_is_no_guid", "malformed-notification", 1),
        ("graph/group__member_removed__members_no_list", "malformed-notification", 1),
        ("graph/user__updated__without_client_state", "forged-client-state", 0),
    ],
)
def test_item_that_says_nothing_sound_is_refused_with_its_reason(name: str, reason: str, authentic: int) -> None:
    found = parse_body(fixture_text(name))

    assert (found.changes, found.events, found.refused, found.authentic) == ([], [], [reason], authentic)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"clientState": "users.1.0000"}, "forged-client-state"),
        ({"clientState": None}, "forged-client-state"),
        ({"clientState": ["users"]}, "forged-client-state"),
        ({"clientState": "x" * 10_000}, "forged-client-state"),
        ({"tenantId": "aaaaaaaa-0000-4000-8000-000000000002"}, "foreign-tenant"),
        ({"resource": f"Groups/{TEAM}"}, "foreign-resource"),
    ],
)
def test_item_that_this_app_did_not_ask_for_is_refused_and_does_not_count_as_authentic(
    changes: dict[str, object], reason: str
) -> None:
    found = parse(item("graph/user__updated", **changes))

    assert (found.changes, found.refused, found.authentic) == ([], [reason], 0)


def test_unknown_subscription_is_accepted_because_its_client_state_is_authentic() -> None:
    assert len(parse(item("graph/user__updated", subscriptionId="another")).changes) == 1


def test_one_bad_item_never_costs_the_good_ones() -> None:
    good = [item("graph/user__updated") for _ in range(99)]
    bad = item("graph/user__updated", clientState="users.1.0000")

    found = parse(*good[:50], bad, *good[50:])

    assert (len(found.changes), found.refused, found.authentic) == (99, ["forged-client-state"], 99)


def test_change_and_lifecycle_notifications_may_arrive_together() -> None:
    found = parse(item("graph/group__member_removed"), item("graph/lifecycle__missed"))

    assert (len(found.changes), len(found.events)) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"value": []}',
        b'{"value": {}}',
        b'{"value": null}',
        b"\xff\xfe",
        b"[" * 9999,
    ],
)
def test_body_that_is_no_collection_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError) as caught:
        parse_body(body)

    assert caught.value.reason == "malformed-notifications"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(
    ["clientState", "tenantId", "subscriptionId", "changeType", "resource", "resourceData", "lifecycleEvent"]
)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_else(body: bytes) -> None:
    with pytest.raises(RejectedError):
        parse_body(body)


@given(json_values)
def test_arbitrary_json_never_asks_for_anything(document: object) -> None:
    try:
        found = parse_body(json.dumps(document).encode())
    except RejectedError:
        return

    assert (found.changes, found.events, found.authentic) == ([], [], 0)


@given(st.dictionaries(fields, json_values))
def test_authentic_item_with_arbitrary_fields_is_parsed_or_refused(changes: dict[str, object]) -> None:
    found = parse(item("graph/group__member_removed", **changes))

    assert len(found.refused) <= 1
    assert all(change.source is Source.NOTIFICATION for change in found.changes)


@given(
    st.sampled_from(["graph/group__member_removed", "graph/user__deleted", "graph/lifecycle__missed"]),
    st.sampled_from(["users", "groups"]),
    st.binary(min_size=32, max_size=32),
    json_values,
)
def test_item_signed_with_another_key_asks_for_nothing(name: str, resource: str, key: bytes, extra: Any) -> None:  # noqa: ANN401
    forged = ClientStateKeys(TENANT, (key,)).issue(resource, 1)

    found = parse(item(name, clientState=forged, extra=extra))

    assert (found.changes, found.events, found.refused) == ([], [], ["forged-client-state"])
    assert KEYS.keys != (key,)
