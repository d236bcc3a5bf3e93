"""The report: how large a page with many findings is, and how soon a browser has opened it."""

import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from playwright.async_api import async_playwright

from sandbox.bench.result import Result
from sandbox.supervisor import Sandbox
from shared.domain.posture.catalogue import ALL_APP_CHECKS
from shared.domain.posture.check import Check
from shared.domain.posture.coverage_block import CoverageBlock, SourceRead
from shared.domain.posture.figures import CredentialFigures, Reach
from shared.domain.posture.finding import About, Finding, ObjectKind
from shared.domain.posture.inventory import App, Unknown
from shared.domain.posture.report import Basis, build_report
from shared.wire.report import Pictured, report_files

PAGE = "report.html"
MOST_BYTES, MOST_SECONDS, TIMES = 3_000_000, 2.0, 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
# Paint is told to whoever watches, some time after it happened; both count from the navigation, in milliseconds.
SHOWN_AFTER = """() => new Promise(resolve => {
  const [opened] = performance.getEntriesByType("navigation");
  new PerformanceObserver(list => {
    const painted = list.getEntriesByName("first-contentful-paint")[0];
    if (painted) resolve(Math.max(opened.loadEventEnd, painted.startTime));
  }).observe({type: "paint", buffered: true});
})"""


async def measure_report(_: Sandbox | None, findings: int) -> list[Result]:
    """One page, opened five times, each time by a browser that has seen nothing yet."""
    page = _page(findings)
    return [_weight(page, findings), await _opening(page, findings)]


def _weight(page: bytes, findings: int) -> Result:
    size = len(page) / 1_000_000
    bound = f"≤ {MOST_BYTES / 1_000_000:.0f} MB"
    promise = f"size of a report with {findings:,} findings"
    return Result(promise, bound, f"{size:.2f} MB", holds=len(page) <= MOST_BYTES, details={"bytes": len(page)})


async def _opening(page: bytes, findings: int) -> Result:
    promise, bound = (
        f"a report with {findings:,} findings loaded and painted",
        f"median and worst ≤ {MOST_SECONDS:.0f} s",
    )
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return Result(promise, bound, "not measured: there is no chromium on this machine", holds=False)
    seconds = await _open(browser, page)
    worst, middle = max(seconds), median(seconds)
    measured = f"median {middle:.2f} s, worst of {len(seconds)} {worst:.2f} s"
    return Result(promise, bound, measured, holds=worst <= MOST_SECONDS, details={"seconds": seconds})


async def _open(browser: str, page: bytes) -> list[float]:
    """Seconds from the navigation to load and first paint, whichever is later."""
    seconds: list[float] = []
    with tempfile.NamedTemporaryFile(prefix="report-bench-", suffix=".html") as file:
        file.write(page)
        file.flush()
        async with async_playwright() as playwright:
            for _ in range(TIMES):
                running = await playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
                try:
                    tab = await running.new_page(viewport={"width": 1280, "height": 800})
                    await tab.goto(Path(file.name).as_uri(), wait_until="load")
                    seconds.append(round(float(await tab.evaluate(SHOWN_AFTER)) / 1000, 3))
                finally:
                    await running.close()
    return seconds


def _page(count: int) -> bytes:
    """The page of a tenant with so many findings, of every check that speaks of applications."""
    checks = list(ALL_APP_CHECKS.values())
    found = [_finding(checks[number % len(checks)], number) for number in range(count)]
    titles = {one.check_id: one.title for one in checks}
    coverage = CoverageBlock((SourceRead("applications", count, count, "", frozenset({ObjectKind.APPLICATION})),))
    report = build_report(found, Basis(AT, "Contoso (bench)", titles, coverage, Unknown("first-report")))
    ends = {date(2026, 3, 2) + timedelta(days=day): day % 7 for day in range(91)}
    reaches = [Reach(f"agent-{number}", 20 - number, number) for number in range(12)]
    figures = CredentialFigures((212, 340, 411, 268, 190, 77), 9, ends, 4)
    return report_files(report, Pictured(figures, reaches, None))[PAGE]


def _finding(check: Check[App], number: int) -> Finding:
    object_id = f"aaaaaaaa-0000-4000-8000-{number:012d}"
    about = About(ObjectKind.APPLICATION, object_id, f"data-lake-loader-{number}", app_id=f"dddd{object_id[4:]}")
    return Finding(
        check.check_id,
        about,
        check.severity,
        check.detects,
        facts=(("last token", "2025-11-11"), ("created", "2021-05-04"), ("kind", "secret")),
        owners=(f"Ada Lovelace {number % 90}", "Grace Hopper"),
        fix=f"DELETE /servicePrincipals/{object_id}/appRoleAssignments/{number}, after its owner agreed.",
    )
