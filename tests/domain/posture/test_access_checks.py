from dataclasses import replace

import pytest

from shared.domain.gateway import IdentityKind
from shared.domain.posture.gateway_view import Estate, Holder, Use
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.principals import AccountState
from tests.domain.posture.apps import ago
from tests.domain.posture.estates import (
    AGENT,
    INVOICES,
    PERSON,
    Changed,
    agent,
    estate,
    fact,
    findings,
    holder,
    identity,
    said,
    token,
    used,
    user,
)

NOT_READ = Unknown("graph-403")
NO_LOG = Unknown("gateway-500")
CLOSED = identity(status="inactive", groups=frozenset())
DISABLED = agent(state=AccountState.DISABLED)
NOBODY: dict[str, Changed] = {"principal": None, "task_groups": Known(frozenset())}


@pytest.mark.parametrize("check_id", ["G2", "G3", "G4", "G10", "G12"])
def test_unread_sessions_are_unknown(check_id: str) -> None:
    twin = holder(identity=identity(IdentityKind.USER))

    assert said(estate(holder(uses=NO_LOG), twin), check_id) == ["gateway-500"]


def never(granted: float | None = 100, log: float | None = 400, **more: Changed) -> Estate:
    dates = {} if granted is None else {"s3": ago(granted)}
    one = holder(reach={"s3": frozenset({"archive"})}, granted_at=dates)
    return estate(one, sessions_since=None if log is None else ago(log), **more)


@pytest.mark.parametrize(
    ("granted", "log", "expected"),
    [
        (29, 400, []),
        (30, 400, []),
        (31, 400, ["medium"]),
        (-1, 400, []),
        (None, 400, ["medium"]),
        (100, 31, ["medium"]),
        (100, 30, ["session-log-too-young"]),
        (100, None, ["no-session-log"]),
    ],
)
def test_access_is_unused_when_log_and_grant_are_old_enough(
    granted: float | None, log: float | None, expected: list[str]
) -> None:
    assert said(never(granted, log), "G3") == expected


@pytest.mark.parametrize(
    ("granted", "log", "says"),
    [(100, 100, "It was never opened since it was granted."), (100, 99, "It was not seen open since the log begins.")],
)
def test_never_is_said_only_when_the_log_reaches_back_to_the_grant(granted: float, log: float, says: str) -> None:
    (finding,) = findings(never(granted, log), "G3")

    assert finding.says == says
    assert finding.about.key_id == "s3"


@pytest.mark.parametrize(("granted", "log"), [(None, 400), (100, 99), (100, 20)])
def test_log_that_begins_after_the_grant_says_since_when_nothing_was_seen(granted: float | None, log: float) -> None:
    (finding,) = findings(never(granted, log), "G3")

    assert fact(finding, "not seen since") == ago(log).date().isoformat()


def test_grant_without_a_date_is_unknown_while_the_audit_was_not_read() -> None:
    assert said(never(None, audits=NOT_READ), "G3") == ["graph-403"]


def test_unused_access_to_something_sensitive_is_worse() -> None:
    assert said(never(sensitive=frozenset({"s3"})), "G3") == ["high"]


@pytest.mark.parametrize("check_id", ["G3", "G4"])
def test_what_rests_by_design_is_in_order(check_id: str) -> None:
    one = holder(used(90), used(1, connection="x"), reach={"s3": frozenset(), "pg": frozenset()})

    assert said(estate(one, standby=frozenset({"s3", "pg"})), check_id) == []


@pytest.mark.parametrize(("ended", "expected"), [(101, ["medium"]), (100, []), (None, [])])
def test_sessions_before_the_grant_are_of_an_earlier_one(ended: float | None, expected: list[str]) -> None:
    one = holder(used(120, ended), granted_at={"pg": ago(100)})

    assert said(estate(one), "G3") == expected


def test_use_under_one_identity_of_an_agent_counts_for_the_other() -> None:
    twin = holder(identity=identity(IdentityKind.USER), uses=Known(()))

    assert said(estate(twin, holder()), "G3") == []


def test_connection_is_granted_since_the_first_identity_reached_it() -> None:
    twin = holder(identity=identity(IdentityKind.USER), uses=Known(()), granted_at={"pg": ago(5)})
    other = replace(holder(), uses=Known(()))

    assert said(estate(twin, other), "G3") == ["medium"]


def test_grant_is_of_unknown_age_when_one_identity_has_no_date() -> None:
    twin = holder(identity=identity(IdentityKind.USER), uses=Known(()), granted_at={})
    other = holder(uses=Known(()), granted_at={"pg": ago(5)})

    (finding,) = findings(estate(twin, replace(other, uses=Known(()))), "G3")

    assert fact(finding, "granted") == "before the audit begins"


