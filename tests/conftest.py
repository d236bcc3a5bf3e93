"""What every test may use: a whole sandbox, and a way to forbid skips where everything is installed."""

from collections.abc import AsyncIterator, Generator
from typing import TypeVar

import pytest

from sandbox.supervisor import Sandbox, running_sandbox

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    """Every server on a free port, seeded with its cast, the app running; one for all tests that ask for it."""
    async with running_sandbox(without=("door",)) as running:
        yield running


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fail-on-skip",
        action="append",
        default=[],
        metavar="TEXT",
        help="a skip whose reason contains TEXT, in any case, is a failure; an empty TEXT means every skip",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return report if hasattr(report, "wasxfail") else _judged(report, item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _judged(report, collector.config)


def _judged(report: Report, config: pytest.Config) -> Report:
    reason = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else None
    forbidden = config.getoption("--fail-on-skip")
    if reason is not None and any(text.lower() in reason.lower() for text in forbidden):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is not accepted here: {reason}"
    return report
