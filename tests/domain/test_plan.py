"""What has to happen to one identity at the gateway, case by case."""

from dataclasses import replace

import pytest

from shared.domain.gateway import GatewayIdentity, Holdings, Review, ReviewType, Session
from shared.domain.ledger import Taken, TakenKind
from shared.domain.plan import Escalation, Guards, Loss, Plan, is_in_effect, plan
from shared.domain.reach import AccessPolicy, ApprovalRule
from tests.domain.samples import (
    NOW,
    OTHER_TEAM,
    TEAM,
    api_key,
    later,
    machine_identity,
    names,
    policy,
    service_account,
    under,
    user,
)

OPEN = policy(pg=names("sre"), web=names("sre", "dev"))
EVERYTHING = Loss(everything=True)
SESSIONS = (Session("s-pg", "pg"), Session("s-web", "web"))
PENDING = Review("r-pending", "s-1", "pg", ReviewType.JIT, pending=True)
JIT = Review("r-jit", "s-2", "pg", ReviewType.JIT, pending=False, revoke_at=later(60))
EXPIRED = Review("r-expired", "s-3", "pg", ReviewType.JIT, pending=False, revoke_at=later(-60))
ONETIME = Review("r-onetime", "s-4", "web", ReviewType.ONETIME, pending=False, revoke_at=later(-60))
HOLDINGS = Holdings(SESSIONS, (PENDING, JIT, EXPIRED, ONETIME))
NOBODY = Holdings()
ADMINS = Guards(active_admins=frozenset({user().ref}))


def losing(*groups: str, **more: frozenset[str]) -> Loss:
    return Loss(grants=frozenset(groups), needs={group: names(TEAM) for group in groups}, **more)  # type: ignore[arg-type]


def whole(wanted: Plan) -> set[tuple[TakenKind, str]]:
    return {(entry.kind, entry.name) for entry in wanted.taken}


def test_account_is_closed_with_its_groups_reviews_and_sessions_when_everything_is_lost() -> None:
    wanted = plan(user("sre", "dev"), EVERYTHING, HOLDINGS, under(OPEN))

    assert wanted.door == user(status="inactive")
    assert wanted.reviews == (PENDING, JIT, ONETIME)
    assert wanted.sessions == SESSIONS
    assert whole(wanted) == {
        (TakenKind.ACCOUNT, "active"),
        (TakenKind.GROUP, "sre"),
        (TakenKind.GROUP, "dev"),
    }


def test_groups_of_an_inactive_user_are_emptied_when_everything_is_lost() -> None:
    wanted = plan(user("sre", status="inactive"), EVERYTHING, NOBODY, under(OPEN))

    assert (wanted.door, whole(wanted)) == (user(status="inactive"), {(TakenKind.GROUP, "sre")})


def test_key_is_revoked_with_its_groups_left_for_reactivation() -> None:
    wanted = plan(api_key("sre"), EVERYTHING, NOBODY, under(OPEN))

    assert (wanted.door, whole(wanted)) == (api_key("sre", status="revoked"), {(TakenKind.ACCOUNT, "active")})


def test_machine_identity_loses_connections_and_attributes_when_everything_is_lost() -> None:
    wanted = plan(machine_identity("pg", attributes=names("prod")), EVERYTHING, HOLDINGS, under(OPEN))

    assert wanted.door is not None
    assert not wanted.door.is_open
    assert whole(wanted) == {(TakenKind.CONNECTION, "pg"), (TakenKind.ATTRIBUTE, "prod")}
    assert wanted.sessions == SESSIONS


def test_nothing_is_left_to_do_when_the_gateway_shows_the_loss_already() -> None:
    assert plan(user(status="inactive"), EVERYTHING, NOBODY, under(OPEN)).is_empty


@pytest.mark.parametrize("left", [Holdings(SESSIONS), Holdings((), (PENDING,))])
def test_closed_door_is_not_written_again_when_something_still_runs(left: Holdings) -> None:
    wanted = plan(user(status="inactive"), EVERYTHING, left, under(OPEN))

    assert (wanted.door, wanted.taken, wanted.is_empty) == (None, (), False)