@pytest.mark.parametrize("check_id", ["G3", "G4"])
@pytest.mark.parametrize(
    "one",
    [
        holder(uses=NO_LOG, principal=DISABLED),
        holder(uses=NO_LOG, reach={}),
        holder(uses=NO_LOG, identity=CLOSED),
    ],
)
def test_access_of_whom_nothing_lets_in_is_not_judged(check_id: str, one: Holder) -> None:
    assert said(estate(one), check_id) == []


def test_access_is_taken_away_in_entra_where_a_group_opens_it() -> None:
    one = estate(holder(uses=Known(())))

    (finding,) = findings(one, "G3")

    assert finding.fix.startswith(f"DELETE /groups/{INVOICES}/members/{AGENT}/$ref")


@pytest.mark.parametrize("groups", [Known(frozenset[str]()), NOT_READ])
def test_access_is_taken_away_at_the_gateway_where_no_group_of_entra_opens_it(
    groups: Known[frozenset[str]] | Unknown,
) -> None:
    machine = identity(IdentityKind.MACHINE_IDENTITY, "m 1", connections=frozenset({"pg"}))
    one = holder(identity=machine, task_groups=groups, uses=Known(()))

    (finding,) = findings(estate(one), "G3")

    assert finding.fix.startswith("PUT /api/machineidentities/m%201 at the gateway")


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ((used(59),), []),
        ((used(60),), []),
        ((used(62),), ["medium"]),
        ((used(90, 60),), []),
        ((used(90, None),), []),
        ((used(150), used(151), used(62)), []),
        ((used(130), used(131), used(95), used(62)), ["medium"]),
        ((used(110), used(62)), []),
        ((used(109), used(63)), ["medium"]),
        ((used(500), used(410), used(409), used(62)), []),
        ((used(600), *(used(days) for days in (397, 350, 300, 250, 200, 150, 110))), ["medium"]),
    ],
)
def test_access_is_unused_beyond_the_limit_unless_it_rested_as_long_before(
    uses: tuple[Use, ...], expected: list[str]
) -> None:
    one = holder(*uses, used(1, connection="other"), granted_at={})

    assert said(estate(one), "G4") == expected


@pytest.mark.parametrize(("minutes", "expected"), [(60 * 1440, ["medium"]), (61 * 1440, []), (10, ["medium"])])
def test_agent_that_rests_as_a_whole_is_not_judged_by_connection(minutes: float, expected: list[str]) -> None:
    one = estate(holder(used(100)), tokens=Known((token(minutes), token(5, principal_id=PERSON))))

    assert said(one, "G4") == expected


def test_agent_of_which_no_token_was_read_may_rest_as_a_whole() -> None:
    assert said(estate(holder(used(100)), tokens=NOT_READ), "G4") == ["graph-403"]


@pytest.mark.parametrize("one", [user(uses=Known((used(100),))), holder(used(100), **NOBODY)])
def test_person_and_key_of_nobodys_need_no_token_to_be_judged(one: Holder) -> None:
    (finding,) = findings(estate(one, sessions_since=None), "G4")

    assert (fact(finding, "days"), fact(finding, "compared with sessions since")) == ("99", "not known")


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ((used(62), used(1)), ["high"]),
        ((used(61, 61), used(1)), ["high"]),
        ((used(60.9, 60.9), used(1)), []),
        ((used(70, 70), used(7.9), used(1)), ["high"]),
        ((used(70, 70), used(8), used(1)), []),
        ((used(90, None), used(1)), []),
        ((used(170, 170), used(95, 95), used(1)), ["high"]),
        ((used(170, 170), used(90, 90), used(1)), []),
        ((used(90, 20), used(85, 84), used(1)), []),
        ((used(800), used(397), used(340), used(280), used(220), used(160), used(100), used(1)), ["high"]),
        ((used(800), used(395), used(340), used(280), used(220), used(160), used(100), used(1)), []),
    ],
)
def test_use_after_a_long_silence_is_a_wake_up_unless_it_is_a_season(
    uses: tuple[Use, ...], expected: list[str]
) -> None:
    assert said(estate(holder(*uses)), "G12") == expected


@pytest.mark.parametrize(
    ("granted", "more", "expected"),
    [
        (61, {}, ["high"]),
        (60.9, {}, []),
        (300, {"sessions_since": ago(60)}, []),
        (None, {}, ["high"]),
        (None, {"audits": NOT_READ}, ["graph-403"]),
        (61, {"sessions_since": None}, ["no-session-log"]),
    ],
)
def test_first_use_long_after_the_grant_is_a_wake_up(
    granted: float | None, more: dict[str, Changed], expected: list[str]
) -> None:
    dates = {} if granted is None else {"pg": ago(granted)}

    assert said(estate(holder(used(1), granted_at=dates), **more), "G12") == expected


def test_who_never_woke_is_no_wake_up() -> None:
    assert said(estate(holder(uses=Known(()))), "G12") == []
