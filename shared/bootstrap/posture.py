"""Posture: what a scan and its report need, opened when the first of them is wanted."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from shared.adapters.blob_reports import BlobReports
from shared.adapters.blob_rotation import BlobRotationLedger
from shared.adapters.blob_scan import BlobScanStore
from shared.adapters.graph_audit_log import GraphAuditLog
from shared.adapters.graph_inventory import GraphInventory
from shared.adapters.graph_policies import GraphPolicies
from shared.adapters.hoop_session_log import HoopSessionLog
from shared.adapters.inventory_join import SqliteJoin
from shared.adapters.json_api import JsonApi
from shared.adapters.key_vaults import KeyVaults
from shared.adapters.name_servers import DnsNameServers
from shared.adapters.scan_progress import log_progress
from shared.adapters.tokens import bearer
from shared.bootstrap.approvals import Neighbours
from shared.bootstrap.connections import gateway_headers, http
from shared.bootstrap.posture_rules import read_posture_rules, tenant_of
from shared.handlers.ask_for_posture import Desk
from shared.handlers.check_rotation import RotationPorts
from shared.handlers.read_tenant import TenantPorts
from shared.handlers.report_posture import ReportPorts, ReportRules
from shared.handlers.scan_inventory import ScanPorts
from shared.handlers.show_report import Readers
from shared.ports import Ports, Rules
from shared.settings import Settings
from shared.wire.server_addresses import parse_server_addresses

PAGE_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Posture:
    """What the triggers of reports need."""

    ports: ReportPorts
    rotation: RotationPorts
    rules: ReportRules
    readers: Readers
    desk: Desk


def open_posture(settings: Settings, near: Neighbours, ports: Ports, rules: Rules, stack: AsyncExitStack) -> Posture:
    """The ports and the rules; nothing is connected before the first scan."""
    graph = http(settings.graph_base_url, PAGE_TIMEOUT)
    stack.push_async_callback(graph.aclose)
    headers = bearer(near.credential, settings.cloud.graph_scope)
    inventory = GraphInventory(graph, headers, settings.graph_base_url)
    scans = near.storage.blobs.get_container_client("scans")
    scan = ScanPorts(inventory, BlobScanStore(scans), ports.clock, ports.alerts, SqliteJoin, log_progress)
    reports = BlobReports(near.storage.blobs.get_container_client("reports"))
    log = HoopSessionLog(JsonApi("gateway", near.gateway, gateway_headers(settings, near.credential)))
    posture = read_posture_rules(settings)
    asked = ReportRules(tenant_of(settings, posture), rules, posture)
    readers, desk = Readers(settings.report_readers_group), Desk(reports, ports.queue, ports.clock)
    audit, names = GraphAuditLog(inventory.graph), DnsNameServers(parse_server_addresses(settings.name_servers))
    policies, vaults = GraphPolicies(inventory.graph), KeyVaults(near.credential)
    report = ReportPorts(scan, reports, ports, log, TenantPorts(policies, names, audit), vaults)
    notices = ports.posture.notices if ports.posture is not None else None
    rotation = RotationPorts(scan, BlobRotationLedger(scans), policies, vaults, ports.queue, notices)
    return Posture(report, rotation, asked, readers, desk)
