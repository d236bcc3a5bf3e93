from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.graph.posture.policies import POLICIES
from shared.domain.posture.estate_facts import OwnPolicy, Policy
from shared.errors import RetryLaterError
from shared.wire.app_management_policy import parse_app_management_policy, parse_own_policy, parse_targets

SINCE = datetime(2019, 10, 19, 10, 37, tzinfo=UTC)


def restriction(kind: str, lifetime: str | None = None, **more: object) -> dict[str, Any]:
    return {"restrictionType": kind, "state": "enabled", "maxLifetime": lifetime} | more


def document(*secrets: object, keys: object = (), **more: object) -> dict[str, Any]:
    both = {"passwordCredentials": list(secrets), "keyCredentials": keys}
    return {"isEnabled": True, "applicationRestrictions": both} | more


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("strict", Policy(True, 181, 366, blocks_secrets=True, blocks_custom_secrets=True, binds_after=SINCE)),
        ("disabled", Policy(False, 181, 366, blocks_secrets=True, blocks_custom_secrets=True, binds_after=SINCE)),
        ("empty", Policy(True)),
        ("lax", Policy(True, 730, 1095, binds_after=SINCE)),
        ("partial", Policy(True, 181, binds_after=SINCE)),
    ],
)
def test_policy_is_read_as_it_binds_applications(name: str, expected: Policy) -> None:
    assert parse_app_management_policy(POLICIES[name]) == expected


def test_shortest_lifetime_counts_and_the_latest_date_from_which_applications_are_bound() -> None:
    late = {"restrictForAppsCreatedAfterDateTime": "2026-01-01T00:00:00Z"}
    policy = parse_app_management_policy(
        document(restriction("passwordLifetime", "P1Y"), restriction("passwordLifetime", "P90D", **late))
    )

    assert (policy.max_secret_days, policy.binds_after) == (90, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("state", ["disabled", "unknownFutureValue", None])
def test_restriction_that_is_not_enabled_restricts_nothing(state: str | None) -> None:
    rule = restriction("passwordLifetime", "P90D", state=state)

    assert parse_app_management_policy(document(rule)) == Policy(True)


def test_nothing_where_restrictions_could_be_restricts_nothing() -> None:
    assert parse_app_management_policy(document(keys=None)) == Policy(True)


def test_restriction_of_another_kind_is_left_alone() -> None:
    assert parse_app_management_policy(document(restriction("symmetricKeyAddition"))) == Policy(True)


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        [],
        {},
        {"isEnabled": True},
        document() | {"isEnabled": "yes"},
        document() | {"isEnabled": None},
        document(5),
        document({"state": "enabled"}),
        document(restriction("passwordLifetime", "half a year")),
        document(restriction("passwordLifetime")),
        document(keys=[restriction("asymmetricKeyLifetime", "")]),
        document(keys=7),
    ],
)
def test_what_is_no_policy_is_nonsense_and_never_a_policy_without_limits(nonsense: object) -> None:
    with pytest.raises(RetryLaterError, match="graph-answered-nonsense"):
        parse_app_management_policy(nonsense)


def own(*secrets: object, **more: object) -> dict[str, Any]:
    restrictions = {"passwordCredentials": list(secrets), "keyCredentials": None}
    return {"id": "policy", "isEnabled": True, "restrictions": restrictions, "appliesTo": [{"id": "OBJECT"}]} | more


def test_own_policy_names_what_it_enforces_and_what_it_lifts() -> None:
    lifted = restriction("passwordAddition", state="disabled")

    found = parse_own_policy(own(restriction("passwordLifetime", "P31D"), lifted))

    names = frozenset({"max_secret_days", "blocks_secrets"})
    assert found == OwnPolicy(Policy(True, 31), names, frozenset({"object"}))


@pytest.mark.parametrize("state", [None, "unknownFutureValue"])
def test_restriction_of_an_own_policy_without_a_state_counts_as_not_named(state: str | None) -> None:
    found = parse_own_policy(own(restriction("passwordLifetime", "P31D", state=state)))

    assert (found.policy.max_secret_days, found.names) == (None, frozenset())


def test_targets_that_were_read_alone_count_before_those_that_the_policy_shows() -> None:
    assert parse_own_policy(own(), ["One", "two"]).applies_to == {"one", "two"}


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        [],
        own(isEnabled="yes"),
        own(id=""),
        own(appliesTo=None),
        own(appliesTo=[{}]),
        own(restriction("passwordLifetime", "for ever")),
        own(restrictions=[]),
    ],
)
def test_own_policy_that_nobody_can_read_is_nonsense_and_never_one_without_limits(nonsense: object) -> None:
    with pytest.raises(RetryLaterError, match="nonsense"):
        parse_own_policy(nonsense)


@pytest.mark.parametrize("nonsense", [None, [None], [{"id": ""}], [{"id": 1}]])
def test_targets_that_nobody_can_read_are_nonsense(nonsense: object) -> None:
    with pytest.raises(RetryLaterError, match="nonsense"):
        parse_targets(nonsense)
