"""Bootstrap: the one place that reads the environment and chooses adapters."""

import asyncio
import functools
import gc
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableServiceClient
from azure.servicebus.aio import ServiceBusClient

from shared.adapters.graph_directory import GraphDirectory
from shared.adapters.graph_subscriptions import GraphSubscriptions
from shared.adapters.hoop_gateway import HoopGateway
from shared.adapters.json_api import JsonApi
from shared.adapters.service_bus_queue import ServiceBusQueue
from shared.adapters.system_clock import SystemClock
from shared.adapters.table_records import TableDeltaLinks, TablePrincipalRecords
from shared.adapters.telemetry import Telemetry
from shared.adapters.tokens import bearer
from shared.bootstrap.approvals import Asking, Neighbours, open_approvals, read_routes
from shared.bootstrap.connections import gateway_headers, http
from shared.bootstrap.owner_cards import open_owner_cards, with_owner_cards
from shared.bootstrap.posture_rules import read_posture_rules
from shared.domain.client_state import ClientStateKeys
from shared.domain.identity_map import IdentityMap
from shared.domain.ledger import RestoreRules
from shared.domain.sweep import SweepLimit
from shared.errors import RejectedError, SettingsError
from shared.handlers.keep_subscriptions import SubscriptionPlan
from shared.ports import Ports, Rules
from shared.settings import Settings, read_settings
from shared.wire.identity_map import parse_identity_map

if TYPE_CHECKING:
    from shared.adapters.azure_storage import AzureStorage
    from shared.bootstrap.posture import Posture

GRAPH_TIMEOUT = 10.0
ROSTER_FRESH_SECONDS = 5.0


def _no_posture() -> "Posture":
    raise RejectedError("reports-off", "this app was assembled without reports")


@dataclass(frozen=True, slots=True)
class Tether:
    """The assembled app: what handlers need, how to prepare its storage, and how to let go of it."""

    ports: Ports
    rules: Rules
    keys: ClientStateKeys
    subscriptions: SubscriptionPlan
    prepare: Callable[[], Awaitable[None]]
    resources: AsyncExitStack
    asking: Asking | None = None
    posture: "Callable[[], Posture]" = _no_posture

    def approvals(self) -> Asking:
        """What approvals need. Raises `RejectedError` (`approvals-off`) where they are not set up."""
        if self.asking is None:
            raise RejectedError("approvals-off", "set APPROVAL_ROUTES_FILE, BOT_APP_ID and CARD_TOKEN_KEY")
        return self.asking


def check_environment() -> None:
    """Stop a start with missing, weak or wrong settings. Raises `SettingsError`."""
    settings = read_settings(os.environ)
    read_identity_map(settings)
    read_routes(settings, os.environ)
    read_posture_rules(settings)


async def tether() -> Tether:
    """The app of this process, assembled on first use; its tables and containers exist if Storage has answered."""
    return await _process.value()


async def assemble(environment: Mapping[str, str]) -> Tether:
    """An app for these settings; the caller closes its `resources`."""
    settings = read_settings(environment)
    async with AsyncExitStack() as stack:
        ports, asking, reporting, storage = await _ports(settings, environment, stack)
        keys = _client_state_keys(settings)
        plan = SubscriptionPlan(keys, settings.client_state_generation, settings.notification_url)
        return Tether(ports, _rules(settings), keys, plan, storage.prepare, stack.pop_all(), asking, reporting)


def read_identity_map(settings: Settings) -> IdentityMap:
    """The operator's map. Raises `SettingsError` when the file is missing or wrong."""
    path = Path(settings.identity_map_file)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"IDENTITY_MAP_FILE: {path} cannot be read; create it, or correct the path") from error
    return parse_identity_map(text, path.name)


