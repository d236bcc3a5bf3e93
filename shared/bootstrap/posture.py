"""Posture: what a scan and its report need, opened when the first of them is wanted."""

from dataclasses import dataclass

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.azure_storage import AzureStorage
from shared.adapters.blob_reports import BlobReports
from shared.adapters.blob_scan import BlobScanStore
from shared.adapters.graph_inventory import GraphInventory
from shared.adapters.hoop_session_log import HoopSessionLog
from shared.adapters.inventory_join import SqliteJoin
from shared.adapters.json_api import JsonApi
from shared.adapters.tokens import bearer
from shared.bootstrap.connections import gateway_headers, http
from shared.domain.posture.estate_facts import Tenant
from shared.handlers.report_posture import ReportPorts, ReportRules
from shared.handlers.scan_inventory import ScanPorts
from shared.handlers.show_report import Readers
from shared.ports import Ports, Rules
from shared.settings import Settings

PAGE_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Posture:
    """What the triggers of reports need."""

    ports: ReportPorts
    rules: ReportRules
    readers: Readers


def open_posture(
    settings: Settings, credential: AsyncTokenCredential, storage: AzureStorage, around: Ports, gateway: Rules
) -> Posture:
    """The ports and the rules; nothing is connected before the first scan."""
    graph = http(settings.graph_base_url, PAGE_TIMEOUT)
    headers = bearer(credential, "https://graph.microsoft.com/.default")
    scan = ScanPorts(
        GraphInventory(graph, headers, settings.graph_base_url),
        BlobScanStore(storage.blobs.get_container_client("scans")),
        around.clock,
        around.alerts,
        SqliteJoin,
    )
    reports = BlobReports(storage.blobs.get_container_client("reports"))
    client = http(settings.gateway_base_url, settings.gateway_timeout_seconds)
    log = HoopSessionLog(JsonApi("gateway", client, gateway_headers(settings, credential)))
    rules = ReportRules(Tenant(settings.tenant_id), gateway)
    return Posture(ReportPorts(scan, reports, around, log), rules, Readers(settings.report_readers_group))
