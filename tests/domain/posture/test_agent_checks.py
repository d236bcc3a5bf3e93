from dataclasses import replace

import pytest

from shared.domain.gateway import IdentityKind
from shared.domain.posture.finding import ObjectKind
from shared.domain.posture.gateway_view import Holder, Overlap, Use
from shared.domain.posture.inventory import Known, Unknown
from tests.domain.posture.apps import ago
from tests.domain.posture.estates import (
    AGENT,
    BLUEPRINT,
    INVOICES,
    PAYROLL,
    PERSON,
    Changed,
    agent,
    estate,
    fact,
    findings,
    holder,
    identity,
    overlap,
    said,
    token,
    used,
    user,
)

BOTH = Known(frozenset({INVOICES, PAYROLL}))
NOT_READ = Unknown("graph-403")
NO_GROUPS = Known(frozenset[str]())
NOBODY: dict[str, Changed] = {"principal": None, "task_groups": Known(frozenset())}


def test_agent_in_two_task_groups_is_found_with_the_calls_that_end_it() -> None:
    (finding,) = findings(estate(holder(task_groups=BOTH)), "G1")

    assert finding.severity.word == "high"
    assert finding.about.kind is ObjectKind.AGENT_IDENTITY
    assert fact(finding, "groups") == f"invoices ({INVOICES}), payroll ({PAYROLL})"
    assert f"DELETE /groups/{PAYROLL}/members/{AGENT}/$ref" in finding.fix
    assert "{" not in finding.fix.replace('{"@odata.id"', "")


@pytest.mark.parametrize(
    ("overlaps", "expected"),
    [
        ((overlap(0.1, INVOICES, PAYROLL),), []),
        ((overlap(0, INVOICES, PAYROLL),), ["high"]),
        ((overlap(-1, INVOICES, PAYROLL), overlap(1, INVOICES, PAYROLL)), []),
        ((overlap(9, INVOICES),), ["high"]),
        ((replace(overlap(9, INVOICES, PAYROLL), principal_id=PERSON),), ["high"]),
    ],
)
def test_overlap_is_in_order_while_its_approval_lasts(overlaps: tuple[Overlap, ...], expected: list[str]) -> None:
    assert said(estate(holder(task_groups=BOTH), overlaps=overlaps), "G1") == expected


def test_ended_approval_of_an_overlap_is_shown() -> None:
    (finding,) = findings(estate(holder(task_groups=BOTH), overlaps=(overlap(-1, INVOICES, PAYROLL),)), "G1")

    assert fact(finding, "approved until") == ago(1).date().isoformat()


def test_groups_of_both_identities_of_one_agent_are_counted_together() -> None:
    twin = holder(identity=identity(IdentityKind.USER), task_groups=Known(frozenset({PAYROLL})))

    assert said(estate(holder(), twin), "G1") == ["high"]


@pytest.mark.parametrize("one", [user(task_groups=BOTH), holder(principal=None, task_groups=BOTH)])
def test_two_groups_of_a_person_or_of_nobody_are_no_agents(one: Holder) -> None:
    assert said(estate(one), "G1") == []


@pytest.mark.parametrize("check_id", ["G1", "G9"])
def test_groups_that_were_not_read_are_unknown(check_id: str) -> None:
    assert said(estate(holder(principal=agent(blueprint_id=None), task_groups=NOT_READ)), check_id) == ["graph-403"]


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ((used(5, 3, source="a"), used(4, 2, source="b")), ["high"]),
        ((used(5, None, source="a"), used(4, 2, source="b")), ["high"]),
        ((used(5, 4, source="a"), used(4, 2, source="b")), []),
        ((used(5, 3, source="a"), used(4, 2, source="a")), []),
        ((used(9, 2, source="a"), used(8, 7, source="a"), used(6, 5, source="b")), ["high"]),
        ((used(40, 31, source="a"), used(39, 30, source="b")), []),
        ((used(40, 30, source="a"), used(39, 30, source="b")), ["high"]),
        ((used(5, 3, source="pod-1"), used(4, 2, source="pod-2")), []),
        ((used(5, 3, source=""), used(4, 2, source="")), ["session-source-not-recorded"]),
        ((used(5, 3, source="a"), used(4, 2, source="")), ["session-source-not-recorded"]),
        ((used(5, 4, source=""), used(3, 2, source="")), []),
        ((used(5, 3, source="a"), used(4, 2, source="b"), used(4, 2, source="")), ["high"]),
    ],
)
def test_identity_is_shared_when_different_workloads_are_at_work_at_once(
    uses: tuple[Use, ...], expected: list[str]
) -> None:
    scaled_out = {"pod-1": "invoice-job", "pod-2": "invoice-job"}

    assert said(estate(holder(*uses), workloads=scaled_out), "G2") == expected