class _Process:
    """One app per process, however many functions ask for it at once."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._app: Tether | None = None

    async def value(self) -> Tether:
        if self._app is None:
            async with self._lock:
                if self._app is None:
                    self._app = await assemble(os.environ)
                    # What was imported stays: without this, a full collection stops every function for 0.1 s or more.
                    gc.freeze()
        await self._app.prepare()
        return self._app


_process = _Process()


async def _ports(
    settings: Settings, environment: Mapping[str, str], stack: AsyncExitStack
) -> "tuple[Ports, Asking | None, Callable[[], Posture], AzureStorage]":
    # Loaded with the first message instead of with the app: Azure waits for the import of an app that it starts.
    from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

    from shared.adapters.blob_evidence import BlobEvidence  # noqa: PLC0415
    from shared.adapters.blob_holds import BlobHolds  # noqa: PLC0415

    _export_metrics(settings, stack)
    clock = SystemClock()
    credential = await stack.enter_async_context(
        DefaultAzureCredential(
            authority=settings.authority_host, managed_identity_client_id=settings.managed_identity_client_id
        )
    )
    storage = await _storage(settings, credential, stack)
    graph = await stack.enter_async_context(http(settings.graph_base_url, GRAPH_TIMEOUT))
    gateway = await stack.enter_async_context(http(settings.gateway_base_url, settings.gateway_timeout_seconds))
    queue = ServiceBusQueue(_service_bus(settings, credential))
    stack.push_async_callback(queue.close)
    opening = asyncio.create_task(queue.open())
    stack.callback(opening.cancel)
    near = Neighbours(credential, gateway, storage, clock)
    approvals = await open_approvals(settings, environment, near, stack)
    ports = Ports(
        directory=GraphDirectory(
            JsonApi("graph", graph, bearer(credential, settings.cloud.graph_scope)),
            clock,
            settings.graph_base_url,
        ),
        subscriptions=GraphSubscriptions(credential, settings.graph_base_url, settings.cloud.graph_scope),
        gateway=HoopGateway(
            JsonApi("gateway", gateway, gateway_headers(settings, credential)), clock, ROSTER_FRESH_SECONDS
        ),
        records=TablePrincipalRecords(storage.tables.get_table_client("principals")),
        evidence=BlobEvidence(storage.blobs.get_container_client("evidence")),
        queue=queue,
        delta_links=TableDeltaLinks(storage.tables.get_table_client("sweeps")),
        holds=BlobHolds(storage.blobs.get_container_client("holds")),
        clock=clock,
        alerts=Telemetry(),
        approval=approvals[0] if approvals else None,
        posture=open_owner_cards(settings, near) if approvals else None,
    )
    asking = with_owner_cards(approvals[1], settings, _rules(settings)) if approvals else None
    late = await stack.enter_async_context(AsyncExitStack())
    reporting = _reporting(settings, near, ports, asking, late)
    return ports, asking, reporting, storage


def _export_metrics(settings: Settings, stack: AsyncExitStack) -> None:
    """Set up beside the first message, which does not wait for it."""
    if settings.application_insights is None:
        return
    opening = asyncio.create_task(asyncio.to_thread(_open_exporter, settings.application_insights))
    stack.push_async_callback(_close_exporter, opening)


def _open_exporter(connection_string: str) -> Callable[[], None]:
    from shared.adapters.azure_monitor import export_metrics  # noqa: PLC0415

    return export_metrics(connection_string)


async def _close_exporter(opening: "asyncio.Task[Callable[[], None]]") -> None:
    await asyncio.to_thread(await opening)


def _reporting(
    settings: Settings, near: Neighbours, ports: Ports, asking: Asking | None, late: AsyncExitStack
) -> "Callable[[], Posture]":
    """Loaded with the first report: most processes never make one."""

    @functools.cache
    def posture() -> "Posture":
        from shared.bootstrap.posture import open_posture  # noqa: PLC0415

        posture = open_posture(settings, near, ports, _rules(settings), late)
        return replace(posture, rules=replace(posture.rules, asking=asking.rules if asking is not None else None))

    return posture


async def _storage(settings: Settings, credential: AsyncTokenCredential, stack: AsyncExitStack) -> "AzureStorage":
    from azure.storage.blob.aio import BlobServiceClient  # noqa: PLC0415

    from shared.adapters.azure_storage import AzureStorage  # noqa: PLC0415

    if settings.storage_connection_string:
        tables = TableServiceClient.from_connection_string(settings.storage_connection_string)
        blobs = BlobServiceClient.from_connection_string(settings.storage_connection_string)
    else:
        tables = TableServiceClient(settings.storage_table_uri or "", credential=credential)
        blobs = BlobServiceClient(settings.storage_blob_uri or "", credential=credential)
    await stack.enter_async_context(tables)
    await stack.enter_async_context(blobs)
    return AzureStorage(tables, blobs)


def _service_bus(settings: Settings, credential: AsyncTokenCredential) -> ServiceBusClient:
    if settings.service_bus_connection_string:
        return ServiceBusClient.from_connection_string(settings.service_bus_connection_string)
    return ServiceBusClient(settings.service_bus_namespace or "", credential)


def _client_state_keys(settings: Settings) -> ClientStateKeys:
    keys = (settings.client_state_key, settings.client_state_previous_key)
    return ClientStateKeys(settings.tenant_id, tuple(key.encode() for key in keys if key))


def _rules(settings: Settings) -> Rules:
    return Rules(
        identity_map=read_identity_map(settings),
        restore=RestoreRules(
            timedelta(seconds=settings.restore_after_seconds), timedelta(seconds=settings.replication_horizon_seconds)
        ),
        sweep_limit=SweepLimit(settings.sweep_limit_percent, settings.sweep_limit_minimum),
        escalation=settings.escalation,
        verify_after=(10.0, 300.0, settings.token_lifetime_seconds),
    )
