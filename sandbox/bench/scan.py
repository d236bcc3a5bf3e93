"""The scan of a large tenant: requests, time, memory, and its findings against what was planted."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sandbox.bench.result import Result
from sandbox.supervisor import Sandbox
from sandbox.supervisor.ports import free_ports
from sandbox.supervisor.prerequisites import find_node
from sandbox.supervisor.process import ServerProcess
from sandbox.supervisor.servers import planned_servers
from sandbox.supervisor.settings import app_settings, fitting_environment

NEEDED = ("blob", "identity", "graph")
MOST_REQUESTS, MOST_SECONDS, MOST_MB = 700, 120, 300
Truth = tuple[str, str, str]


async def measure_scan(_: Sandbox | None, applications: int, principals: int) -> list[Result]:
    """One scan of a generated tenant on stand-ins of its own, from an empty storage."""
    async with scan_stand_ins() as stand_ins:
        expected = await generate(stand_ins, applications, principals)
        measured = await run_scan(stand_ins)
        asked = (await stand_ins.graph.get("/sandbox/posture/requests")).json()
    return [
        *_costs(measured, asked, f"{applications:,} applications, {principals:,} principals"),
        judge(measured, expected),
    ]


@asynccontextmanager
async def scan_stand_ins() -> AsyncIterator[Sandbox]:
    """Storage, managed identity and Graph alone, on free ports."""
    ports, environment = free_ports(), fitting_environment(os.environ)
    settings, logs = app_settings(environment, ports), Path(tempfile.mkdtemp(prefix="scan-bench-"))
    plan = planned_servers(ports, settings, environment, find_node())
    processes = {name: ServerProcess(plan[name], logs / f"{name}.log") for name in NEEDED}
    sandbox = Sandbox(processes, ports, settings, frozenset(), logs)
    try:
        for name in NEEDED:
            await sandbox.start(name)
        yield sandbox
    finally:
        await sandbox.close()
        shutil.rmtree(logs)


async def generate(sandbox: Sandbox, applications: int, principals: int, **more: object) -> dict[str, Any]:
    """Make the tenant; what has to be found in it."""
    wish = {"seed": 7, "applications": applications, "service_principals": principals, "planted": True} | more
    (await sandbox.graph.post("/sandbox/posture", json=wish, timeout=60)).raise_for_status()
    (await sandbox.graph.delete("/sandbox/posture/requests")).raise_for_status()
    expected: dict[str, Any] = (await sandbox.graph.get("/sandbox/posture/expected")).raise_for_status().json()
    return expected


async def run_scan(sandbox: Sandbox) -> dict[str, Any]:
    """What a scan in a process of its own says."""
    process = await start_scan(sandbox)
    output, _ = await process.communicate()
    measured: dict[str, Any] = json.loads(output)
    return measured


async def start_scan(sandbox: Sandbox) -> asyncio.subprocess.Process:
    """The process; its progress goes where this one's errors go."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.bench.scan_process", env=dict(sandbox.settings), stdout=asyncio.subprocess.PIPE
    )


def judge(measured: dict[str, Any], expected: dict[str, Any]) -> Result:
    """Whether all that was planted was found, and none of the innocents, by the checks that a scan alone can make."""
    judged, found = set(measured["judged"]), {(one[0], one[1], one[2]) for one in measured["findings"]}
    guilty = {_truth(one) for one in expected["positives"] if one["check_id"] in judged}
    innocent = {_truth(one) for one in expected["innocents"] if one["check_id"] in judged}
    missed, wrong = sorted(guilty - found), sorted(innocent & found)
    return Result(
        f"planted findings ({len(guilty)}) and innocents ({len(innocent)})",
        "100 % found, none wrongly",
        f"{len(guilty) - len(missed)} found, {len(wrong)} wrongly",
        holds=not missed and not wrong,
        details={"missed": missed, "wrong": wrong, "unexpected": len(found - guilty)},
    )


def _truth(one: dict[str, Any]) -> Truth:
    return str(one["check_id"]), str(one["object_id"]), str(one["key_id"])


def _costs(measured: dict[str, Any], asked: dict[str, Any], size: str) -> list[Result]:
    requests, seconds, memory = measured["requests"], measured["seconds"], measured["peak_rss_mb"]
    details = {key: measured[key] for key in ("certificate_requests", "apps", "sources", "unjudged")} | {"asked": asked}
    return [
        Result(f"scan: requests ({size})", "≤ 700", f"{requests}", holds=requests <= MOST_REQUESTS, details=details),
        Result("scan: wall", "≤ 2 min", f"{seconds:.0f} s", holds=seconds <= MOST_SECONDS),
        Result("scan: peak memory of its process", "≤ 300 MB", f"{memory} MB", holds=memory <= MOST_MB),
    ]


if __name__ == "__main__":
    sizes = [int(text) for text in sys.argv[1:3]] or [20_000, 30_000]
    for result in asyncio.run(measure_scan(None, sizes[0], sizes[1])):
        print(json.dumps(result.as_json(), indent=1, ensure_ascii=False))
