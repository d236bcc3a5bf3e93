"""Exceptions end, are given by somebody else, and never cover what got worse."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.approval import Person
from shared.domain.posture.exceptions import Acceptance, Class, Terms, Tier, accept, by_finding, classify, is_tier_0
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity, Verdict
from shared.domain.posture.inventory import Known, Unknown
from shared.errors import RejectedError

AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
MARY = Person("mary", "Mary Somerville")
OWNERS = Known(frozenset({"ada"}))
SECRET = Finding("C3", About(ObjectKind.APPLICATION, "app", "crm", "key"), Severity.MEDIUM, "It lives too long.")
APP = Finding("A1", About(ObjectKind.APPLICATION, "app", "crm"), Severity.MEDIUM, "Nobody uses it.")


def days(count: float, reason: str = "Migration") -> Terms:
    return Terms(reason, AT, AT + timedelta(days=count))


def accepted(count: float, tier: Tier = Tier.OTHER) -> Acceptance:
    return accept(SECRET, MARY, days(count), OWNERS, tier)


@pytest.mark.parametrize(("tier", "longest"), [(Tier.OTHER, 90), (Tier.TIER_0, 30)])
def test_acceptance_lasts_as_long_as_its_tier_allows(tier: Tier, longest: int) -> None:
    acceptance = accepted(longest, tier)

    assert acceptance.ends_at(tier) == AT + timedelta(days=longest)


@pytest.mark.parametrize(("tier", "longest"), [(Tier.OTHER, 90), (Tier.TIER_0, 30)])
def test_acceptance_that_is_a_second_too_long_is_refused(tier: Tier, longest: int) -> None:
    with pytest.raises(RejectedError, match="acceptance-too-long"):
        accepted(longest + 1 / 86_400, tier)


def test_acceptance_ends_after_a_month_when_its_object_became_tier_0() -> None:
    acceptance = accepted(90)

    assert acceptance.ends_at(Tier.TIER_0) == AT + timedelta(days=30)
    assert not acceptance.covers(SECRET, AT + timedelta(days=30), Tier.TIER_0)
    assert acceptance.covers(SECRET, AT + timedelta(days=30), Tier.OTHER)


def test_owner_cannot_accept_or_classify_what_is_theirs() -> None:
    ada = Person("ada", "Ada Lovelace")

    with pytest.raises(RejectedError, match="approver-is-owner"):
        accept(SECRET, ada, days(1), OWNERS, Tier.OTHER)
    with pytest.raises(RejectedError, match="approver-is-owner"):
        classify(SECRET, Class.NOT_OURS, ada, OWNERS, AT)


def test_nobody_can_accept_while_owners_are_unknown() -> None:
    with pytest.raises(RejectedError, match="owners-unknown: graph-403"):
        accept(SECRET, MARY, days(1), Unknown("graph-403"), Tier.OTHER)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (days(1, " "), "reason-missing"),
        (days(0), "acceptance-without-time"),
        (days(-1), "acceptance-without-time"),
    ],
)
def test_acceptance_without_reason_or_time_is_refused(terms: Terms, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        accept(SECRET, MARY, terms, OWNERS, Tier.OTHER)


def test_what_could_not_be_judged_cannot_be_accepted() -> None:
    unknown = Finding("C3", SECRET.about, Severity.INFO, "Not judged.", Verdict.UNKNOWN)

    with pytest.raises(RejectedError, match="nothing-to-accept"):
        accept(unknown, MARY, days(1), OWNERS, Tier.OTHER)
    assert not accepted(10).covers(unknown, AT, Tier.OTHER)


def test_acceptance_covers_until_its_last_moment() -> None:
    acceptance = accepted(10)

    covered = [acceptance.covers(SECRET, AT + timedelta(days=10, seconds=each), Tier.OTHER) for each in (-1, 0, 1)]

    assert covered == [True, False, False]


def test_acceptance_covers_what_got_better_and_not_what_got_worse() -> None:
    acceptance = accepted(10)
    same = [Finding("C3", SECRET.about, severity, "Again.") for severity in Severity]

    assert [acceptance.covers(each, AT, Tier.OTHER) for each in same] == [True, True, True, False, False]


def test_acceptance_covers_no_other_finding() -> None:
    assert not accepted(10).covers(APP, AT, Tier.OTHER)


def test_classification_is_asked_again_after_a_year() -> None:
    classification = classify(SECRET, Class.RENEWED_BY_MICROSOFT, MARY, OWNERS, AT)

    covered = [classification.covers(SECRET, AT + timedelta(days=each), Tier.TIER_0) for each in (0, 364, 365)]
    assert covered == [True, True, False]
    assert not classification.covers(APP, AT, Tier.OTHER)


def test_only_a_credential_is_renewed_by_microsoft() -> None:
    with pytest.raises(RejectedError, match="nothing-to-renew"):
        classify(APP, Class.RENEWED_BY_MICROSOFT, MARY, OWNERS, AT)


@pytest.mark.parametrize(("check_id", "expected"), [("E1", True), ("A4", True), ("A1", False)])
def test_object_of_a_tier_0_check_is_tier_0(check_id: str, *, expected: bool) -> None:
    assert is_tier_0(Finding(check_id, APP.about, Severity.CRITICAL, "It can.")) is expected


def test_longer_of_an_acceptance_and_a_classification_counts() -> None:
    classified = classify(SECRET, Class.NOT_OURS, MARY, OWNERS, AT - timedelta(days=300))

    longer, shorter = by_finding((classified, accepted(90))), by_finding((classified, accepted(30)))

    assert longer[SECRET.finding_id] == accepted(90)
    assert shorter[SECRET.finding_id] == classified
