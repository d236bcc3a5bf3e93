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
from shared.adapters.graph_audit_log import GraphAuditLog
from shared.adapters.graph_inventory import GraphInventory
from shared.adapters.graph_policies import GraphPolicies
from shared.adapters.inventory_join import SqliteJoin
from shared.adapters.name_servers import DnsNameServers
from shared.adapters.system_clock import SystemClock
from shared.adapters.telemetry import Telemetry
from shared.adapters.tokens import bearer
from shared.bootstrap.connections import http
from shared.domain.posture.catalogue import ALL_APP_CHECKS, IN_TENANT_CHECKS, TENANT_CHECKS, judge_app, judge_tenant
from shared.domain.posture.estate_facts import InCommon, Tenant
from shared.domain.posture.limits import Limits
from shared.domain.posture.scan import Checkpoint, Judge
from shared.handlers.read_tenant import TenantPorts, read_tenant
from shared.handlers.scan_inventory import Scan, ScanPorts, ScanRules, scan_inventory
from shared.settings import Settings, read_settings
from shared.wire.server_addresses import parse_server_addresses

CLAIM_SECONDS = 10.0
LIMITS = Limits()
STARTED = time.monotonic()


async def main() -> dict[str, Any]:
    """What was found, and what it took."""
    settings, rules = read_settings(os.environ), ScanRules(claim_seconds=CLAIM_SECONDS)
    async with AsyncExitStack() as stack:
        ports, around = await _ports(stack, settings)

        async def learn(common: InCommon, at: datetime) -> Tenant:
            return await read_tenant(Tenant(settings.tenant_id), common, at, around)

        async with scan_inventory(ports, rules, learn, _judging) as scan:
            return _measured(scan, time.monotonic() - STARTED)


def _judging(tenant: Tenant, at: datetime) -> Judge:
    limits_of = tenant.limits_of(LIMITS)
    return lambda app: judge_app(app, at, limits_of(app), tenant)


async def _ports(stack: AsyncExitStack, settings: Settings) -> tuple[ScanPorts, TenantPorts]:
    credential = await stack.enter_async_context(ManagedIdentityCredential())
    graph = await stack.enter_async_context(http(settings.graph_base_url, 60.0))
    blobs = BlobServiceClient.from_connection_string(settings.storage_connection_string or "")
    container = (await stack.enter_async_context(blobs)).get_container_client("scans")
    with suppress(ResourceExistsError):
        await container.create_container()
    headers = bearer(credential, "https://graph.microsoft.com/.default")
    inventory = GraphInventory(graph, headers, settings.graph_base_url)
    scan = ScanPorts(inventory, BlobScanStore(container), SystemClock(), Telemetry(), SqliteJoin, _show)
    names = DnsNameServers(parse_server_addresses(settings.name_servers))
    return scan, TenantPorts(GraphPolicies(inventory.graph), names, GraphAuditLog(inventory.graph))


def _measured(scan: Scan, seconds: float) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "peak_rss_mb": peak_rss_mb(),
        "requests": scan.coverage.requests,
        "certificate_requests": scan.coverage.certificate_requests,
        "apps": scan.coverage.apps,
        "sources": [asdict(source) for source in scan.coverage.sources],
        "unjudged": [asdict(one) for one in scan.coverage.unjudged],
        "judged": sorted((*ALL_APP_CHECKS, *IN_TENANT_CHECKS, *TENANT_CHECKS)),
        "findings": [
            [f.check_id, f.about.object_id, f.about.key_id, f.severity.word, f.says, f.facts, f.owners]
            for f in (*scan.findings, *judge_tenant(scan.tenant, scan.at, LIMITS))
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
