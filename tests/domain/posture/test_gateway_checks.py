from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.gateway import IdentityKind
from shared.domain.posture.finding import ObjectKind, Verdict
from shared.domain.posture.gateway_catalogue import ESTATE_CHECKS, judge_estate
from shared.domain.posture.gateway_view import Estate, Holder, TaskGroup, Use, membership
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.limits import Limits
from shared.domain.principals import AccountState, PrincipalKind
from tests.domain.posture.apps import AT, ago
from tests.domain.posture.estates import (
    AGENT,
    HEALTHY,
    INVOICES,
    PAYROLL,
    PERSON,
    Changed,
    added,
    agent,
    estate,
    fact,
    findings,
    holder,
    identity,
    person,
    said,
    task_group,
    token,
    used,
    user,
)

BOTH = Known(frozenset({INVOICES, PAYROLL}))
NOT_READ = Unknown("graph-403")
NO_LOG = Unknown("gateway-500")
CLOSED = identity(status="inactive", groups=frozenset())
DISABLED, UNREAD = agent(state=AccountState.DISABLED), agent(state=AccountState.UNKNOWN)
NO_GROUPS = Known(frozenset[str]())
NOBODY: dict[str, Changed] = {"principal": None, "task_groups": Known(frozenset())}


def test_ordinary_estate_has_no_finding() -> None:
    assert findings(estate(holder(), user())) == []


def test_catalogue_has_every_check_of_the_gateway_in_order() -> None:
    assert list(ESTATE_CHECKS) == [f"G{number}" for number in range(1, 15)]


@pytest.mark.parametrize(("created", "expected"), [(ago(13), []), (ago(14), []), (ago(15), ["low"]), (None, ["low"])])
def test_group_that_opens_nothing_is_found_once_it_is_built(created: datetime | None, expected: list[str]) -> None:
    one = task_group(connections=frozenset(), created_at=created, promised=frozenset())

    assert said(estate(groups=(one,)), "G5") == expected


def test_group_that_opens_nothing_shows_what_the_map_says() -> None:
    (finding,) = findings(estate(groups=(task_group(connections=frozenset()),)), "G5")

    assert fact(finding, "the map says") == "pg"
    assert finding.fix.startswith(f"DELETE /groups/{INVOICES}; ")


def test_connection_without_group_is_found() -> None:
    found = findings(estate(connections_without_group=frozenset({"s3", "k8s"})), "G5")

    assert [(one.about.kind, one.about.object_id) for one in found] == [("connection", "k8s"), ("connection", "s3")]


@pytest.mark.parametrize(
    ("members", "owners", "expected"),
    [
        (1, 1, []),
        (0, 1, ["low"]),
        (1, 0, ["low"]),
        (0, 0, ["low"]),
        (0, None, ["low"]),
        (None, 1, ["members-not-counted"]),
        (1, None, ["members-not-counted"]),
    ],
)
def test_group_without_members_or_owner_is_found(members: int | None, owners: int | None, expected: list[str]) -> None:
    assert said(estate(groups=(task_group(member_count=members, owner_count=owners),)), "G6") == expected


def test_group_without_owner_gets_one_and_is_not_deleted() -> None:
    (finding,) = findings(estate(groups=(task_group(owner_count=0),)), "G6")

    assert finding.fix.startswith(f"POST /groups/{INVOICES}/owners/$ref")


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (task_group(), []),
        (task_group(connections=frozenset()), []),
        (task_group(connections=frozenset({"pg", "s3"})), ["high"]),
        (task_group(connections=frozenset({"pg", "vault"}), scope="read:invoices"), ["critical"]),
        (task_group(connections=frozenset({"pg", "s3"}), promised=frozenset()), []),
    ],
)
def test_group_that_opens_more_than_the_map_promises_is_found(group: TaskGroup, expected: list[str]) -> None:
    assert said(estate(groups=(group,), sensitive=frozenset({"vault"})), "G14") == expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (holder(principal=DISABLED), ["high"]),
        (holder(principal=agent(state=AccountState.DELETED), task_groups=NOT_READ), ["high"]),
        (user(principal=person(state=AccountState.DISABLED)), ["high"]),
        (holder(principal=DISABLED, identity=CLOSED), ["high"]),
        (holder(principal=DISABLED, identity=CLOSED, task_groups=NO_GROUPS), []),
        (holder(principal=DISABLED, identity=CLOSED, task_groups=NOT_READ), ["graph-403"]),
        (holder(principal=UNREAD), ["state-not-read"]),
        (holder(principal=UNREAD, identity=CLOSED, task_groups=NO_GROUPS), []),
        (holder(principal=UNREAD, identity=CLOSED, task_groups=NOT_READ), ["state-not-read"]),
        (holder(), []),
        (holder(**NOBODY), []),
    ],
)
def test_whom_entra_shut_out_must_be_gone_from_the_gateway(one: Holder, expected: list[str]) -> None:
    assert said(estate(one), "G7") == expected