def test_shared_identity_shows_the_two_sessions() -> None:
    (finding,) = findings(estate(holder(used(5, 3, source="a"), used(4, 2, "s3", source="b"))), "G2")

    assert fact(finding, "workloads") == "a, b"
    assert fact(finding, "one").startswith("a: pg at ")
    assert fact(finding, "another").startswith("b: s3 at ")


def test_source_of_a_session_is_that_of_the_token_just_before_it() -> None:
    uses = (used(5, 3, source=""), used(4, 2, source=""))
    before = [token(5 * 1440 + 10, source="a"), token(4 * 1440, source="b"), token(4 * 1440 - 1, source="a")]

    assert said(estate(holder(*uses), tokens=Known(tuple(before))), "G2") == ["high"]


@pytest.mark.parametrize("minutes_before", [11, -1])
def test_token_of_another_time_says_nothing_about_a_session(minutes_before: float) -> None:
    uses = (used(5, 3, source="a"), used(4, 2, source=""))
    tokens = Known((token(4 * 1440 + minutes_before, source="b"), token(4 * 1440, source="")))

    assert said(estate(holder(*uses), tokens=tokens), "G2") == ["session-source-not-recorded"]


def test_person_at_two_places_is_no_shared_agent() -> None:
    assert said(estate(user(uses=Known((used(5, 3, source="a"), used(4, 2, source="b"))))), "G2") == []


def test_unread_tokens_leave_sessions_without_source_unknown() -> None:
    one = estate(holder(used(5, 3, source=""), used(4, 2, source="")), tokens=NOT_READ)

    assert said(one, "G2") == ["graph-403"]


def test_key_of_nobodys_can_be_shared_too_and_a_user_of_nobodys_is_a_person() -> None:
    uses = Known((used(5, 3, source="a"), used(4, 2, source="b")))
    key = holder(identity=identity(IdentityKind.API_KEY, "k"), uses=uses, **NOBODY)
    stranger = holder(identity=identity(IdentityKind.USER, "u"), uses=uses, **NOBODY)

    (finding,) = findings(estate(key, stranger), "G2")

    assert (finding.about.kind, finding.about.object_id) == (ObjectKind.GATEWAY_IDENTITY, "api-key/k")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (holder(), []),
        (holder(principal=agent(blueprint_id=None)), ["low"]),
        (holder(principal=agent(blueprint_id=None), task_groups=NO_GROUPS), []),
        (user(), []),
        (holder(principal=None), []),
    ],
)
def test_member_of_a_task_group_without_blueprint_is_outside_agent_id(one: Holder, expected: list[str]) -> None:
    assert said(estate(one), "G9") == expected


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (Known({BLUEPRINT.upper(): frozenset({"Engineering"})}), []),
        (Known({AGENT.upper(): frozenset({"Engineering"})}), []),
        (Known({AGENT: frozenset(), BLUEPRINT: frozenset()}), ["low"]),
        (Known({}), ["low"]),
        (NOT_READ, ["graph-403"]),
    ],
)
def test_agent_without_attributes_of_its_own_or_its_blueprint_is_found(
    attributes: Known[dict[str, frozenset[str]]] | Unknown, expected: list[str]
) -> None:
    assert said(estate(holder(), user(), attributes=attributes), "G13") == expected


@pytest.mark.parametrize(
    ("one", "more", "expected"),
    [
        (user(task_groups=Known(frozenset({INVOICES.upper()}))), {}, ["high"]),
        (user(), {}, []),
        (user(task_groups=NOT_READ), {}, ["graph-403"]),
        (user(task_groups=BOTH), {"break_glass": frozenset({PERSON.upper()})}, []),
        (user(task_groups=BOTH), {"break_glass": frozenset({"ADA@contoso.example"})}, []),
        (user(task_groups=BOTH), {"break_glass": frozenset({AGENT})}, ["high"]),
    ],
)
def test_person_in_a_group_of_agents_is_found(one: Holder, more: dict[str, Changed], expected: list[str]) -> None:
    assert said(estate(holder(), one, **more), "G10") == expected


def test_person_is_not_cleared_while_some_agents_groups_are_unknown() -> None:
    assert said(estate(holder(task_groups=NOT_READ), user()), "G10") == ["graph-403"]
    assert said(estate(holder(task_groups=NOT_READ), user(task_groups=NO_GROUPS)), "G10") == []


@pytest.mark.parametrize(
    ("ended", "more", "expected"),
    [(89, {}, ["high"]), (90, {}, ["high"]), (91, {}, []), (5, {"break_glass": frozenset({AGENT})}, [])],
)
def test_person_at_the_identity_of_a_machine_is_found(
    ended: float, more: dict[str, Changed], expected: list[str]
) -> None:
    assert said(estate(holder(used(ended, ended, interactive=True), used(1)), **more), "G10") == expected


def test_emergency_identity_of_nobodys_is_found_by_name() -> None:
    key = holder(used(1, interactive=True), identity=identity(IdentityKind.API_KEY, "k"), **NOBODY)

    assert said(estate(key, break_glass=frozenset({"api-key/k"})), "G10") == []
