"""The page stays small, loads nothing, reads without scripts, and says what it does not know."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from shared.domain.posture.coverage_block import CoverageBlock, SourceRead
from shared.domain.posture.figures import CredentialFigures, Reach, Week
from shared.domain.posture.finding import ObjectKind, Severity
from shared.domain.posture.inventory import Unknown
from shared.domain.posture.report import Basis, Report, build_report
from shared.wire.report import Pictured, page_policy, report_files
from shared.wire.report.charts import reach_in_words, trend_chart
from shared.wire.report.html_page import html_page
from shared.wire.report.sentences import ends_on, was_better, why_exempt
from tests.wire.report.samples import (
    AT,
    PICTURED,
    TITLES,
    Blast,
    Reached,
    first_report,
    poisoned,
    quiet_report,
    report,
)

MOST = 3 * 1000 * 1000
Opened = Callable[[Report], Awaitable[Page]]


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
async def opened(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> AsyncIterator[Opened]:
    context = await browser.new_context(java_script_enabled=request.param)

    async def opener(told: Report) -> Page:
        file = tmp_path / "report.html"
        file.write_bytes(html_page(told, PICTURED))
        page = await context.new_page()
        await page.goto(file.as_uri())
        return page

    yield opener
    await context.close()


def bare(**changed: Any) -> Report:  # noqa: ANN401 - fields of a basis
    basis = Basis(AT, "Contoso", TITLES, CoverageBlock(()), Unknown("first-report"))
    return build_report([], replace(basis, **changed))


def text_of(told: Report, pictured: Pictured = PICTURED) -> str:
    return html_page(told, pictured).decode()


def test_page_with_5000_findings_has_them_all_within_three_megabytes() -> None:
    page = html_page(report(5_000), PICTURED)

    assert len(page) <= MOST
    assert page.count(b'<details class="f ') == 5_000


def test_page_with_more_findings_than_there_is_room_for_counts_the_rest() -> None:
    told = report(12_000)
    page = html_page(told, PICTURED)

    shown = page.count(b'<details class="f ')
    assert len(page) <= MOST
    assert f"{len(told.entries) - shown:,} more findings, none worse than these, are in findings.csv" in page.decode()


def test_page_of_the_longest_texts_stays_within_three_megabytes() -> None:
    told, pictured = poisoned("<&>" * 500)
    pattern = told.entries[0].finding
    many = [replace(pattern, about=replace(pattern.about, object_id=str(number))) for number in range(4_000)]

    page = html_page(build_report(many, Basis(AT, "x", TITLES, told.coverage, Unknown("first-report"))), pictured)

    assert len(page) <= MOST


def test_page_is_the_same_each_time() -> None:
    pages = {html_page(report(40), PICTURED) for _ in range(2)}

    assert len(pages) == 1


def test_page_names_nothing_outside_itself() -> None:
    page = text_of(report(40))

    assert "http://" not in page
    assert page.count("https://") == 0
    assert page.count("<script") == 1
    assert "style=" not in page


def test_policy_lets_in_nothing_but_the_two_hashes() -> None:
    policy = page_policy()

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert policy in text_of(report(16)).replace("&#39;", "'")


def test_page_that_is_not_complete_says_so_before_anything_else() -> None:
    page = text_of(bare())

    assert page.index("This report is not complete") < page.index("<h2>")
    assert "No finding is open among what could be read." in page
    assert "No check failed among what could be read." in page
    assert "No source was read." in page


def test_page_without_a_change_says_it_in_one_line() -> None:
    page = text_of(quiet_report())

    assert "No change since 2026-02-23 06:00 UTC." in page
    assert "This report is not complete" not in page


@pytest.mark.parametrize("reason", ["first-report", "previous-report-damaged"])
def test_page_without_comparison_counts_neither_new_nor_fixed(reason: str) -> None:
    page = text_of(bare(previous=Unknown(reason)))

    assert page.count("<b>\u2013</b>") == 3
    assert ("nothing to compare it with" in page) is (reason == "first-report")


def test_pictures_of_nothing_are_drawn() -> None:
    page = text_of(bare(), Pictured(CredentialFigures()))

    assert page.count('<svg class="chart') == 4
    assert "No reach is known." in page
    assert "There is no live secret." in page


def test_blast_picture_shows_sixteen_connections_and_counts_the_rest() -> None:
    blast = Blast("agent", tuple(Reached(f"pg-{number}", ("task",)) for number in range(19)))

    page = text_of(first_report(), Pictured(CredentialFigures(), (), blast))

    assert "and 3 more connections" in page
    assert "19 connections within reach, 0 of them opened." in page


def test_blast_picture_of_nothing_is_drawn() -> None:
    page = text_of(first_report(), Pictured(CredentialFigures(), (), Blast("agent", ())))

    assert "0 connections within reach" in page


@pytest.mark.parametrize(
    ("source", "state"),
    [
        (SourceRead("a", 4, 4), "whole"),
        (SourceRead("a", 3, 4), "partial"),
        (SourceRead("a", 3, 4, "count-mismatch"), "partial: count-mismatch"),
        (SourceRead("a", 0, None, "graph-403"), "failed: graph-403"),
        (SourceRead("a", 0, 0, "", frozenset({ObjectKind.APPLICATION})), "empty, which is suspicious"),
    ],
)
def test_coverage_says_how_each_source_was_read(source: SourceRead, state: str) -> None:
    assert f">{state}</td>" in text_of(bare(coverage=CoverageBlock((source,))))


def test_entry_without_an_exception_has_no_reason_or_end() -> None:
    entry = first_report().entries[0]

    assert (why_exempt(entry), ends_on(entry), was_better(entry)) == ("", "", "")


@pytest.mark.parametrize(("most", "top"), [(0, 2), (1, 2), (9, 10), (10, 20), (57, 60), (99, 100), (150, 200)])
def test_axis_of_the_trend_ends_at_a_round_number(most: int, top: int) -> None:
    week = Week(date(2026, 3, 2), {Severity.HIGH: most})

    assert f">{top}</text>" in trend_chart([week], AT)


def test_unknown_use_is_left_out_of_the_percentage_and_said() -> None:
    known = Reach("a", 4, 1)

    assert reach_in_words((known,)) == "1 of 4 granted paths were opened within 90 days: 25%."
    assert reach_in_words((known, Reach("b", 9, None))).endswith("25%. For 1 identity the use is unknown.")
    assert reach_in_words((Reach("b", 9, None),) * 2) == "No reach is known. For 2 identities the use is unknown."


async def test_every_finding_can_be_read_and_filtered_without_scripts(opened: Opened) -> None:
    told = report(60)
    page = await opened(told)

    counts = []
    for look in ("all", "open", "new", "critical", "high", "excepted"):
        await page.locator(f"label[for=show-{look}]").click()
        counts.append(await page.locator(".f:visible").count())

    worst = [sum(entry.finding.severity >= least for entry in told.entries) for least in (4, 3)]
    assert counts == [60, len(told.open), 9, *worst, 3]


async def test_row_opens_to_its_facts_without_scripts(opened: Opened) -> None:
    page = await opened(report(16))

    await page.locator(".f summary").first.click()

    assert await page.locator(".f[open] dl").first.is_visible()
    assert "aaaaaaaa-0000-4000-8000" in await page.locator(".f[open] dl").first.inner_text()


async def test_search_finds_by_owner_check_and_id(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(report_files(report(60), PICTURED)["report.html"])
    page = await browser.new_page()
    await page.goto(file.as_uri())

    await page.locator("#search").fill("hedy 000000000035")

    assert await page.locator(".f:visible").count() == 1
    await page.close()


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_fits_the_width_of_the_screen(browser: Browser, tmp_path: Path, width: int, scheme: Any) -> None:  # noqa: ANN401
    file = tmp_path / "report.html"
    file.write_bytes(html_page(report(60), PICTURED))
    page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    await page.goto(file.as_uri())

    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate("[...document.querySelectorAll('.pill')].every((each) => each.clientHeight < 30)")
    await page.close()


async def test_print_shows_the_changes_and_hides_the_filters(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(html_page(report(30), PICTURED))
    page = await browser.new_page()
    await page.goto(file.as_uri())
    await page.emulate_media(media="print")

    assert not await page.locator(".filters").is_visible()
    assert await page.locator(".change .lines:visible").count() == await page.locator(".change").count()
    assert (await page.pdf()).startswith(b"%PDF")
    await page.close()