def test_who_is_shut_out_is_shown_with_what_stays_open() -> None:
    (finding,) = findings(estate(holder(principal=DISABLED)), "G7")

    assert fact(finding, "open at the gateway") == f"service-account/{AGENT}"
    assert fact(finding, "task groups") == "invoices"
    assert finding.fix.endswith("Tether closes it at the gateway with its next look")


def test_who_is_only_open_at_the_gateway_needs_no_call_to_entra() -> None:
    gone = holder(principal=agent(state=AccountState.DELETED), task_groups=NO_GROUPS)

    (finding,) = findings(estate(gone), "G7")

    assert fact(finding, "task groups") == "none"
    assert finding.fix == "Tether closes it at the gateway with its next look"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["critical"]),
        ({"expected_changes": frozenset({"c-1"})}, []),
        ({"expected_changes": frozenset({membership(INVOICES, AGENT.upper())})}, []),
        ({"expected_changes": frozenset({membership(PAYROLL, AGENT)})}, ["critical"]),
        ({"trusted_actors": frozenset({"mallory"})}, []),
        ({"groups": (task_group(PAYROLL),)}, []),
        ({"audits": NOT_READ}, ["graph-403"]),
        ({"audits": Known((added(activity="Remove member from group"),))}, []),
        ({"audits": Known((added(activity="ADD  member to Group "),))}, ["critical"]),
        ({"audits": Known((added(group_id=""),))}, ["group-not-named"]),
        ({"audits": Known((added(), added(actor="sync"), added(member=PERSON)))}, ["critical", "critical"]),
    ],
)
def test_member_added_without_approval_is_found(more: dict[str, Changed], expected: list[str]) -> None:
    assert said(estate(**({"audits": Known((added(),))} | more)), "G8") == expected


def test_member_added_twice_is_one_finding_about_the_newest() -> None:
    audits = Known((added(days_ago=2, actor="eve"), added(days_ago=9)))

    (finding,) = findings(estate(audits=audits), "G8")

    assert (fact(finding, "by"), finding.about.object_id, finding.about.key_id) == ("eve", INVOICES, AGENT)
    assert finding.fix.startswith(f"DELETE /groups/{INVOICES}/members/{AGENT}/$ref")


SESSION = Use("pg", ago(60 / 1440), ago(40 / 1440))
"""From 60 to 40 minutes ago."""


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(71, ["critical"]), (70, []), (60, []), (50, []), (30, []), (29, ["critical"]), (9, []), (10, ["critical"])],
)
def test_token_without_session_at_about_the_time_is_a_bypass(minutes: float, expected: list[str]) -> None:
    one = estate(holder(SESSION), tokens=Known((token(minutes),)))

    assert said(one, "G11") == expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (estate(holder(Use("pg", ago(50))), tokens=Known((token(90),))), []),
        (estate(holder(used(2, 1.9), used(3, None)), tokens=Known((token(90),))), []),
        (estate(holder(Use("s3", ago(90 / 1440))), tokens=Known((token(90),))), ["critical"]),
        (estate(holder(), tokens=Known((token(90, resource_id="another"),))), []),
        (estate(holder(), tokens=Known((token(90, resource_id="RESOURCE-1"),))), ["critical"]),
        (estate(holder(), tokens=Known((token(90),)), probes=frozenset({AGENT.upper()})), []),
        (estate(holder(uses=NO_LOG), tokens=Known((token(90),))), ["gateway-500"]),
        (estate(holder(), tokens=NOT_READ), ["graph-403"]),
        (estate(holder(), tokens=Known((token(90),)), sessions_since=None), ["no-session-log"]),
        (estate(holder(), tokens=Known((token(1440),)), sessions_since=None), []),
        (estate(holder(), tokens=Known((token(99),)), sessions_since=ago(90 / 1440)), ["session-log-too-young"]),
        (estate(tokens=Known((token(90), token(80)))), ["critical"]),
    ],
)
def test_bypass_is_judged_by_resource_and_log(one: Estate, expected: list[str]) -> None:
    assert said(one, "G11") == expected


