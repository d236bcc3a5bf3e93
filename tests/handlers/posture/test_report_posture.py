"""Posture reports as they are made: each is compared with the one before it, and there as a whole or not at all."""

import asyncio
import csv
import io
import json
from collections.abc import Callable

import pytest

from shared.domain.posture.inventory import Known, Unknown
from shared.domain.posture.report import Entry, Standing
from shared.domain.posture.scan import ScanClaim, Source
from shared.errors import AlreadyDecidedError, RejectedError, RetryLaterError
from shared.handlers.report_posture import Published, report_posture
from shared.wire.report import parse_snapshot, verify_manifest
from tests.fakes.scan import FakeScanStore
from tests.handlers.posture.desk import RULES, Desk

FIRST, SECOND = "20270104T090000Z", "20270111T090000Z"
Damage = Callable[[bytes], bytes | None]
DOWN = RetryLaterError("storage-unreachable")


@pytest.fixture
def desk() -> Desk:
    return Desk()


class Endless(FakeScanStore):
    """A store that is gone whenever a scan would end."""

    def __init__(self, before: FakeScanStore) -> None:
        super().__init__()
        self.claimed, self._versions = before.claimed, 1000
        self.is_down = True

    async def save_claim(self, claim: ScanClaim) -> ScanClaim:
        if claim.ended and self.is_down:
            raise DOWN
        return await super().save_claim(claim)


def said(made: Published, *standings: Standing) -> list[tuple[Standing, str, str]]:
    return [_short(entry) for entry in made.report.standing(*standings or Standing)]


def _short(entry: Entry) -> tuple[Standing, str, str]:
    return entry.standing, entry.finding.check_id, entry.finding.about.name


async def test_first_report_calls_nothing_new(desk: Desk) -> None:
    desk.add_secret("quiet", days=-30)

    made = await desk.report()

    assert made.report_id == FIRST
    assert made.report.compared_with == Unknown("first-report")
    assert said(made) == [(Standing.OPEN, "C1", "quiet")]


async def test_second_report_says_what_is_new_and_what_is_fixed(desk: Desk) -> None:
    desk.add_secret("quiet", days=-30)
    desk.register("late")
    first = await desk.report()
    desk.remove_secrets("quiet")
    desk.add_secret("late", days=-30)

    second = await desk.report_next_week()

    assert second.report_id == SECOND
    assert second.report.compared_with == Known(first.report.at)
    assert said(second) == [(Standing.NEW, "C1", "late"), (Standing.FIXED, "C1", "quiet")]


async def test_finding_that_stays_is_open_since_it_was_first_seen(desk: Desk) -> None:
    desk.add_secret("quiet", days=-30)
    first = await desk.report()
    await desk.report_next_week()

    third = await desk.report_next_week()

    assert said(third) == [(Standing.OPEN, "C1", "quiet")]
    assert third.report.entries[0].first_seen == first.report.at


async def test_what_cannot_be_seen_this_time_is_neither_fixed_nor_forgotten(desk: Desk) -> None:
    desk.add_secret("quiet", days=-30)
    await desk.report()
    desk.inventory.failures[Source.APPLICATIONS] = RejectedError("graph-403")

    second = await desk.report_next_week()
    desk.inventory.failures.clear()
    third = await desk.report_next_week()

    assert said(second, Standing.FIXED, Standing.UNCONFIRMED) == [(Standing.UNCONFIRMED, "C1", "quiet")]
    assert "graph-403" in {source.reason for source in second.report.coverage.sources}
    assert said(third) == [(Standing.OPEN, "C1", "quiet")]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: whole[: len(whole) // 2], "previous-report-damaged"),
        (lambda whole: whole.replace(b"quiet", b"other"), "previous-report-damaged"),
        (lambda _: b"", "previous-report-damaged"),
        (lambda _: b"[]", "previous-report-damaged"),
        (lambda _: None, "snapshot-missing"),
    ],
    ids=["cut short", "changed", "empty", "not ours", "missing"],
)
async def test_nothing_is_new_or_fixed_when_the_report_before_is(desk: Desk, damage: Damage, reason: str) -> None:
    desk.add_secret("quiet", days=-30)
    desk.register("late")
    await desk.report()
    damaged = damage(desk.reports.files.pop((FIRST, "snapshot.json")))
    if damaged is not None:
        desk.reports.files[FIRST, "snapshot.json"] = damaged
    desk.remove_secrets("quiet")
    desk.add_secret("late", days=-30)

    second = await desk.report_next_week()

    assert second.report.compared_with == Unknown(reason)
    assert said(second) == [(Standing.OPEN, "C1", "late")]


async def test_report_after_one_that_could_not_compare_compares_again(desk: Desk) -> None:
    await desk.report()
    desk.reports.files[FIRST, "snapshot.json"] = b"?"
    second = await desk.report_next_week()
    desk.add_secret("quiet", days=-30)

    third = await desk.report_next_week()

    assert third.report.compared_with == Known(second.report.at)
    assert said(third) == [(Standing.NEW, "C1", "quiet")]


