"""Which reviewer group is asked where, who may approve, and when people are reminded."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.routes import (
    LONGEST_QUESTION,
    MOST_PERSONAL_CARDS,
    ApprovalRoutes,
    BreakGlass,
    Route,
    Timing,
    reminders,
)
from tests.domain.samples import ADA, NOW, OTHER_TEAM, TEAM, later, names

CHANNEL = "19:aa@thread.tacv2"
SECURITY = "19:bb@thread.tacv2"
DBA = Route("dba", "DBA approvers", CHANNEL, key_setting="GATEWAY_KEY_DBA")
BY_ID = Route(TEAM, TEAM.upper(), SECURITY, key_setting="GATEWAY_KEY_TEAM")
ANY_GROUP = Route("*", "", CHANNEL, mention=(ADA,))
FORCE = BreakGlass("Break glass", SECURITY, "GATEWAY_KEY_BREAK_GLASS")
ROUTES = ApprovalRoutes((DBA, BY_ID), SECURITY)
WITH_FALLBACK = ApprovalRoutes((DBA, BY_ID), SECURITY, fallback=ANY_GROUP, break_glass=FORCE)

short_waits = st.timedeltas(timedelta(seconds=1), timedelta(hours=8))
created = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 - any clock will do


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    remind, escalate, expire = (draw(short_waits) for _ in range(3))
    return Timing(remind, remind + escalate, remind + escalate + expire)


def test_reviewer_group_is_asked_on_its_own_route() -> None:
    assert WITH_FALLBACK.route_for("dba") == DBA
    assert WITH_FALLBACK.route_for(TEAM) == BY_ID


def test_reviewer_group_named_by_an_object_id_is_known_in_any_case() -> None:
    assert ROUTES.route_for(TEAM.upper()) == BY_ID


@pytest.mark.parametrize("stranger", ["DBA", "dba ", "", "*", "sre", OTHER_TEAM])
def test_nobody_is_asked_for_a_reviewer_group_without_a_route(stranger: str) -> None:
    assert ROUTES.route_for(stranger) is None


@pytest.mark.parametrize("stranger", ["DBA", "", "*", "sre"])
def test_fallback_asks_nobody_for_a_name_that_says_nothing_about_entra(stranger: str) -> None:
    assert WITH_FALLBACK.route_for(stranger) is None


def test_fallback_asks_the_entra_group_that_the_reviewer_group_is_named_by() -> None:
    route = WITH_FALLBACK.route_for(OTHER_TEAM.upper())

    assert route == Route(OTHER_TEAM.upper(), OTHER_TEAM, CHANNEL, mention=(ADA,))
    assert WITH_FALLBACK.approver_group(route) == OTHER_TEAM


def test_approver_group_named_by_an_object_id_is_that_group() -> None:
    assert ROUTES.approver_group(BY_ID) == TEAM


@pytest.mark.parametrize("asked", [DBA, FORCE])
def test_approver_group_named_by_display_name_is_nobody_until_it_resolves(asked: Route | BreakGlass) -> None:
    resolved = WITH_FALLBACK.resolved({"DBA approvers": TEAM, "Break glass": TEAM})

    assert WITH_FALLBACK.approver_group(asked) is None
    assert WITH_FALLBACK.resolved({"Others": TEAM}).approver_group(asked) is None
    assert resolved.approver_group(asked) == TEAM


def test_fallback_itself_has_no_approvers() -> None:
    assert WITH_FALLBACK.resolved({"DBA approvers": TEAM}).approver_group(ANY_GROUP) is None


def test_display_names_and_key_settings_are_those_of_every_route_and_of_break_glass() -> None:
    assert ROUTES.display_names == names("DBA approvers")
    assert ROUTES.key_settings == names("GATEWAY_KEY_DBA", "GATEWAY_KEY_TEAM")
    assert WITH_FALLBACK.display_names == names("DBA approvers", "Break glass")
    assert WITH_FALLBACK.key_settings == names("GATEWAY_KEY_DBA", "GATEWAY_KEY_TEAM", "GATEWAY_KEY_BREAK_GLASS")


def test_routes_without_keys_have_no_key_settings() -> None:
    assert ApprovalRoutes((Route("dba", TEAM, CHANNEL),), SECURITY).key_settings == frozenset()


@pytest.mark.parametrize(("approvers", "cards"), [(0, 0), (1, 1), (MOST_PERSONAL_CARDS, 20), (21, 0)])
def test_every_approver_gets_a_personal_card_or_nobody_when_they_are_many(approvers: int, cards: int) -> None:
    route = Route("dba", TEAM, CHANNEL, personal_cards=True)

    assert len(route.personal_card_holders([str(number) for number in range(approvers)])) == cards


def test_nobody_gets_a_personal_card_unless_the_route_says_so() -> None:
    assert DBA.personal_card_holders([ADA]) == ()


def test_reminders_come_after_waits_that_double() -> None:
    minutes = [(moment - NOW) / timedelta(minutes=1) for moment in reminders(Timing(), NOW)]

    assert minutes == [15, 45, 105, 225]


def test_no_reminder_comes_at_the_moment_of_expiry() -> None:
    timing = Timing(timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=30))

    assert reminders(timing, NOW) == (later(10),)


@given(timings(), created)
def test_reminders_begin_on_time_double_their_waits_and_end_before_expiry(timing: Timing, created_at: datetime) -> None:
    moments = reminders(timing, created_at)

    waits = [after - before for before, after in pairwise((created_at, *moments))]
    assert waits[0] == timing.remind_after
    assert all(after == 2 * before for before, after in pairwise(waits))
    assert moments[-1] < created_at + timing.expire_after


@given(timings(), created)
def test_no_reminder_is_left_out(timing: Timing, created_at: datetime) -> None:
    moments = reminders(timing, created_at)

    next_one = moments[-1] + timing.remind_after * 2 ** len(moments)
    assert next_one >= created_at + timing.expire_after


@given(timings(), created)
def test_people_are_reminded_a_few_times_only(timing: Timing, created_at: datetime) -> None:
    assert 1 <= len(reminders(timing, created_at)) <= 17


@pytest.mark.parametrize(
    ("remind", "escalate", "expire"),
    [(0, 2, 3), (-1, 2, 3), (2, 2, 3), (3, 2, 4), (1, 3, 3), (1, 4, 3), (1, 2, 24 * 3600 + 1)],
)
def test_times_that_do_not_go_together_are_refused(remind: int, escalate: int, expire: int) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        Timing(timedelta(seconds=remind), timedelta(seconds=escalate), timedelta(seconds=expire))


def test_question_may_stand_for_a_whole_day() -> None:
    assert Timing(expire_after=LONGEST_QUESTION).expire_after == timedelta(days=1)
