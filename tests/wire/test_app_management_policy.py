from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.graph.posture.policies import POLICIES
from shared.domain.posture.estate_facts import Policy
from shared.errors import RetryLaterError
from shared.wire.app_management_policy import parse_app_management_policy

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
