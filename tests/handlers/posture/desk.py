"""The desk where reports are made: a small tenant in memory, its scans, its reports, and who may read them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.adapters.inventory_join import SqliteJoin
from shared.domain.posture.estate_facts import Tenant
from shared.domain.posture.gateway_view import Use
from shared.domain.posture.scan import Source
from shared.handlers.check_rotation import RotationPorts
from shared.handlers.report_posture import Published, ReportPorts, ReportRules, report_posture
from shared.handlers.scan_inventory import ScanPorts
from shared.wire.inventory_rows import trim_page
from tests.fakes.clock import FakeAlerts, FakeClock
from tests.fakes.entra import guid
from tests.fakes.reports import FakeReports
from tests.fakes.rotation import FakePolicies, FakeRotationLedger, FakeVaults
from tests.fakes.scan import FakeInventory, FakeScanStore
from tests.fakes.world import World, rules

HOME = "11111111-0000-4000-8000-000000000001"
WEEK = timedelta(days=7).total_seconds()
RULES = ReportRules(Tenant(HOME, "Contoso"), rules())


class QuietLog:
    """A gateway at which nobody has opened anything."""

    async def uses(self, since: datetime, until: datetime) -> AsyncIterator[tuple[str, Use]]:
        assert since < until
        nothing: tuple[tuple[str, Use], ...] = ()
        for entry in nothing:
            yield entry


@dataclass
class Desk:
    """Everything outside that a report needs; the tenant begins with one application that nobody complains about."""

    clock: FakeClock = field(default_factory=FakeClock)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    inventory: FakeInventory = field(default_factory=lambda: FakeInventory({}))
    store: FakeScanStore = field(default_factory=FakeScanStore)
    reports: FakeReports = field(default_factory=FakeReports)
    around: World = field(default_factory=World)
    ledger: FakeRotationLedger = field(default_factory=FakeRotationLedger)
    listed: dict[Source, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.register("quiet")
        self.around.gateway.person("somebody@contoso.example")

    @property
    def ports(self) -> ReportPorts:
        """The ports, Entra being what it is now."""
        self._list_again()
        return ReportPorts(self._scan, self.reports, self.around.ports, QuietLog())

    @property
    def rotation(self) -> RotationPorts:
        """The same for checks of rotation."""
        self._list_again()
        return RotationPorts(self._scan, self.ledger, FakePolicies(), FakeVaults(), self.around.queue)

    @property
    def _scan(self) -> ScanPorts:
        return ScanPorts(self.inventory, self.store, self.clock, self.alerts, SqliteJoin)

    def _list_again(self) -> None:
        self.inventory.rows = {source: list(trim_page(source, {"value": raw})) for source, raw in self.listed.items()}

    async def report(self) -> Published:
        return await report_posture(self.ports, RULES)

    async def report_next_week(self) -> Published:
        self.clock.advance(WEEK)
        return await self.report()

    def register(self, name: str) -> None:
        """An application with its principal; it signed in a minute ago, and each time that anybody looks."""
        created = (self.clock.now() - timedelta(days=30)).isoformat()
        common = {"appId": guid(name), "displayName": name, "createdDateTime": created}
        self._list(Source.APPLICATIONS, {**common, "id": guid(f"{name} application")})
        principal = {"servicePrincipalType": "Application", "appOwnerOrganizationId": HOME, "accountEnabled": True}
        self._list(Source.SERVICE_PRINCIPALS, {**common, **principal, "id": guid(f"{name} principal")})
        used = {"lastSignInDateTime": "2027-03-01T00:00:00Z"}
        self._list(Source.SIGN_INS, {"appId": guid(name), "lastSignInActivity": used})

    def add_secret(self, name: str, *, days: int) -> None:
        """A client secret that ends in so many days, or ended so many days ago."""
        end = (self.clock.now() + timedelta(days=days)).isoformat()
        start = (self.clock.now() - timedelta(days=60)).isoformat()
        secret = {"keyId": guid(f"{name} secret"), "startDateTime": start, "endDateTime": end}
        self._application(name)["passwordCredentials"] = [secret]

    def remove_secrets(self, name: str) -> None:
        self._application(name)["passwordCredentials"] = []

    def _application(self, name: str) -> dict[str, Any]:
        return next(one for one in self.listed[Source.APPLICATIONS] if one["displayName"] == name)

    def _list(self, source: Source, raw: dict[str, Any]) -> None:
        self.listed.setdefault(source, []).append(raw)
