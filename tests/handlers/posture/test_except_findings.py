"""What operators accepted or classified is not open in the report, as long as whoever says so may say it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.posture.exceptions import Class, Declared, DeclaredRisk, Terms
from shared.domain.posture.finding import Finding, Severity
from shared.domain.posture.report import Entry, Standing
from shared.domain.posture.scan import Source
from shared.handlers.except_findings import except_findings
from shared.handlers.report_posture import Published, report_posture
from shared.ports.reports import ANNOUNCEMENT
from shared.wire.announcement import parse_announcement
from tests.domain.posture.apps import app
from tests.handlers.posture.test_announce_prepared import TOLD, Told

APPROVERS = TOLD.posture.approvers


class Classified(Told):
    """A tenant with one secret, which has expired, and mary, who may say what that is."""

    def __init__(self) -> None:
        super().__init__()
        self.desk.add_secret("quiet", days=-30)
        self.mary = self.world.entra.user("mary")
        self.world.entra.group("risk-approvers", self.mary)
        self.declared: tuple[Declared, ...] = ()
        self.accepted: tuple[DeclaredRisk, ...] = ()

    def own(self, *people: str) -> None:
        """Every application has these owners, and no others."""
        owners = [{"@odata.type": "#microsoft.graph.user", "id": one, "displayName": one} for one in people]
        for source in (Source.APPLICATIONS, Source.SERVICE_PRINCIPALS):
            for listed in self.desk.listed[source]:
                listed["owners"] = owners

    async def classify(self, kind: Class = Class.RENEWED_BY_MICROSOFT, on: datetime | None = None) -> None:
        """Everything that is open now, as mary says, who owns none of it."""
        self.own("olga", "oscar")
        found = (await self.report_with_rules()).report.open
        now = on or self.world.clock.now()
        self.declared = tuple(Declared(each.finding.finding_id, kind, self.mary, now) for each in found)

    async def accept(self, days: int = 60, severity: Severity | None = None, begins: int = 0) -> None:
        """Everything that is open now, for so many days, as mary says, who owns none of it."""
        self.own("olga", "oscar")
        found = (await self.report_with_rules()).report.open
        since = self.world.clock.now() + timedelta(days=begins)
        terms = Terms("the vendor removes it in May", since, since + timedelta(days=days))
        self.accepted = tuple(
            DeclaredRisk(
                each.finding.finding_id,
                each.finding.severity if severity is None else severity,
                self.mary,
                terms,
            )
            for each in found
        )

    async def report_with_rules(self) -> Published:
        posture = replace(TOLD.posture, classified=self.declared, accepted=self.accepted)
        return await report_posture(self.desk.ports, replace(TOLD, posture=posture))

    async def report_after(self, days: int) -> Published:
        self.world.clock.advance(timedelta(days=days).total_seconds())
        return await self.report_with_rules()

    @property
    def refused(self) -> list[object]:
        return self._because("classification-refused")

    @property
    def not_borne(self) -> list[object]:
        return self._because("acceptance-refused")

    def _because(self, alert: str) -> list[object]:
        return [one["because"] for reason, one in self.world.alerts.raised if reason == alert]


def said(entries: tuple[Entry, ...]) -> list[tuple[Standing, str, str]]:
    return [(each.standing, each.finding.check_id, each.finding.about.name) for each in entries]


async def test_classified_finding_is_not_open_and_is_called_what_it_is() -> None:
    tenant = Classified()
    await tenant.classify()

    made = await tenant.report_after(7)

    assert said(made.report.entries) == [(Standing.CLASSIFIED, "C1", "quiet")]
    page = tenant.desk.reports.files[made.report_id, "report.html"].decode()
    assert "Microsoft renews it itself" in page


async def test_classification_is_asked_about_again_after_a_year() -> None:
    tenant = Classified()
    await tenant.classify()

    soon = await tenant.report_after(360)
    over = await tenant.report_after(7)

    assert said(soon.report.lapsing) == [(Standing.CLASSIFIED, "C1", "quiet")]
    assert [each.finding.check_id for each in over.report.lapsed] == ["C1"]
    assert ("C1", "quiet") in {(each.finding.check_id, each.finding.about.name) for each in over.report.open}


async def test_nobody_is_asked_about_what_is_not_ours() -> None:
    tenant = Classified()
    tenant.desk.remove_secrets("quiet")
    tenant.forget("dusty")
    await tenant.classify(Class.NOT_OURS)

    made = await tenant.report_after(7)

    assert {each.standing for each in made.report.entries} == {Standing.CLASSIFIED}
    assert parse_announcement(tenant.desk.reports.files[made.report_id, ANNOUNCEMENT]).questions == ()


def _leaves(tenant: Classified) -> None:
    tenant.world.entra.truth.members[APPROVERS].discard(tenant.mary)


def _is_disabled(tenant: Classified) -> None:
    tenant.world.entra.disable(tenant.mary)


def _owns_it(tenant: Classified) -> None:
    tenant.own("olga", tenant.mary)


@pytest.mark.parametrize(
    ("change", "because"),
    [(_leaves, "not-an-approver"), (_is_disabled, "not-an-approver"), (_owns_it, "approver-is-owner")],
)
async def test_classification_ends_when_whoever_said_it(change: Callable[[Classified], None], because: str) -> None:
    tenant = Classified()
    await tenant.classify()
    change(tenant)

    made = await tenant.report_after(7)

    assert (Standing.OPEN, "C1", "quiet") in said(made.report.entries)
    assert tenant.refused == [because]


async def test_day_to_come_and_credential_that_is_none_are_refused() -> None:
    later = Classified()
    await later.classify(on=later.world.clock.now() + timedelta(days=30))
    no_credential = Classified()
    no_credential.desk.remove_secrets("quiet")
    no_credential.forget("dusty")
    await no_credential.classify(Class.RENEWED_BY_MICROSOFT)

    await later.report_after(7)
    await no_credential.report_after(7)

    assert later.refused == ["said-in-future"]
    assert set(no_credential.refused) == {"nothing-to-renew"}


async def test_accepted_finding_is_not_open_until_its_day_and_says_why() -> None:
    tenant = Classified()
    await tenant.accept(days=60)

    made = await tenant.report_after(7)
    soon = await tenant.report_after(50)
    over = await tenant.report_after(7)

    assert said(made.report.entries) == [(Standing.ACCEPTED, "C1", "quiet")]
    page = tenant.desk.reports.files[made.report_id, "report.html"].decode()
    assert f"accepted until {tenant.accepted[0].terms.ends_at:%Y-%m-%d}" in page
    assert "the vendor removes it in May" in page
    assert said(soon.report.lapsing) == [(Standing.ACCEPTED, "C1", "quiet")]
    assert [each.finding.check_id for each in over.report.lapsed] == ["C1"]
    assert tenant.not_borne == []


@pytest.mark.parametrize(
    ("change", "because"),
    [(_leaves, "not-an-approver"), (_is_disabled, "not-an-approver"), (_owns_it, "approver-is-owner")],
)
async def test_acceptance_ends_when_whoever_bears_it(change: Callable[[Classified], None], because: str) -> None:
    tenant = Classified()
    await tenant.accept()
    change(tenant)

    made = await tenant.report_after(7)

    assert (Standing.OPEN, "C1", "quiet") in said(made.report.entries)
    assert tenant.not_borne == [because]


@pytest.mark.parametrize(
    ("days", "severity", "begins", "because"),
    [
        (91, None, 0, "acceptance-too-long"),
        (60, Severity.INFO, 0, "worse-than-accepted"),
        (60, None, 30, "said-in-future"),
        (0, None, 0, "acceptance-without-time"),
    ],
)
async def test_risk_is_borne_on_the_same_terms_as_in_teams(
    days: int, severity: Severity | None, begins: int, because: str
) -> None:
    tenant = Classified()
    await tenant.accept(days, severity, begins)

    made = await tenant.report_after(7)

    assert said(made.report.open) == [(Standing.OPEN, "C1", "quiet")]
    assert tenant.not_borne == [because]


async def test_risk_of_what_can_take_the_tenant_over_is_borne_for_a_month_at_most() -> None:
    tenant = Classified()
    secret = (await tenant.report_with_rules()).report.open[0].finding
    worst = Finding("E1", secret.about, Severity.CRITICAL, "It can take the tenant over.")
    await tenant.accept(days=31)
    rules, at = replace(TOLD.posture, accepted=tenant.accepted), tenant.world.clock.now()
    apps = [app({"object_id": secret.about.object_id})]

    alone = await except_findings([secret], apps, at, rules, tenant.desk.ports.around)
    beside = await except_findings([secret, worst], apps, at, rules, tenant.desk.ports.around)

    assert ([one.finding_id for one in alone], beside) == ([secret.finding_id], ())
    assert tenant.not_borne == ["acceptance-too-long"]