async def test_report_consists_of_the_files_its_manifest_names_and_a_snapshot(desk: Desk) -> None:
    desk.add_secret("quiet", days=-30)

    made = await desk.report()

    files = {name: content for (_, name), content in desk.reports.files.items()}
    snapshot = parse_snapshot(files.pop("snapshot.json"))
    assert verify_manifest(files.pop("manifest.sha256"), files) == ()
    assert sorted(files) == ["changes.csv", "findings.csv", "findings.ocsf.json", "report.html", "rotation.csv"]
    assert isinstance(snapshot, Known)
    assert snapshot.value == made.report.snapshot()
    rows = csv.DictReader(io.StringIO(files["findings.csv"].decode("utf-8-sig")))
    assert [row["name"] for row in rows if row["standing"] != "unknown"] == ["quiet"]
    assert json.loads(files["findings.ocsf.json"])
    assert b"Contoso" in files["report.html"]


async def test_report_that_was_interrupted_before_its_mark_is_not_the_newest(desk: Desk) -> None:
    await desk.report()
    desk.reports.faults.plan("mark", DOWN)

    with pytest.raises(RetryLaterError):
        await desk.report_next_week()

    assert (SECOND, "report.html") in desk.reports.files
    assert await desk.reports.newest() == FIRST


@pytest.mark.parametrize("step", ["file", "mark"])
async def test_interrupted_report_is_made_from_the_same_scan_and_compared_with_the_last_whole_one(
    desk: Desk, step: str
) -> None:
    first = await desk.report()
    desk.add_secret("quiet", days=-30)
    desk.reports.faults.plan(step, DOWN)
    with pytest.raises(RetryLaterError):
        await desk.report_next_week()
    desk.clock.advance(300)
    read = desk.inventory.asked.copy()

    made = await desk.report()

    assert (made.report_id, await desk.reports.list_ids()) == (SECOND, [SECOND, FIRST])
    assert made.report.compared_with == Known(first.report.at)
    assert said(made) == [(Standing.NEW, "C1", "quiet")]
    assert desk.inventory.asked == read


async def test_interrupted_report_is_never_compared_with(desk: Desk) -> None:
    first = await desk.report()
    desk.add_secret("quiet", days=-30)
    desk.reports.faults.plan("mark", DOWN)
    with pytest.raises(RetryLaterError):
        await desk.report_next_week()

    third = await desk.report_next_week()

    assert third.report.compared_with == Known(first.report.at)
    assert said(third) == [(Standing.NEW, "C1", "quiet")]


async def test_report_whose_scan_could_not_be_ended_is_not_compared_with_itself(desk: Desk) -> None:
    await desk.report()
    desk.add_secret("quiet", days=-30)
    desk.store = Endless(desk.store)
    with pytest.raises(RetryLaterError):
        await desk.report_next_week()
    files = dict(desk.reports.files)
    desk.store.is_down = False
    desk.clock.advance(300)

    again = await desk.report()

    assert again.report_id == SECOND
    assert said(again) == [(Standing.NEW, "C1", "quiet")]
    assert desk.reports.files == files


@pytest.mark.parametrize("fault", ["list_ids", "read"])
async def test_report_is_made_later_when_the_one_before_cannot_be_read_now(desk: Desk, fault: str) -> None:
    await desk.report()
    desk.reports.faults.plan(fault, DOWN)

    with pytest.raises(RetryLaterError):
        await desk.report_next_week()

    assert desk.reports.whole == {FIRST}


async def test_of_two_who_make_it_at_once_one_is_told_that_it_is_under_way(desk: Desk) -> None:
    outcomes = await asyncio.gather(desk.report(), desk.report(), return_exceptions=True)

    assert sum(isinstance(outcome, Published) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyDecidedError) for outcome in outcomes) == 1
    assert desk.reports.whole == {FIRST}


async def test_whoever_comes_while_a_scan_is_under_way_reads_nothing(desk: Desk) -> None:
    desk.reports.faults.plan("mark", DOWN)
    with pytest.raises(RetryLaterError):
        await desk.report()
    read = desk.inventory.asked.copy()

    with pytest.raises(AlreadyDecidedError, match="scan-under-way"):
        await report_posture(desk.ports, RULES)

    assert (desk.inventory.asked, desk.reports.whole) == (read, set())


async def test_coverage_names_a_gateway_without_anybody_and_a_licence_that_is_missing(desk: Desk) -> None:
    desk.inventory.failures[Source.SIGN_INS] = RejectedError("no-licence")
    desk.around.gateway.identities.clear()

    made = await desk.report()

    failed = {source.name: source.reason for source in made.report.coverage.sources if source.reason}
    assert failed.items() >= {"sign-ins": "no-licence", "gateway": "empty-roster"}.items()
    page = desk.reports.files[made.report_id, "report.html"].decode()
    assert "Licences that this tenant lacks:</b> Microsoft Entra ID P1." in page