def test_only_the_lost_group_goes_and_only_sessions_that_it_alone_opened() -> None:
    wanted = plan(user("sre", "dev"), losing("sre"), HOLDINGS, under(OPEN))

    assert wanted.door == user("dev")
    assert wanted.sessions == (SESSIONS[0],)
    assert wanted.reviews == (PENDING, JIT)
    assert wanted.taken == (Taken(user().ref, TakenKind.GROUP, "sre", NOW, frozenset({names(TEAM)}), confirmed=True),)


def test_session_that_a_lost_group_opened_is_ended_after_the_group_is_gone() -> None:
    wanted = plan(user("dev"), Loss(before=names("sre")), HOLDINGS, under(OPEN))

    assert (wanted.door, wanted.sessions) == (None, (SESSIONS[0],))


def test_session_of_a_machine_identity_ends_with_its_connection() -> None:
    identity = machine_identity("pg", "web")

    wanted = plan(identity, losing("pg"), Holdings(SESSIONS), under(OPEN))

    assert wanted.door == replace(identity, connections=names("web"))
    assert (wanted.sessions, whole(wanted)) == ((SESSIONS[0],), {(TakenKind.CONNECTION, "pg")})


def test_session_of_a_machine_identity_stays_while_the_connection_was_given_back() -> None:
    wanted = plan(machine_identity("pg"), Loss(before=names("pg")), Holdings(SESSIONS), under(OPEN))

    assert wanted.is_empty


def test_admin_who_loses_another_group_still_reaches_everything() -> None:
    wanted = plan(user("admin", "sre"), losing("sre"), HOLDINGS, under(OPEN))

    assert (wanted.door, wanted.sessions) == (user("admin"), ())


FAIL_OPEN = replace(OPEN, rules=(ApprovalRule(names("web"), names(), approval_required_groups=names("sre")),))


def test_account_is_closed_when_removing_a_group_would_remove_the_approval_instead() -> None:
    wanted = plan(user("sre", "dev"), losing("sre"), HOLDINGS, under(FAIL_OPEN))

    assert wanted.door == user(status="inactive")
    assert wanted.alerts == ("removal-would-skip-approval",)
    assert wanted.sessions == SESSIONS
    assert {entry.needs for entry in wanted.taken} == {frozenset({names(TEAM)})}


def test_nothing_is_pushed_but_somebody_hears_when_the_operator_chose_alerts() -> None:
    guards = Guards(escalation=Escalation.ALERT)

    wanted = plan(user("sre", "dev"), losing("sre"), HOLDINGS, under(FAIL_OPEN, guards))

    assert wanted == Plan(alerts=("removal-would-skip-approval",))


def test_approval_group_goes_when_its_connection_goes_with_it() -> None:
    rule = ApprovalRule(names("pg"), names(), approval_required_groups=names("sre"))

    wanted = plan(user("sre", "dev"), losing("sre"), NOBODY, under(replace(OPEN, rules=(rule,))))

    assert (wanted.door, wanted.alerts) == (user("dev"), ())


def test_approval_group_goes_when_another_group_asks_for_approval_as_well() -> None:
    rule = ApprovalRule(names("web"), names(), approval_required_groups=names("sre", "dev"))

    wanted = plan(user("sre", "dev"), losing("sre"), NOBODY, under(replace(OPEN, rules=(rule,))))

    assert (wanted.door, wanted.alerts) == (user("dev"), ())


def test_invited_user_does_not_lose_the_approval_step_before_the_first_login() -> None:
    wanted = plan(user("sre", "dev", status="invited"), losing("sre"), NOBODY, under(FAIL_OPEN))

    assert (wanted.door, wanted.alerts) == (user(status="inactive"), ("removal-would-skip-approval",))


def test_inactive_user_loses_the_group_without_escalation() -> None:
    wanted = plan(user("sre", "dev", status="inactive"), losing("sre"), NOBODY, under(FAIL_OPEN))

    assert (wanted.door, wanted.alerts) == (user("dev", status="inactive"), ())


def test_key_is_revoked_when_removing_its_group_would_remove_the_approval() -> None:
    wanted = plan(api_key("sre", "dev"), losing("sre"), NOBODY, under(FAIL_OPEN))

    assert wanted.door == api_key("sre", "dev", status="revoked")
    assert [entry.needs for entry in wanted.taken] == [frozenset({names(TEAM)})]


