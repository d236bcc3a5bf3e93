"""A report begins with what is different, and never calls fixed what it did not see."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared.domain.approval import Person
from shared.domain.posture.coverage import Coverage, SourceCoverage, SourceState, Unjudged
from shared.domain.posture.coverage_block import CoverageBlock, SourceRead, coverage_block
from shared.domain.posture.exceptions import Acceptance, Class, Classification, Exemption
from shared.domain.posture.figures import Week
from shared.domain.posture.finding import About, Finding, ObjectKind, Severity, Verdict
from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.report import Basis, Entry, Remembered, Report, Snapshot, Standing, build_report

AT = datetime(2026, 3, 4, 6, tzinfo=UTC)
LAST = AT - timedelta(days=7)
MARY = Person("mary", "Mary Somerville")
WHOLE = CoverageBlock((SourceRead("applications", 9, 9, "", frozenset({ObjectKind.APPLICATION})),))
TITLES = {"A1": "Stale", "B1": "Ownerless", "C2": "Expiring", "E1": "Tier 0"}


def failed(check_id: str, object_id: str, severity: Severity = Severity.MEDIUM) -> Finding:
    return Finding(check_id, About(ObjectKind.APPLICATION, object_id, object_id), severity, "It fails.")


def unjudged(check_id: str, object_id: str, kind: ObjectKind = ObjectKind.APPLICATION) -> Finding:
    facts = (("missing", "graph-403"),)
    return Finding(check_id, About(kind, object_id, ""), Severity.INFO, "Not judged.", Verdict.UNKNOWN, facts)


def seen(*findings: Finding, at: datetime = LAST) -> Known[Snapshot]:
    return Known(Snapshot(at, {each.finding_id: Remembered(each, LAST - timedelta(days=30)) for each in findings}))


def made(
    findings: Iterable[Finding],
    previous: Known[Snapshot] | Unknown,
    coverage: CoverageBlock = WHOLE,
    exemptions: tuple[Exemption, ...] = (),
    titles: Mapping[str, str] = TITLES,
) -> Report:
    return build_report(findings, Basis(AT, "Contoso", titles, coverage, previous, exemptions))


def ids(entries: Iterable[Entry]) -> list[str]:
    return [entry.finding.about.object_id for entry in entries]


def accepted(finding: Finding, days: float) -> Acceptance:
    until = AT + timedelta(days=days)
    return Acceptance(finding.finding_id, Severity.CRITICAL, "Known", MARY, AT - timedelta(days=5), until)


def test_finding_is_new_worse_open_or_fixed_by_what_was_known() -> None:
    previous = seen(failed("A1", "same"), failed("A1", "worse"), failed("A1", "better"), failed("A1", "gone"))

    report = made(
        [
            failed("A1", "same"),
            failed("A1", "worse", Severity.HIGH),
            failed("A1", "better", Severity.LOW),
            failed("A1", "new"),
        ],
        previous,
    )

    assert ids(report.standing(Standing.NEW)) == ["new"]
    assert ids(report.standing(Standing.WORSE)) == ["worse"]
    assert ids(report.standing(Standing.FIXED)) == ["gone"]
    assert ids(report.standing(Standing.OPEN)) == ["same", "better"]
    assert [entry.before for entry in report.standing(Standing.WORSE)] == [Severity.MEDIUM]


def test_nothing_is_new_or_fixed_in_the_first_report() -> None:
    report = made([failed("A1", "one")], Unknown("first-report"))

    assert [entry.standing for entry in report.entries] == [Standing.OPEN]
    assert report.gone == ()
    assert report.compared_with == Unknown("first-report")
    assert report.has_news


def test_report_that_is_later_than_this_one_is_not_compared_with() -> None:
    report = made([failed("A1", "one")], seen(failed("A1", "two"), at=AT + timedelta(seconds=1)))

    assert report.compared_with == Unknown("previous-report-is-later")
    assert report.standing(Standing.NEW, Standing.FIXED) == ()


def test_finding_keeps_the_day_on_which_it_was_first_seen() -> None:
    first = made([failed("A1", "one")], Unknown("first-report"))
    later = replace(first.snapshot(), at=LAST)

    report = made([failed("A1", "one", Severity.HIGH)], Known(later))

    assert [entry.first_seen for entry in report.entries] == [AT]


def test_finding_is_not_fixed_while_its_check_could_not_be_made_for_the_object() -> None:
    previous = seen(failed("A1", "unseen"), failed("A1", "gone"))

    report = made([unjudged("A1", "unseen"), unjudged("A1", "other")], previous)

    assert ids(report.standing(Standing.UNCONFIRMED)) == ["unseen"]
    assert ids(report.standing(Standing.FIXED)) == ["gone"]
    assert report.coverage.gaps == (Unjudged("A1", "graph-403", 2),)
    assert not report.coverage.is_whole


def test_nothing_of_a_check_is_fixed_when_it_could_not_be_made_for_the_tenant() -> None:
    previous = seen(failed("A1", "one"), failed("B1", "one"))

    report = made([unjudged("A1", "tenant", ObjectKind.TENANT)], previous)

    assert [entry.finding.check_id for entry in report.standing(Standing.UNCONFIRMED)] == ["A1"]
    assert [entry.finding.check_id for entry in report.standing(Standing.FIXED)] == ["B1"]


def test_nothing_of_a_check_is_fixed_when_only_the_number_of_unjudged_objects_is_known() -> None:
    coverage = replace(WHOLE, gaps=(Unjudged("A1", "no-licence", 3), Unjudged("B1", "no-licence", 2)))

    report = made([unjudged("B1", "other")], seen(failed("A1", "one"), failed("B1", "one")), coverage)

    assert [entry.finding.check_id for entry in report.standing(Standing.UNCONFIRMED)] == ["A1"]
    assert report.coverage.gaps == (Unjudged("A1", "no-licence", 3), Unjudged("B1", "graph-403", 1))


def test_nothing_is_fixed_among_objects_that_were_not_all_listed() -> None:
    listing = frozenset({ObjectKind.APPLICATION})
    partial = CoverageBlock((SourceRead("applications", 8, 9, "", listing),))
    empty = CoverageBlock((SourceRead("applications", 0, 0, "", listing),))

    reports = [made([], seen(failed("A1", "one")), coverage) for coverage in (partial, empty)]

    assert [ids(report.standing(Standing.UNCONFIRMED)) for report in reports] == [["one"], ["one"]]


def test_tenant_without_applications_or_sources_is_not_whole() -> None:
    empty = CoverageBlock((SourceRead("applications", 0, 0, "", frozenset({ObjectKind.APPLICATION})),))

    assert not empty.is_whole
    assert not CoverageBlock(()).is_whole
    assert not CoverageBlock((SourceRead("sign-ins", 4, None, "graph-403"),)).is_whole
    assert CoverageBlock((SourceRead("sign-ins", 0),)).is_whole


def test_block_of_a_scan_says_which_listings_were_not_whole() -> None:
    sources = (
        SourceCoverage("applications", SourceState.COMPLETE, 9, 9, 1),
        SourceCoverage("service-principals", SourceState.PARTIAL, 8, 9, 1, "count-mismatch"),
        SourceCoverage("sign-ins", SourceState.READING, 4),
    )
    others = (SourceRead("gateway sessions", 3),)

    block = coverage_block(Coverage("scan", AT, sources, unjudged=(Unjudged("A1", "x", 2),)), others)

    assert [source.reason for source in block.sources] == ["", "count-mismatch", "reading", ""]
    assert block.unlisted == {ObjectKind.SERVICE_PRINCIPAL, ObjectKind.AGENT_IDENTITY}
    assert (block.gaps, block.licences_missing) == ((Unjudged("A1", "x", 2),), ())
    assert not block.is_whole


def test_what_was_not_seen_is_remembered_and_fixed_later() -> None:
    missed = made([unjudged("A1", "one")], seen(failed("A1", "one")))

    report = build_report([], Basis(AT + timedelta(days=7), "Contoso", TITLES, WHOLE, Known(missed.snapshot())))

    assert ids(report.standing(Standing.FIXED)) == ["one"]
    assert report.snapshot().findings == {}


def test_finding_of_a_check_that_is_made_no_more_is_neither_fixed_nor_remembered() -> None:
    report = made([], seen(failed("A1", "one")), titles={"B1": "Ownerless"})

    assert ids(report.standing(Standing.UNCONFIRMED)) == ["one"]
    assert report.snapshot().findings == {}


def test_accepted_and_classified_findings_are_not_open() -> None:
    findings = [failed("A1", "accepted"), failed("A1", "classified"), failed("A1", "open")]
    exemptions = (
        accepted(findings[0], 20),
        Classification(findings[1].finding_id, Class.NOT_OURS, MARY, AT - timedelta(days=3)),
    )

    report = made(findings, seen(*findings), exemptions=exemptions)

    assert ids(report.open) == ["open"]
    assert [entry.standing for entry in report.entries] == [Standing.ACCEPTED, Standing.CLASSIFIED, Standing.OPEN]
    assert report.counts()[Severity.MEDIUM] == 1


def test_exception_lapses_within_two_weeks_and_has_lapsed_after_its_end() -> None:
    ends = {"later": 14.1, "soon": 14.0, "tomorrow": 1.0, "yesterday": -1.0, "long ago": -8.0}
    findings = {name: failed("A1", name) for name in ends}
    exemptions = tuple(
        replace(accepted(findings[name], days), accepted_at=AT - timedelta(days=20)) for name, days in ends.items()
    )

    report = made(findings.values(), seen(*findings.values()), exemptions=exemptions)

    assert sorted(ids(report.lapsing)) == ["soon", "tomorrow"]
    assert ids(report.lapsed) == ["yesterday"]
    assert sorted(ids(report.open)) == ["long ago", "yesterday"]


def test_exception_that_ended_before_the_first_report_has_lapsed() -> None:
    finding = failed("A1", "one")

    report = made([finding], Unknown("first-report"), exemptions=(accepted(finding, -1),))

    assert ids(report.lapsed) == ["one"]


def test_accepted_finding_that_got_worse_is_worse_and_not_lapsed() -> None:
    finding = failed("A1", "one", Severity.HIGH)
    acceptance = replace(accepted(finding, 20), severity=Severity.MEDIUM)

    report = made([finding], seen(failed("A1", "one")), exemptions=(acceptance,))

    assert ids(report.standing(Standing.WORSE)) == ["one"]
    assert report.lapsed == ()


def test_acceptance_of_a_tier_0_object_ends_after_a_month() -> None:
    findings = [failed("A1", "one"), failed("E1", "one", Severity.CRITICAL)]
    acceptance = replace(accepted(findings[0], 50), accepted_at=AT - timedelta(days=31))

    alone = made(findings[:1], seen(*findings), exemptions=(acceptance,))
    together = made(findings, seen(*findings), exemptions=(acceptance,))

    assert [entry.standing for entry in alone.entries] == [Standing.ACCEPTED]
    assert [entry.standing for entry in together.entries] == [Standing.OPEN, Standing.OPEN]


def test_five_worst_are_of_five_objects_the_oldest_of_the_worst_first() -> None:
    findings = [failed("A1", f"app-{number}", Severity.LOW) for number in range(6)]
    findings += [failed(check, "bad", Severity.CRITICAL) for check in ("A1", "B1", "E1")]
    findings += [failed("A1", "old", Severity.HIGH), failed("A1", "fresh", Severity.HIGH)]

    report = made(findings, seen(failed("A1", "old", Severity.HIGH)))

    assert ids(report.worst) == ["bad", "old", "fresh", "app-0", "app-1"]


def test_expiring_are_open_findings_of_the_expiry_check() -> None:
    findings = [failed("C2", "one"), failed("C2", "accepted"), failed("A1", "two")]

    report = made(findings, seen(*findings), exemptions=(accepted(findings[1], 20),))

    assert ids(report.expiring) == ["one"]


def test_report_without_a_change_has_no_news() -> None:
    findings = [failed("A1", "one"), failed("C2", "two")]

    assert not made(findings, seen(*findings)).has_news
    assert made(findings, seen(*findings), exemptions=(accepted(findings[0], 3),)).has_news


def test_same_findings_in_another_order_and_twice_make_the_same_report() -> None:
    findings = [failed(check, f"app-{number}", Severity(number % 5)) for check in TITLES for number in range(25)]
    findings += [unjudged("A1", f"app-{number}") for number in range(30, 40)]
    shuffled = sorted([*findings, *findings[:100]], key=lambda each: each.finding_id)

    reports = [made(each, seen(*findings[10:90])) for each in (findings, shuffled)]

    assert reports[0] == reports[1]


def test_finding_that_is_told_twice_counts_once_as_the_worse() -> None:
    report = made([failed("A1", "one", Severity.HIGH), failed("A1", "one", Severity.LOW)], seen())

    assert [entry.finding.severity for entry in report.entries] == [Severity.HIGH]


def test_trend_goes_on_from_the_previous_report() -> None:
    earlier = (Week(date(2026, 2, 23), {Severity.HIGH: 4}),)
    previous = Known(Snapshot(LAST, {}, earlier))

    report = made([failed("A1", "one", Severity.HIGH)], previous)

    assert [(week.monday, week.total) for week in report.weeks] == [(date(2026, 2, 23), 4), (date(2026, 3, 2), 1)]
    assert report.snapshot().weeks == report.weeks
