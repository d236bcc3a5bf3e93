"""One scan in a process of its own, with the app's settings: `python -m sandbox.bench.scan_process`; prints JSON."""

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.blob.aio import BlobServiceClient

from shared.adapters.blob_scan import BlobScanStore
from shared.adapters.graph_inventory import GraphInventory
from shared.adapters.inventory_join import SqliteJoin
from shared.adapters.system_clock import SystemClock
from shared.adapters.telemetry import Telemetry
from shared.adapters.tokens import bearer
from shared.bootstrap.connections import http
from shared.domain.posture.catalogue import ALL_APP_CHECKS, judge_app
from shared.domain.posture.estate_facts import InCommon, Tenant
from shared.domain.posture.limits import Limits
from shared.domain.posture.scan import Checkpoint, Judge
from shared.handlers.scan_inventory import Scan, ScanPorts, ScanRules, scan_inventory
from shared.settings import read_settings

CLAIM_SECONDS = 10.0
LIMITS = Limits()
STARTED = time.monotonic()


async def main() -> dict[str, Any]:
    """What was found, what it took, and the checks that can be judged without the tenant's other facts."""
    async with AsyncExitStack() as stack:
        ports = await _ports(stack)
        rules = ScanRules(claim_seconds=CLAIM_SECONDS)
        async with scan_inventory(ports, rules, _learn, _judging) as scan:
            return _measured(scan, time.monotonic() - STARTED)


async def _learn(_: InCommon, __: datetime) -> Tenant:
    return Tenant()


def _judging(tenant: Tenant, at: datetime) -> Judge:
    return lambda app: judge_app(app, at, LIMITS, tenant)


async def _ports(stack: AsyncExitStack) -> ScanPorts:
    settings = read_settings(os.environ)
    credential = await stack.enter_async_context(ManagedIdentityCredential())
    graph = await stack.enter_async_context(http(settings.graph_base_url, 60.0))
    blobs = BlobServiceClient.from_connection_string(settings.storage_connection_string or "")
    container = (await stack.enter_async_context(blobs)).get_container_client("scans")
    with suppress(ResourceExistsError):
        await container.create_container()
    headers = bearer(credential, "https://graph.microsoft.com/.default")
    return ScanPorts(
        GraphInventory(graph, headers, settings.graph_base_url),
        BlobScanStore(container),
        SystemClock(),
        Telemetry(),
        SqliteJoin,
        _show,
    )


def _measured(scan: Scan, seconds: float) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "peak_rss_mb": peak_rss_mb(),
        "requests": scan.coverage.requests,
        "certificate_requests": scan.coverage.certificate_requests,
        "apps": scan.coverage.apps,
        "sources": [asdict(source) for source in scan.coverage.sources],
        "unjudged": [asdict(one) for one in scan.coverage.unjudged],
        "judged": sorted(ALL_APP_CHECKS),
        "findings": [
            [f.check_id, f.about.object_id, f.about.key_id, f.severity.word, f.says, f.facts, f.owners]
            for f in scan.findings
        ],
    }


def peak_rss_mb() -> int:
    """The most memory this process ever had, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def _show(mark: Checkpoint) -> None:
    counted = f" of {mark.counted}" if mark.counted is not None else ""
    seconds = time.monotonic() - STARTED
    print(f"{seconds:6.1f} s  {mark.source}: {mark.rows}{counted}, {mark.state} {mark.reason}", file=sys.stderr)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