def test_account_is_closed_when_access_control_is_off_and_the_map_promised_a_connection() -> None:
    off = AccessPolicy(enforced=False, connections=names("pg"))

    wanted = plan(user("sre"), losing("sre", promised=names("pg")), Holdings(SESSIONS), under(off))

    assert (wanted.door, wanted.alerts) == (user(status="inactive"), ("access-control-is-off",))
    assert wanted.sessions == SESSIONS


def test_group_goes_but_no_session_ends_when_access_control_is_off_and_nothing_was_promised() -> None:
    off = AccessPolicy(enforced=False, connections=names("pg"))

    wanted = plan(user("sre"), losing("sre"), Holdings(SESSIONS), under(off))

    assert (wanted.door, wanted.sessions) == (user(), ())


def test_what_escalation_takes_needs_every_lost_group_again() -> None:
    loss = Loss(grants=names("sre", "dev"), needs={"sre": names(TEAM), "dev": names(OTHER_TEAM), "sec": names("x")})

    wanted = plan(user("sre", "dev", "sec"), loss, NOBODY, under(AccessPolicy(enforced=False)))
    escalated = plan(
        user("sre", "dev", "sec"), replace(loss, promised=names("pg")), NOBODY, under(AccessPolicy(enforced=False))
    )

    lost = frozenset({names(TEAM), names(OTHER_TEAM)})
    assert {entry.name: entry.needs for entry in wanted.taken} == {
        "dev": frozenset({names(OTHER_TEAM)}),
        "sre": frozenset({names(TEAM)}),
    }
    assert {entry.name: entry.needs for entry in escalated.taken} == {
        "active": lost,
        "dev": lost,
        "sre": lost,
        "sec": lost | {names("x")},
    }


@pytest.mark.parametrize("loss", [EVERYTHING, losing("sre")])
def test_break_glass_is_never_touched(loss: Loss) -> None:
    wanted = plan(user("sre"), loss, HOLDINGS, under(OPEN, Guards(break_glass=True)))

    assert wanted == Plan(alerts=("break-glass-kept",))


@pytest.mark.parametrize("own", [user("admin"), service_account("admin"), api_key("admin")])
def test_tether_never_takes_its_own_access(own: GatewayIdentity) -> None:
    wanted = plan(own, EVERYTHING, HOLDINGS, under(OPEN, Guards(own_subject=own.ref.key)))

    assert wanted == Plan(alerts=("own-identity-kept",))


def test_last_admin_is_kept_when_everything_is_lost() -> None:
    wanted = plan(user("admin"), EVERYTHING, HOLDINGS, under(OPEN, ADMINS))

    assert wanted == Plan(alerts=("last-admin-kept",))


def test_last_admin_keeps_the_admin_group_and_loses_the_other() -> None:
    wanted = plan(user("admin", "sre"), losing("admin", "sre"), HOLDINGS, under(OPEN, ADMINS))

    assert (wanted.door, wanted.alerts) == (user("admin"), ("last-admin-kept",))


def test_last_admin_keeps_the_account_when_a_removal_would_escalate() -> None:
    wanted = plan(user("admin", "sre"), losing("sre"), HOLDINGS, under(replace(FAIL_OPEN), ADMINS))

    assert wanted == Plan(alerts=("removal-would-skip-approval", "last-admin-kept"))


def test_admin_goes_while_another_remains() -> None:
    another = Guards(active_admins=frozenset({user().ref, user(key="sub-2").ref}))

    wanted = plan(user("admin"), EVERYTHING, NOBODY, under(OPEN, another))

    assert wanted.door == user(status="inactive")


@pytest.mark.parametrize(
    ("review", "in_effect"),
    [
        (PENDING, True),
        (JIT, True),
        (EXPIRED, False),
        (replace(JIT, revoke_at=NOW), False),
        (replace(JIT, revoke_at=None), True),
        (ONETIME, True),
    ],
)
def test_review_is_in_effect_while_it_can_open_something(review: Review, in_effect: bool) -> None:  # noqa: FBT001
    assert is_in_effect(review, NOW) is in_effect
