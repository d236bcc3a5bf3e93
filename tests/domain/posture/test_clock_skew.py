"""Entra's clock, the gateway's and ours differ: what lies a little ahead is as good as now, and nobody's fault."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.posture.blast_radius import blast_radii
from shared.domain.posture.catalogue import judge_app
from shared.domain.posture.check import Case
from shared.domain.posture.figures import CredentialTally
from shared.domain.posture.finding import Verdict
from shared.domain.posture.gateway_catalogue import judge_estate
from shared.domain.posture.inventory import App, Known
from shared.domain.posture.limits import Limits
from shared.domain.posture.rotation import RotationState, rotation
from tests.domain.posture import apps, estates
from tests.domain.posture.apps import AT, TENANT

AHEAD = pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(minutes=5), timedelta(hours=14)])


def newborn(at: datetime) -> App:
    """An application that was registered, got its secret and used it at a moment that our clock has not reached."""
    made = apps.app({"created_at": at}, {"created_at": at}, last_used_at=Known(at), credential_uses=Known({"new": at}))
    assert made.application is not None
    fresh = replace(apps.secret("new"), starts_at=at, ends_at=at + timedelta(days=90))
    return replace(made, application=replace(made.application, credentials=(fresh,)))


def failed(app: App) -> set[str]:
    return {one.check_id for one in judge_app(app, AT, Limits(), TENANT) if one.verdict is Verdict.FAIL}


@AHEAD
def test_application_made_ahead_of_our_clock_is_judged_as_one_made_now(ahead: timedelta) -> None:
    assert failed(newborn(AT + ahead)) == failed(newborn(AT))


@AHEAD
def test_credential_that_begins_ahead_of_our_clock_is_current_and_young(ahead: timedelta) -> None:
    tally = CredentialTally(AT)

    found = rotation(Case(newborn(AT + ahead), AT, Limits()))
    tally.add(newborn(AT + ahead))

    assert found is not None
    assert found.state is RotationState.CURRENT
    assert tally.figures() == _figures(newborn(AT))


@AHEAD
def test_sessions_opened_ahead_of_our_clock_are_uses(ahead: timedelta) -> None:
    seen = estates.used(0)
    use = replace(seen, opened_at=AT + ahead, ended_at=None)
    estate = estates.estate(estates.holder(use, estates.used(30)))

    found = [one for one in judge_estate(estate, AT, Limits()) if one.verdict is Verdict.FAIL]

    assert found == []
    assert [one.reach.used for one in blast_radii(estate, AT)] == [1]


def _figures(app: App) -> object:
    tally = CredentialTally(AT)
    tally.add(app)
    return tally.figures()
