"""`python -m sandbox.bench`: measures every promise on a sandbox of its own; prints a table and writes JSON."""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandbox.bench.approvals import measure_approvals
from sandbox.bench.imports import measure_import
from sandbox.bench.report import measure_report
from sandbox.bench.result import Result
from sandbox.bench.revocations import measure_burst, measure_latency
from sandbox.bench.scan import measure_scan
from sandbox.bench.sweeps import measure_lost_notifications, measure_service_principal
from sandbox.bench.webhook import measure_webhook
from sandbox.supervisor import Sandbox, SandboxError, running_sandbox

DESCRIPTION = """\
Measures what Tether promises in numbers, on a sandbox of its own on free ports, and prints a table; a miss is printed
as a miss, and the exit code is then 1. Everything runs on this machine, the stand-ins included: quote the figures with
its cores. The JSON goes to bench-results/."""
RESULTS = Path("bench-results")
Measure = Callable[[Sandbox], Awaitable["Result | list[Result]"]]


def measures(*, quick: bool) -> dict[str, Measure]:
    """Every measure by name; the quick ones are smaller, for a first look."""
    return {
        "import": measure_import,
        "webhook": lambda sandbox: measure_webhook(sandbox, 5 if quick else 30),
        "latency": lambda sandbox: measure_latency(sandbox, 50 if quick else 500),
        "approvals": lambda sandbox: measure_approvals(sandbox, 20 if quick else 100),
        "scan": lambda sandbox: measure_scan(sandbox, *((5_000, 7_500) if quick else (100_000, 150_000))),
        "report": lambda sandbox: measure_report(sandbox, 5_000),
        "lost": measure_lost_notifications,
        "disabled": measure_service_principal,
        "burst": lambda sandbox: measure_burst(sandbox, 200 if quick else 2000, 6 if quick else 60),
    }


async def main(names: list[str], *, quick: bool) -> int:
    """The exit code: 0 when every promise holds."""
    console = Console(highlight=False)
    results: list[Result] = []
    async with running_sandbox(without=("door",), environment={"SWEEP_LIMIT_PERCENT": "100"}) as sandbox:
        for name in names:
            console.print(f"measuring {name} …", style="dim")
            measured = await measures(quick=quick)[name](sandbox)
            results += measured if isinstance(measured, list) else [measured]
    console.print(_table(results))
    console.print(f"written to {_write(results)}", style="dim")
    return 0 if all(result.holds for result in results) else 1


def run() -> int:
    """Parse the arguments and measure."""
    names = list(measures(quick=True))
    parser = argparse.ArgumentParser(
        prog="make bench", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=names, action="append", help="measure only this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="smaller numbers, for a first look")
    arguments = parser.parse_args()
    try:
        return asyncio.run(main(arguments.only or names, quick=arguments.quick))
    except SandboxError as error:
        print(f"the bench cannot start: {error}", file=sys.stderr)
        return 1


def _table(results: list[Result]) -> Table:
    table = Table("promise", "bound", "measured", "", title=f"Tether on {_machine()}")
    for result in results:
        verdict = "[green]holds[/green]" if result.holds else "[bold red]MISS[/bold red]"
        table.add_row(result.promise, result.bound, result.measured, verdict)
    return table


def _write(results: list[Result]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    document = {"machine": _machine(), "results": [result.as_json() for result in results]}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")
    return path


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(run())
