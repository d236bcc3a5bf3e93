"""Who reaches what at the gateway, and who is asked for approval first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.reach import AccessPolicy, ApprovalRule
from tests.domain import strategies as some
from tests.domain.samples import names, policy

ALL = names("pg", "web")


def test_everything_is_reachable_while_access_control_is_not_installed() -> None:
    access = AccessPolicy(enforced=False, connections=ALL)

    assert access.reachable(names()) == ALL


def test_nothing_is_reachable_without_a_listed_group() -> None:
    assert policy(pg=names("sre"), web=names()).reachable(names("dev")) == names()


def test_plugin_group_opens_its_connection_only() -> None:
    assert policy(pg=names("sre"), web=names("dev")).reachable(names("sre")) == names("pg")


@pytest.mark.parametrize("group", ["admin", "auditor"])
def test_admin_and_auditor_bypass_access_control(group: str) -> None:
    assert policy(pg=names("sre"), web=names()).reachable(names(group)) == ALL


def test_renamed_admin_group_bypasses_and_the_usual_name_does_not() -> None:
    access = AccessPolicy(enforced=True, connections=ALL, admin_group="root", auditor_group="readers")

    assert [access.reachable(names(group)) for group in ("root", "readers", "admin", "auditor")] == [
        ALL,
        ALL,
        names(),
        names(),
    ]


def test_attribute_opens_every_connection_it_is_attached_to() -> None:
    access = AccessPolicy(
        enforced=True,
        connections=names("pg", "web", "ssh"),
        groups_of_attribute={"prod": names("sre")},
        attributes_of_connection={"pg": names("prod"), "web": names("prod", "pii"), "ssh": names("pii")},
    )

    assert access.reachable(names("sre")) == names("pg", "web")


def test_connection_that_is_gone_is_not_reachable_by_its_old_groups() -> None:
    access = AccessPolicy(enforced=True, connections=names("web"), groups_of_connection={"pg": names("sre")})

    assert access.reachable(names("sre")) == names()


def rule(**who: frozenset[str]) -> ApprovalRule:
    return ApprovalRule(names("pg"), names(), **who)


@pytest.mark.parametrize(
    ("covering", "groups", "asked"),
    [
        (rule(), names("dev"), True),
        (rule(approval_required_groups=names("dev")), names("dev", "sre"), True),
        (rule(approval_required_groups=names("dev")), names("sre"), False),
        (rule(skip_review_groups=names("sre")), names("dev", "sre"), False),
        (rule(skip_review_groups=names("sre")), names("dev"), True),
        (rule(approval_required_groups=names("dev"), skip_review_groups=names("dev")), names("dev"), True),
    ],
)
def test_rule_asks_whom_the_gateway_would_ask(covering: ApprovalRule, groups: frozenset[str], asked: bool) -> None:  # noqa: FBT001
    assert covering.asks(groups) is asked


def test_rule_by_attribute_wins_over_rule_by_name() -> None:
    by_name = ApprovalRule(names("pg"), names(), approval_required_groups=names("nobody"))
    by_attribute = ApprovalRule(names(), names("prod"))
    access = AccessPolicy(enforced=True, attributes_of_connection={"pg": names("prod")}, rules=(by_name, by_attribute))

    assert access.needs_approval(names("dev"), "pg")


def test_connection_with_reviewers_asks_everybody_when_no_rule_covers_it() -> None:
    access = AccessPolicy(enforced=True, reviewed_connections=names("pg"))

    assert [access.needs_approval(names("admin"), name) for name in ("pg", "web")] == [True, False]


def test_rule_decides_alone_even_where_the_connection_has_reviewers() -> None:
    access = AccessPolicy(
        enforced=True, reviewed_connections=names("pg"), rules=(rule(approval_required_groups=names("dev")),)
    )

    assert not access.needs_approval(names("sre"), "pg")


def gateway_query(access: AccessPolicy, groups: frozenset[str], connection: str) -> bool:
    """The gateway's own query, row by row, as its source has it."""
    if not access.enforced or access.admin_group in groups or access.auditor_group in groups:
        return True
    by_plugin = any(group in groups for group in access.groups_of_connection.get(connection, ()))
    by_attribute = any(
        group in groups
        for attribute in access.attributes_of_connection.get(connection, ())
        for group in access.groups_of_attribute.get(attribute, ())
    )
    return by_plugin or by_attribute


@given(some.policies, some.groups)
def test_reach_is_what_the_gateways_query_answers(access: AccessPolicy, groups: frozenset[str]) -> None:
    assert access.reachable(groups) == {name for name in access.connections if gateway_query(access, groups, name)}


@given(some.policies, some.groups, some.groups)
def test_more_groups_never_reach_less(access: AccessPolicy, few: frozenset[str], more: frozenset[str]) -> None:
    assert access.reachable(few) <= access.reachable(few | more)


@given(some.policies, some.groups, st.sampled_from(some.CONNECTIONS))
def test_a_rule_that_asks_for_nobody_in_particular_asks_everybody(
    access: AccessPolicy, groups: frozenset[str], connection: str
) -> None:
    everybody = tuple(ApprovalRule(rule.connections, rule.attributes) for rule in access.rules)
    strict = AccessPolicy(
        enforced=True,
        attributes_of_connection=access.attributes_of_connection,
        reviewed_connections=access.reviewed_connections,
        rules=everybody,
    )

    if access.needs_approval(groups, connection):
        assert strict.needs_approval(groups, connection)