def test_bypass_of_a_stranger_counts_its_tokens() -> None:
    (finding,) = findings(estate(tokens=Known((token(80, source="b"), token(90, source="a")))), "G11")

    assert (finding.about.object_id, finding.about.key_id) == (AGENT, "pg")
    assert (fact(finding, "tokens"), fact(finding, "from")) == ("2", "b")


def test_kinds_of_principals_are_told_apart() -> None:
    kinds = {kind: replace(agent(blueprint_id=None), kind=kind, app_id=None) for kind in PrincipalKind}
    shut = {kind: replace(one, state=AccountState.DISABLED, display_name="") for kind, one in kinds.items()}

    found = {kind: findings(estate(holder(principal=one)), "G7")[0].about for kind, one in shut.items()}

    assert {kind: about.kind.value for kind, about in found.items()} == {
        PrincipalKind.USER: "gateway-identity",
        PrincipalKind.SERVICE_PRINCIPAL: "service-principal",
        PrincipalKind.GROUP: "group",
        PrincipalKind.APP_REGISTRATION: "application",
        PrincipalKind.UNKNOWN: "gateway-identity",
    }
    assert {about.name for about in found.values()} == {AGENT}


def test_hostile_names_pass_untouched_and_never_into_calls() -> None:
    name = '<script>{object_id}</script>=1+1"'
    one = holder(principal=agent(display_name=name), task_groups=BOTH, uses=Known(()), reach={name: frozenset({name})})

    found = findings(estate(one, groups=(task_group(name=name), task_group(PAYROLL))))

    assert {finding.about.name for finding in found if finding.about.kind is ObjectKind.AGENT_IDENTITY} == {name}
    assert not [finding for finding in found if "script" in finding.fix]


days = st.floats(-2, 500)
use_dates = st.tuples(days, st.none() | st.floats(0, 3), st.sampled_from(["pg", "s3"]), st.sampled_from(["", "a", "b"]))
uses_of = st.lists(use_dates, max_size=6).map(
    lambda some: Known(tuple(used(at, None if more is None else at - more, to, of) for at, more, to, of in some))
)
principals = st.sampled_from([None, agent(), agent(blueprint_id=None), person(), agent(state=AccountState.DISABLED)])
anybody = st.builds(
    holder,
    identity=st.builds(
        identity, st.sampled_from(list(IdentityKind)), st.sampled_from(["k", "l"]), status=st.just("active")
    ),
    principal=principals,
    task_groups=st.sampled_from([NOT_READ, BOTH, Known(frozenset({INVOICES})), Known(frozenset())]),
    reach=st.sampled_from([{}, {"pg": frozenset({"invoices"})}, {"pg": frozenset(), "s3": frozenset({"x"})}]),
    uses=st.just(NO_LOG) | uses_of,
    granted_at=st.sampled_from([{}, {"pg": ago(100)}, {"pg": ago(3), "s3": ago(61)}]),
)
anything = st.builds(
    lambda holders, since, tokens, audits: estate(*holders, sessions_since=since, tokens=tokens, audits=audits),
    st.lists(anybody, max_size=5, unique_by=lambda one: one.identity.ref),
    st.none() | days.map(ago),
    st.sampled_from([NOT_READ, Known(()), Known((token(90), token(15)))]),
    st.sampled_from([NOT_READ, Known((added(), added(group_id="")))]),
)


@given(anything, st.randoms(use_true_random=False))
def test_order_of_reading_changes_nothing_and_no_id_meets_twice(one: Estate, random: object) -> None:
    other = replace(one, holders=one.holders[::-1], groups=one.groups[::-1])

    found = judge_estate(one, AT, Limits())

    assert found == judge_estate(other, AT, Limits())
    ids = [finding.finding_id for finding in found]
    assert len(ids) == len(set(ids))
    assert all(finding.fix for finding in found if finding.verdict is Verdict.FAIL)


def test_empty_estate_is_judged() -> None:
    assert findings(HEALTHY) == []
