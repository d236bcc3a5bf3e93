from dataclasses import replace

import pytest

from shared.domain.posture.inventory import FederatedCredential, Known
from shared.domain.posture.limits import Limits
from tests.domain.posture.apps import (
    ENTRA,
    GITHUB,
    IDENTITY,
    NOT_READ,
    TAKE_OVER,
    TENANT,
    app,
    findings,
    foreign,
    keys,
    said,
    trust,
    trusting,
)

IMMUTABLE = "repo:contoso@123456/payroll@7891011:ref:refs/heads/main"
NAMED = "repo:contoso/payroll:ref:refs/heads/main"
GHES = "https://github.contoso.example/_services/token"
LOOSE = " and claims['job_workflow_ref'] matches 'contoso/*'"
PINNED = " and claims['job_workflow_ref'] eq 'contoso/flows/.github/workflows/deploy.yml@refs/heads/main'"


def matching(pattern: str, more: str = "", operator: str = "matches") -> FederatedCredential:
    return trust(expression=f"claims['sub'] {operator} '{pattern}'{more}")


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (matching("repo:contoso/*:ref:refs/heads/main"), ["high"]),
        (matching("*"), ["high"]),
        (matching("repo:*:ref:refs/heads/main"), ["high"]),
        (matching("repo:contoso/pay?oll:ref:refs/heads/main"), ["high"]),
        (matching("repo:contoso/payroll:*"), ["high"]),
        (matching("repo:contoso/*:ref:refs/heads/main", PINNED), ["high"]),
        (matching("repo:contoso@1/payroll@2:ref:refs/heads/*"), ["medium"]),
        (matching("repo:contoso@1/payroll@2:ref:refs/heads/*", PINNED), []),
        (matching("repo:contoso@1/payroll@2:ref:refs/heads/*", PINNED.replace(" eq ", " matches ")), []),
        (
            matching("repo:contoso@1/payroll@2:ref:refs/heads/*", LOOSE),
            ["medium"],
        ),
        (matching("repo:contoso@1/payroll@2:ref:refs/heads/main"), []),
        (matching("repo:contoso@1/payroll@2:ref:refs/heads/*", operator="eq"), []),
        (matching("project_path:contoso/*:ref_type:branch:ref:main"), ["high"]),
        (trust(IMMUTABLE), []),
        (trust("repo:contoso/*:ref:refs/heads/main"), []),
        (trust(expression="whatever this means *"), ["unknown"]),
    ],
)
def test_wildcard_that_covers_repositories_or_branches_is_broad(
    credential: FederatedCredential, expected: list[str]
) -> None:
    assert said(trusting(credential), "D1") == expected


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (trust(NAMED), ["medium"]),
        (trust("repo:contoso@123456/payroll:ref:refs/heads/main"), ["medium"]),
        (trust("repo:contoso/payroll@7891011:ref:refs/heads/main"), ["medium"]),
        (trust(IMMUTABLE), []),
        (trust("repo:contoso@1/payroll@2"), []),
        (trust(NAMED, f"{GITHUB}/contoso"), ["medium"]),
        (trust(NAMED, GHES), []),
        (trust("project_path:contoso/payroll:ref_type:branch:ref:main", "https://gitlab.com"), ["medium"]),
        (trust("system:serviceaccount:prod:payroll", "https://oidc.prod-aks.azure.com/1/"), []),
        (trust(IDENTITY, ENTRA), []),
        (matching(NAMED, operator="eq"), ["medium"]),
        (matching("repo:contoso/payroll:ref:refs/heads/*"), ["medium"]),
        (matching("repo:contoso/*:ref:refs/heads/main"), []),
        (trust(expression="claims['job_workflow_ref'] eq 'repo:contoso/flows'"), []),
        (trust(expression="?"), ["unknown"]),
    ],
)
def test_name_that_can_change_hands_is_mutable(credential: FederatedCredential, expected: list[str]) -> None:
    assert said(trusting(credential), "D2") == expected


