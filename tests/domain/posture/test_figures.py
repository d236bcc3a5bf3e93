"""The numbers behind the charts are counted app by app."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.posture.figures import CredentialTally, Reach, Week, monday_of, trend
from shared.domain.posture.finding import Severity
from shared.domain.posture.inventory import App, Application, Credential, CredentialKind

AT = datetime(2026, 3, 4, 6, tzinfo=UTC)
SECRET, CERTIFICATE = CredentialKind.SECRET, CredentialKind.CERTIFICATE


def tallied(*credentials: Credential, name: str = "app") -> CredentialTally:
    tally = CredentialTally(AT)
    for number, credential in enumerate(credentials):
        tally.add(App(str(number), Application(str(number), str(number), name, credentials=(credential,))))
    return tally


@pytest.mark.parametrize(
    ("days", "band"), [(0, 0), (29, 0), (30, 1), (89, 1), (90, 2), (180, 3), (364, 3), (365, 4), (729, 4), (730, 5)]
)
def test_secret_counts_in_the_band_of_its_age(days: int, band: int) -> None:
    figures = tallied(Credential("key", SECRET, starts_at=AT - timedelta(days=days))).figures()

    assert [index for index, count in enumerate(figures.ages) if count] == [band]


def test_secret_without_dates_counts_apart() -> None:
    figures = tallied(Credential("key", SECRET)).figures()

    assert (sum(figures.ages), figures.undated, figures.endless, figures.ends) == (0, 1, 1, {})


def test_expired_and_self_renewing_credentials_do_not_count() -> None:
    soon = AT + timedelta(days=3)

    figures = tallied(
        Credential("old", SECRET, starts_at=AT - timedelta(days=99), ends_at=AT),
        Credential("proxy", CERTIFICATE, "CN=Entra Connect Sync Provisioning", AT, soon),
        Credential("saml", CERTIFICATE, "", AT, soon, usages=frozenset({"Sign"})),
        name="ConnectSyncProvisioning_server01",
    ).figures()

    assert (sum(figures.ages), figures.undated, figures.ends) == (0, 0, {})


def test_ends_of_thirteen_weeks_are_counted_by_day_for_both_kinds() -> None:
    first, last = datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 5, 31, 23, 59, tzinfo=UTC)

    figures = tallied(
        Credential("late", SECRET, ends_at=last),
        Credential("a", SECRET, ends_at=first),
        Credential("b", CERTIFICATE, ends_at=first),
        Credential("beyond", SECRET, ends_at=last + timedelta(minutes=1)),
    ).figures()

    assert list(figures.ends.items()) == [(date(2026, 3, 5), 2), (date(2026, 5, 31), 1)]


def test_week_begins_on_monday_in_utc() -> None:
    assert monday_of(datetime.fromisoformat("2026-03-02T00:30:00+02:00")) == date(2026, 2, 23)


def test_trend_keeps_thirteen_weeks_and_replaces_this_one() -> None:
    earlier = [Week(date(2026, 3, 2) - timedelta(weeks=each), {Severity.LOW: each}) for each in range(20)]

    weeks = trend(earlier, AT, {Severity.HIGH: 2})

    assert len(weeks) == 13
    assert weeks[0].monday == date(2025, 12, 8)
    assert (weeks[-1].monday, weeks[-1].counts) == (date(2026, 3, 2), {Severity.HIGH: 2})


def test_week_from_the_future_is_left_out_of_the_trend() -> None:
    weeks = trend([Week(date(2026, 3, 9), {Severity.LOW: 1})], AT, {})

    assert [week.monday for week in weeks] == [date(2026, 3, 2)]


def test_reach_of_unknown_use_counts_as_unused() -> None:
    assert [Reach("a", 5, 2).unused, Reach("b", 5, None).unused] == [3, 5]