def test_mutable_subject_of_tier_zero_is_high() -> None:
    assert said(trusting(trust(NAMED), app_roles=Known((TAKE_OVER,))), "D2") == ["high"]
    assert said(trusting(trust(NAMED), app_roles=NOT_READ), "D2") == ["medium"]


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (trust("repo:contoso@1/payroll@2:pull_request"), ["high"]),
        (matching("repo:contoso@1/payroll@2:pull_request", operator="eq"), ["high"]),
        (matching("repo:contoso@1/payroll@2:environment:*"), ["high"]),
        (matching("repo:contoso@1/payroll@2:environment:*", operator="eq"), []),
        (trust("repo:contoso@1/payroll@2:environment:production"), []),
        (trust("repo:contoso@1/pull_request@2:ref:refs/heads/main"), []),
        (trust(expression="claims['job_workflow_ref'] eq 'x:pull_request'"), []),
        (trust(expression="?"), ["unknown"]),
    ],
)
def test_pull_requests_and_any_environment_let_strangers_in(
    credential: FederatedCredential, expected: list[str]
) -> None:
    assert said(trusting(credential), "D4") == expected


@pytest.mark.parametrize(("count", "expected"), [(17, []), (18, ["low"]), (19, ["low"]), (20, ["low"])])
def test_many_federated_credentials_are_near_the_limit(count: int, expected: list[str]) -> None:
    trusts = tuple(trust(IMMUTABLE, name=f"deploy-{number}") for number in range(count))

    assert said(trusting(*trusts), "D5") == expected
    assert said(app({"federated_count": count}, federated=NOT_READ), "D5") == expected
    assert said(app({"federated_count": None}, federated=Known(trusts)), "D5") == expected


def test_federated_credentials_that_were_neither_read_nor_counted_are_unknown() -> None:
    assert said(app({"federated_count": None}, federated=NOT_READ), "D5") == ["unknown"]


@pytest.mark.parametrize("check_id", ["D1", "D2", "D3", "D4"])
def test_federated_credentials_that_were_not_read_are_unknown_unless_there_are_none(check_id: str) -> None:
    assert said(app({"federated_count": 3}, federated=NOT_READ), check_id) == ["unknown"]
    assert said(app({"federated_count": 0}, federated=NOT_READ), check_id) == []
    assert said(foreign(federated=NOT_READ), check_id) == []


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (trust(IMMUTABLE), []),
        (trust(IMMUTABLE, f"{GITHUB}/"), []),
        (trust(IMMUTABLE, f"{GITHUB}/contoso"), []),
        (trust(IMMUTABLE, GITHUB.upper()), []),
        (trust(IMMUTABLE, f"{GITHUB}.evil.example"), ["high"]),
        (trust(IMMUTABLE, f"{GITHUB}@evil.example"), ["high"]),
        (trust(NAMED, GHES), ["high"]),
        (trust(IDENTITY, ENTRA), []),
        (trust(IDENTITY.upper(), ENTRA), []),
        (trust("eeeeeeee-0000-4000-8000-000000000001", ENTRA), ["high"]),
        (trust(expression="claims['sub'] eq 'x'"), []),
    ],
)
def test_issuer_is_on_the_list_and_the_identity_is_alive(credential: FederatedCredential, expected: list[str]) -> None:
    assert said(trusting(credential), "D3") == expected


def test_list_of_issuers_is_a_setting() -> None:
    limits = Limits(trusted_issuers=frozenset({f"{GHES}/"}))

    assert said(trusting(trust(NAMED, GHES)), "D3", limits=limits) == []


def test_identity_is_unknown_where_principals_were_not_read() -> None:
    tenant = replace(TENANT, live_principals=NOT_READ)

    assert said(trusting(trust(IDENTITY, ENTRA)), "D3", tenant=tenant) == ["unknown"]
    assert said(trusting(trust(IMMUTABLE)), "D3", tenant=tenant) == []


def test_each_federated_credential_is_a_finding_of_its_own_in_any_order() -> None:
    pair = (trust(NAMED, name="b"), trust(NAMED, name="a"))

    assert keys(trusting(*pair), "D2") == ["a", "b"]
    assert findings(trusting(*pair)) == findings(trusting(*reversed(pair)))


def test_hostile_name_of_a_federated_credential_stays_in_its_place() -> None:
    (finding,) = findings(trusting(trust(NAMED, name="a/../b?{object_id}")), "D2")

    assert finding.about.key_id == "a/../b?{object_id}"
    assert finding.fix.endswith("/federatedIdentityCredentials/a%2F..%2Fb%3F%7Bobject_id%7D")
